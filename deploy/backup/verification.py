"""Verify a backup: restore its database into a private server, and read or list its media."""

from typing import Any

from . import database, manifest, scratch
from .failures import Failure
from .manifest import Manifest
from .report import log, now, stamp
from .repository import DAMAGED, Snapshot
from .store import Store


def verify(store: Store, kept: Snapshot, *, read_media: bool = False) -> dict[str, Any]:
    """Verify a backup and return the result. Raise Failure if anything differs from its manifest.

    Reading all media takes as long as copying it; otherwise restic walks through the list of files and finds each
    one's contents in the index. The daily run reads a part of the repository (maintenance.py).
    """
    is_marked = kept.place is not store.imported
    if is_marked:
        store.unmark(kept.name)  # until it is proved again
    proved = [_database(store, kept, kept.manifest()), _media(store, kept, read=read_media)]
    result: dict[str, Any] = {"name": kept.name, "verified_at": stamp(now()), "proved": proved}
    if is_marked:
        store.mark_verified(kept.name, result)
    log("verified", **result)
    return result


def _database(store: Store, kept: Snapshot, made: Manifest) -> str:
    held = made["database"]
    with store.temporary("server") as folder, scratch.empty(folder, database_bytes=held["bytes"]) as server:
        load(server, server.name, kept, made)
    rows = sum(held["tables"].values())
    return f"the database is restored: {rows} rows in {len(held['tables'])} tables, migrations as in the manifest"


def load(server: database.Server, name: str, kept: Snapshot, made: Manifest) -> None:
    """Load a backup's dump into an empty database, and compare that with the manifest."""
    words = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", f"--dbname={name}")
    with kept.opened(f"{kept.data}/{manifest.DUMP}") as source:
        server.run("pg_restore", *words, stdin=source)
    with server.connected(name) as connection:
        found, done = database.count_rows(connection), database.migrations(connection)
    tables = made["database"]["tables"]
    different = sorted(table for table in {*tables, *found} if found.get(table) != tables.get(table))
    if different:
        shown = ", ".join(f"{table} {found.get(table)} instead of {tables.get(table)}" for table in different[:5])
        raise Failure(f"the restored database differs from the manifest: {shown}", DAMAGED)
    if done != made["database"]["migrations"]:
        raise Failure("the restored database has other migrations than the manifest", DAMAGED)


def _media(store: Store, kept: Snapshot, *, read: bool) -> str:
    # this walks through all folders; `restic dump` leaves out one that is damaged, and succeeds
    kept.restore(kept.other, store.root / ".nothing", "--dry-run")
    if not read:
        return f"the media is listed: {kept.media_files} files, the contents of each in the repository"
    with kept.opened(kept.other, "--archive", "tar"):
        return f"the media is read: {kept.media_files} files, each as its checksum says"
