"""Verify a backup: compare its checksums, and restore its database and media on trial."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from . import database, encryption, media, scratch
from .encryption import Encryption
from .failures import Failure
from .manifest import Manifest, Media
from .report import log, now, stamp
from .store import Store, checksum

DAMAGED = "this backup is damaged: do not rely on it; make a new one and verify the earlier ones"


def verify(store: Store, name: str, cipher: Encryption) -> dict[str, Any]:
    """Verify a backup and return the result. Raise Failure if anything differs from its manifest."""
    kept = store.manifest(name)
    try:
        proved = [checksums(kept, store.root / kept.name)]
        unproved: list[str] = []
        if cipher.can_read():
            proved += [_database(store, kept, cipher), _media(store, kept, cipher)]
        else:
            unproved = ["decryption and restore, because no --identity was given"]
    except Failure as failure:
        if failure.hint == DAMAGED:
            store.unmark(name)
        raise
    result: dict[str, Any] = {"name": name, "verified_at": stamp(now()), "proved": proved, "unproved": unproved}
    if not unproved:
        store.mark_verified(name, result)
    log("verified", **result)
    return result


def checksums(kept: Manifest, folder: Path) -> str:
    """Compare the checksums of the parts with the manifest."""
    for part, expected in kept.parts.items():
        path = folder / part
        found = checksum(path) if path.is_file() else None
        if found != expected:
            raise Failure(f"the checksum of {kept.name}/{part} differs from the manifest", DAMAGED)
    return f"{len(kept.parts)} parts, {kept.bytes} bytes: SHA-256 as in the manifest"


def _database(store: Store, kept: Manifest, cipher: Encryption) -> str:
    held = kept.database
    part = store.root / kept.name / kept.part("database.dump")
    with store.scratch("server") as folder, scratch.server(folder, database_bytes=held.bytes) as server:
        with cipher.reading(part) as source:
            database.load(server, server.name, source)
        compare(server, server.name, kept)
    rows = sum(held.tables.values())
    return f"the database is restored: {rows} rows in {len(held.tables)} tables, migrations as in the manifest"


def compare(server: database.Server, name: str, kept: Manifest) -> None:
    """Compare a restored database with the manifest."""
    with server.connected(name) as connection:
        found, done = database.count_rows(connection), database.migrations(connection)
    tables = kept.database.tables
    different = sorted(table for table in {*tables, *found} if found.get(table) != tables.get(table))
    if different:
        shown = ", ".join(f"{table} {found.get(table)} instead of {tables.get(table)}" for table in different[:5])
        raise Failure(f"the restored database differs from the manifest: {shown}", DAMAGED)
    if done != kept.database.migrations:
        raise Failure("the restored database has other migrations than the manifest", DAMAGED)


def _media(store: Store, kept: Manifest, cipher: Encryption) -> str:
    with cipher.reading(store.root / kept.name / kept.part("media.tar")) as source:
        same_media(media.read(source), kept)
    held = kept.media
    return f"the media is restored: {held.files} files, {held.bytes} bytes, names and contents as in the manifest"


def same_media(found: Media, kept: Manifest) -> None:
    """Compare media with the manifest."""
    if (found.files, found.bytes, found.checksum) != (kept.media.files, kept.media.bytes, kept.media.checksum):
        raise Failure(
            f"the media differs from the manifest: {found.files} files, {kept.media.files} expected", DAMAGED
        )


def decrypted(store: Store, name: str, identity: str | None) -> AbstractContextManager[Encryption]:
    """Return a context manager with the encryption of a backup's parts."""
    return encryption.for_part(store.manifest(name).part("database.dump"), identity)
