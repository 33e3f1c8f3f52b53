"""Verify a backup: restore its database into a private server, and read or list its media."""

import json
import os
from pathlib import Path
from typing import Any

from . import database, manifest
from .report import Failure, log, now, stamp
from .repository import DAMAGED, Snapshot
from .store import IMPORTED, Store


def verify(store: Store, kept: Snapshot, *, read_media: bool = False) -> dict[str, Any]:
    """Verify a backup and return the result. Raise Failure if anything differs from its manifest.

    Reading all media takes as long as copying it; otherwise restic walks through the list of files and finds each
    one's contents in the index. The daily run reads a part of the repository (creation.after_backup).
    """
    proof = store.proof(IMPORTED if kept.place is store.imported else kept.name)
    proof.unlink(missing_ok=True)  # until it is proved again
    proved = [_database(store, kept, kept.manifest()), _media(kept, read=read_media)]
    result: dict[str, Any] = {"name": kept.name, "verified_at": stamp(now()), "proved": proved}
    proof.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    log("verified", **result)
    return result


def _database(store: Store, kept: Snapshot, made: dict[str, Any]) -> str:
    held = made["database"]
    with store.temporary("server") as folder, database.scratch(folder) as server:
        load(store, server, kept, made)
    rows = sum(held["tables"].values())
    return f"the database is restored: {rows} rows in {len(held['tables'])} tables, migrations as in the manifest"


def load(store: Store, server: database.Server, kept: Snapshot, made: dict[str, Any]) -> None:
    """Load a backup's dump into an empty database, and compare that with the manifest."""
    words = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", f"--dbname={server.name}")
    with store.temporary("dump") as folder:
        kept.dump(f"{kept.data}/{manifest.DUMP}", "--target", str(folder / manifest.DUMP))
        server.run("pg_restore", *words, str(folder / manifest.DUMP))
    with server.connected() as connection:
        held = database.contents(connection)
    found, tables = held["tables"], made["database"]["tables"]
    different = sorted(table for table in {*tables, *found} if found.get(table) != tables.get(table))
    if different:
        shown = ", ".join(f"{table} {found.get(table)} instead of {tables.get(table)}" for table in different[:5])
        raise Failure(f"the restored database differs from the manifest: {shown}", DAMAGED)
    if held["migrations"] != made["database"]["migrations"]:
        raise Failure("the restored database has other migrations than the manifest", DAMAGED)


def _media(kept: Snapshot, *, read: bool) -> str:
    # this walks through all folders; `restic dump` leaves out one that is damaged, and succeeds
    kept.restore(kept.other, Path("nowhere"), "--dry-run")
    if not read:
        return f"the media is listed: {kept.media_files} files, the contents of each in the repository"
    kept.dump(kept.other, "--target", os.devnull)
    return f"the media is read: {kept.media_files} files, each as its checksum says"
