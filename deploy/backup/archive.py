"""The archive for restores to any moment: a copy of the server's files each day, and its log in between.

pg_receivewal streams the write-ahead log to the volume through a replication slot, a second or less behind the
database. A stream without a gap is a line: it ends when the server's files or the slot are new. The daily copy goes
into the repository, together with the log since the copy before, which then leaves the volume.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from . import database, scratch
from .database import Server
from .failures import Failure
from .report import UTC, log, now, stamp
from .repository import Snapshot
from .store import Store

SLOT = "todo_backup"
NOT_ARCHIVED = Failure(
    "the log of the database is not archived: it shares no socket",
    "create its container anew, because an older release did: docker compose --env-file envs/….env up -d db backup",
)
_MAINTENANCE = "postgres"
_OVER = "recovery ended before configured recovery target was reached"


def receive(store: Store, server: Server) -> None:
    """Become pg_receivewal; it ends when the database does."""
    if not server.environment["PGHOST"].startswith("/"):  # before there is a slot that nobody reads
        raise NOT_ARCHIVED
    streaming = _streaming(server)
    with streaming.connected(_MAINTENANCE) as connection:
        line = _line(store, connection)
    folder = store.root / "wal" / line
    folder.mkdir(parents=True, exist_ok=True)
    log("archiving", line=line)
    command = ("pg_receivewal", "-D", str(folder), "--slot", SLOT, "--synchronous", "--no-loop", "--no-password")
    os.execvpe(command[0], command, dict(streaming.environment))  # noqa: S606 - the scheduler watches it


def _streaming(server: Server) -> Server:
    """Return the server, used as the role that may copy its files and stream its log."""
    with server.connected(_MAINTENANCE) as connection:
        return server.as_role(database.replicator(connection))


def _lines(store: Store, connection: database.Connection) -> tuple[str, list[str]]:
    """Return the server's identifier, and the lines of its log on the volume, oldest first."""
    found = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    system = str(found[0]) if found else ""
    return system, sorted(path.name for path in (store.root / "wal").glob(f"{system}.*"))


def _line(store: Store, connection: database.Connection) -> str:
    """Return the line that goes on, or begin one if part of the log may be missing."""
    system, lines = _lines(store, connection)
    slot = connection.execute("SELECT wal_status FROM pg_replication_slots WHERE slot_name = %s", [SLOT]).fetchone()
    if slot and slot[0] != "lost" and lines:
        return lines[-1]
    if slot:
        connection.execute("SELECT pg_drop_replication_slot(%s)", [SLOT])
    connection.execute("SELECT pg_create_physical_replication_slot(%s, true)", [SLOT])
    return f"{system}.{now():%Y%m%dT%H%M%SZ}"


def current(store: Store, server: Server) -> str | None:
    """Return the newest line of this server, or None while nothing is archived."""
    with server.connected(_MAINTENANCE) as connection:
        _, lines = _lines(store, connection)
    return lines[-1] if lines else None


def copy_server(store: Store, server: Server) -> None:
    """Copy the server's files and the log before them into the repository."""
    line = current(store, server)
    if line is None:
        raise NOT_ARCHIVED
    wal = store.root / "wal" / line
    with store.temporary("server-files") as folder:
        base = folder / "base"
        words = ("--checkpoint=fast", "--wal-method=none", "--no-sync", "--no-password")
        _streaming(server).run("pg_basebackup", "-D", str(base), *words)
        first = _first_segment(base)
        tags = ["base", f"line={line}", f"at={stamp(now() + datetime.timedelta(seconds=1))}"]
        store.local.backup((base, wal), tags, host=store.settings.environment)
    server.run("pg_archivecleanup", str(wal), first)


def remove_lines(store: Store, server: Server) -> None:
    """Remove the log of lines that have ended and of which no copy of the server's files is left."""
    needed = {current(store, server), *(each.tags.get("line") for each in store.local.snapshots())}
    for path in (store.root / "wal").iterdir():
        if path.name not in needed:
            shutil.rmtree(path)


def _first_segment(base: Path) -> str:
    label = (base / "backup_label").read_text(encoding="utf-8")
    found = re.search(r"\(file ([0-9A-F]{24})\)", label)
    if found is None:
        raise Failure("pg_basebackup wrote no backup_label", "see its documentation")
    return found[1]


@contextlib.contextmanager
def recovered(store: Store, server: Server, moment: datetime.datetime | None) -> Iterator[Server]:
    """Yield a private server with the data of a moment; without one, of the end of a lost server's archive."""
    base, following = _choose(store, server, moment)
    line, wal = base.tags["line"], []
    with store.temporary("recovery") as folder:
        scratch.need_room(folder, base.bytes)
        base.restore(base.data, folder / "data")
        (folder / "data").chmod(0o700)
        if following:
            following.restore(following.other, folder / "wal")
            wal.append(folder / "wal")
        wal.append(store.root / "wal" / line)
        sources = [f'cp "{path}/%f{end}" "%p"' for path in wal for end in ("", ".partial")]
        settings = {"restore_command": " || ".join(sources), "recovery_target_action": "promote"}
        _configure(folder / "data", {**settings, **({"recovery_target_time": str(moment)} if moment else {})})
        with contextlib.ExitStack() as stack:
            yield _start(stack, folder, settings, moment)


def _start(
    stack: contextlib.ExitStack, folder: Path, settings: dict[str, str], moment: datetime.datetime | None
) -> Server:
    try:
        return stack.enter_context(scratch.running(folder))
    except Failure:
        if moment is None or _OVER not in (folder / "log").read_text(errors="replace"):
            raise
    # nothing was written between the end of the log and that moment
    _configure(folder / "data", settings)
    return stack.enter_context(scratch.running(folder))


def _configure(data: Path, settings: dict[str, str]) -> None:
    (data / "recovery.signal").touch()
    lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
    (data / "postgresql.auto.conf").write_text("".join(lines))


def _choose(store: Store, server: Server, moment: datetime.datetime | None) -> tuple[Snapshot, Snapshot | None]:
    """Return the last copy before a moment, and the snapshot with the log after it."""
    here = current(store, server)
    for place in filter(None, (store.local, store.remote)):
        snapshots = place.snapshots()
        bases = [each for each in snapshots if "base" in each.tags]
        lost = [each for each in bases if each.tags["line"] != here]
        usable = [each for each in bases if moment and _at(each) <= moment] if moment else (lost or bases)
        if usable:
            later = snapshots[snapshots.index(usable[-1]) + 1 :]
            logs = [each for each in later if each.tags.get("line") == usable[-1].tags["line"]]
            return usable[-1], next(iter(logs), None)
    raise Failure(
        f"the archive does not reach back to {moment}" if moment else "there is no archive",
        "restore a backup instead: deploy/backup/backup ENV --list",
    )


def _at(base: Snapshot) -> datetime.datetime:
    return datetime.datetime.strptime(base.tags["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def parse_moment(text: str) -> datetime.datetime | None:
    """Return the moment that an operator typed; None for `latest`."""
    if text == "latest":
        return None
    try:
        moment: datetime.datetime | None = datetime.datetime.fromisoformat(
            re.sub(r"([+-]\d\d)$", r"\1:00", text.replace("Z", "+00:00"))
        )
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Failure(
            f"{text!r} is not a moment with its offset from UTC",
            "write it like '2026-11-29 09:12:00+01', or latest",
        )
    return moment
