"""Make a backup: dump a snapshot of the database, then store the dump and the media together."""

from __future__ import annotations

import datetime
import json
import time
from pathlib import Path
from typing import Any

from . import database, manifest, verification
from .database import Server
from .environment import Settings
from .failures import Failure, of_system
from .report import log, now, stamp
from .store import Store


def create(store: Store, server: Server, *, label: str | None, verify: bool) -> dict[str, Any]:
    """Make a backup and return a summary of it. Record the run in the database, failed or not."""
    manifest.new_name(now(), label)  # a bad label is refused before anything starts
    started = now()
    try:
        result = make(store, server, label=label, verify=verify)
    except (OSError, Failure) as error:
        failure = of_system(error) if isinstance(error, OSError) else error
        _record(server, started, outcome="failed", detail=failure.cause)
        raise failure from None
    _record(server, started, name=result["name"], size=result["bytes"], verified=result["verified_at"])
    return result


def make(store: Store, server: Server, *, label: str | None, verify: bool, also: str = "") -> dict[str, Any]:
    """Store a backup of a server, which may be a private one, and verify it if that is asked for.

    `also` names a backup that has more of the media.
    """
    clock, settings = time.monotonic(), store.settings
    name = manifest.new_name(now(), label)
    with store.temporary("backup") as folder:
        new = folder / "new"
        new.mkdir()
        made = _dump(settings, server, new, name=name, also=also)
        # after the database: a file uploaded meanwhile is then an extra one, and none is missing
        kept, notes = store.local.backup((new, settings.media), [name], host=settings.environment)
    proof = verification.verify(store, kept) if verify else {"verified_at": None, "proved": []}
    result = {
        "name": name,
        "created_at": made["created_at"],
        "bytes": kept.bytes,
        "added_bytes": kept.added,
        "tables": len(made["database"]["tables"]),
        "rows": sum(made["database"]["tables"].values()),
        "media_files": verification.media_files(kept),
        "notes": notes,
        "verified_at": proof["verified_at"],
        "proved": proof["proved"],
        "seconds": round(time.monotonic() - clock, 1),
    }
    log("created", **result)
    return result


def _dump(settings: Settings, server: Server, folder: Path, **more: str) -> manifest.Manifest:
    with (
        database.snapshot(server) as (snapshot_id, version, held),
        open(folder / manifest.DUMP, "wb") as sink,
    ):
        database.dump(server, snapshot_id, sink)
    made = {
        "created_at": stamp(manifest.moment_of(more["name"])),
        "environment": settings.environment,
        "version": settings.version,
        "revision": settings.revision,
        "postgresql": version,
        "database": held,
        **more,
    }
    (folder / manifest.FILE).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    return made


def _record(
    server: Server,
    started: datetime.datetime,
    *,
    outcome: str = "ok",
    name: str = "",
    size: int = 0,
    verified: str | None = None,
    detail: str = "",
) -> None:
    """Record the run in the database, for the backend's metrics. An old release may lack the table."""
    try:
        with server.connected() as connection:
            if database.exists(connection, database.RECORDS):
                connection.execute(
                    f"INSERT INTO {database.RECORDS}"  # noqa: S608 - our own constant
                    " (name, outcome, started_at, finished_at, bytes, verified_at, detail)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                    [name[:100], outcome, started, now(), size, verified, detail[:1000]],
                )
    except Failure as failure:
        log("not_recorded", level="warning", cause=failure.cause)


def forget_missing(store: Store, server: Server) -> None:
    """Let the records of backups that are no longer on the volume fail, so that their age is not reported."""
    began, there = now(), [each.name for each in store.local.backups()]
    with server.connected() as connection:
        if database.exists(connection, database.RECORDS):
            connection.execute(
                f"UPDATE {database.RECORDS} SET outcome = 'failed', detail = 'no longer on the volume'"  # noqa: S608 - our own constant
                " WHERE outcome = 'ok' AND finished_at < %s AND name <> ALL(%s)",
                [began, there],
            )
