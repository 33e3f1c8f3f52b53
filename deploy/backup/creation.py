"""Make a backup: dump a snapshot of the database, then store the dump and the media together.

Also what follows a daily backup, and copying to the repository elsewhere.
"""

import json
import os
from typing import Any

from . import archive, database, manifest, verification
from .database import Server
from .environment import Settings
from .report import Failure, log, now, stamp
from .repository import DAMAGED, Repository
from .store import Store

_PARTS = 7  # the days in which all of the repository is read
_RECORD = (
    "INSERT INTO ops_backuprun (name, outcome, started_at, finished_at, bytes, verified_at, detail)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
_MISSING = (
    "UPDATE ops_backuprun SET outcome = 'failed', detail = 'no longer on the volume'"
    " WHERE outcome = 'ok' AND finished_at < %s AND name <> ALL(%s)"
)


def create(store: Store, server: Server, *, label: str | None, verify: bool) -> dict[str, Any]:
    """Make a backup and return a summary of it. Record the run in the database, failed or not."""
    started = now()
    try:
        result = make(store, server, label=label, verify=verify)
    except (OSError, Failure) as error:
        _record(server, "", "failed", started, now(), 0, None, str(error)[:1000])
        raise
    _record(server, result["name"][:100], "ok", started, now(), result["bytes"], result["verified_at"], "")
    return result


def make(store: Store, server: Server, *, label: str | None, verify: bool, also: str = "") -> dict[str, Any]:
    """Store a backup of a server, which may be a private one, and verify it if that is asked for.

    `also` names a backup that has more of the media.
    """
    started, settings = now(), store.settings
    name = manifest.new_name(started, label)
    made = {
        "name": name,
        "also": also,
        "created_at": stamp(started),
        "environment": settings.project,
        "version": os.environ.get("APP_VERSION"),
        "revision": os.environ.get("APP_REVISION"),
    }
    with store.temporary("backup") as folder:
        new = folder / "new"
        new.mkdir()
        made |= database.dump(server, new / manifest.DUMP)
        (new / manifest.FILE).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
        # after the database: a file uploaded meanwhile is then an extra one, and none is missing
        kept, notes = store.local.backup((new, settings.media), [name], host=settings.project)
    proof = verification.verify(store, kept) if verify else {"verified_at": None, "proved": []}
    result = {
        "name": name,
        "created_at": made["created_at"],
        "bytes": kept.bytes,
        "added_bytes": kept.added,
        "media_files": kept.media_files,
        "notes": notes,
        **proof,
    }
    log("created", **result)
    return result


def _record(server: Server, *values: Any) -> None:
    """Record the run in the database, for the backend's metrics. An old release may lack the table."""
    try:
        with server.connected() as connection:
            connection.execute(_RECORD, values)
    except Failure as failure:
        log("not_recorded", level="warning", cause=failure.cause)


def forget_missing(store: Store, connection: database.Connection) -> None:
    """Let the records of backups that are no longer on the volume fail, so that their age is not reported."""
    began, there = now(), [each.name for each in store.local.backups()]
    connection.execute(_MISSING, [began, there])


def after_backup(store: Store, server: Server) -> None:
    """Read a part of the repository, copy the server's files, and remove what is past its retention."""
    part = f"--read-data-subset={now().toordinal() % _PARTS + 1}/{_PARTS}"
    store.local.run("check", "--no-lock", part, hint=DAMAGED)
    archive.copy_server(store, server)
    _forget(store.local, store.settings)
    archive.remove_lines(store, server)


def _forget(place: Repository, keep: Settings) -> None:
    forget = ("forget", "--retry-lock", "5m", "--group-by", "", "--keep-within")
    days = (f"--keep-daily={keep.keep_daily}", f"--keep-weekly={keep.keep_weekly}")
    # the lock of a killed restic would stop this for half an hour; a copy that loses its own begins again at once
    place.run("unlock", "--remove-all")
    place.run(*forget, "24h", *days, f"--keep-monthly={keep.keep_monthly}", "--path", str(keep.media))
    place.run(*forget, f"{keep.keep_daily + 1}d", "--keep-last", "2", "--tag", "base")
    place.run("prune", "--retry-lock", "5m")


def ship(store: Store, server: Server) -> None:
    """Copy to the other repository what it lacks: backups, copies of the server's files, and the log."""
    remote = store.places["remote"]
    there = [each.tags for each in remote.snapshots()]
    missing = [each for each in store.local.snapshots() if each.tags not in there]
    if missing:
        store.local.copy_to(remote, *(each.id for each in missing))
    line = archive.current(store, server)
    if line is not None:
        wal = store.root / "wal" / line
        remote.backup([wal], ["wal", f"line={line}"], host=store.settings.project)
        remote.run("forget", "--group-by", "", "--tag", "wal", "--keep-last", "1")
    if any("base" in each.tags for each in missing):
        _forget(remote, store.settings)
    log("copied", snapshots=len(missing))
