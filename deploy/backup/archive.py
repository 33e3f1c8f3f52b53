"""The archive for restores to any moment: a copy of the server's files each day, and its log in between.

pg_receivewal streams the write-ahead log to the volume through a replication slot, a second or less behind the
database. A stream without a gap is a line: it ends when the server's files or the slot are new. The daily copy goes
into the repository, together with the log since the copy before, which then leaves the volume.
"""

import contextlib
import datetime
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace

from .database import MAINTENANCE, Server, private, value
from .report import Failure, log, now, stamp
from .repository import Snapshot
from .store import Store

SLOT = "todo_backup"
_SYSTEM = "SELECT system_identifier FROM pg_control_system()"
_OVER = "recovery ended before configured recovery target was reached"


def receive(store: Store, server: Server) -> None:
    """Become pg_receivewal; it ends when the database does."""
    streaming = _streaming(server)
    folder = store.root / "wal" / _line(store, streaming)
    folder.mkdir(parents=True, exist_ok=True)
    log("archiving", line=folder.name)
    command = ("pg_receivewal", "-D", str(folder), "--slot", SLOT, "--synchronous", "--no-loop", "--no-password")
    os.execvpe(command[0], command, streaming.environment)  # noqa: S606 - the scheduler watches it


def _streaming(server: Server) -> Server:
    """Return the server, used as its superuser, who may copy its files and stream its log without a password."""
    if not server.host.startswith("/"):
        hint = "its container is from an older release, create it anew: make up ENV=…"
        raise Failure("the log of the database is not archived: it shares no socket", hint)
    with server.connected(MAINTENANCE) as connection:
        return replace(server, user=value(connection, "SELECT rolname FROM pg_roles WHERE oid = 10"))


def _line(store: Store, server: Server) -> str:
    """Return the line that goes on, or begin one if part of the log may be missing."""
    line = current(store, server)
    with server.connected(MAINTENANCE) as connection:
        slot = value(connection, "SELECT wal_status FROM pg_replication_slots WHERE slot_name = %s", [SLOT])
        if slot and slot != "lost" and line:
            return line
        if slot:
            connection.execute("SELECT pg_drop_replication_slot(%s)", [SLOT])
        connection.execute("SELECT pg_create_physical_replication_slot(%s, true)", [SLOT])
        return f"{value(connection, _SYSTEM)}.{now():%Y%m%dT%H%M%SZ}"


def current(store: Store, server: Server) -> str | None:
    """Return the newest line of this server, or None while nothing is archived."""
    with server.connected(MAINTENANCE) as connection:
        system = value(connection, _SYSTEM)
    return max((path.name for path in (store.root / "wal").glob(f"{system}.*")), default=None)


def copy_server(store: Store, server: Server) -> None:
    """Copy the server's files and the log before them into the repository."""
    streaming = _streaming(server)
    line = _line(store, streaming)
    wal = store.root / "wal" / line
    with store.temporary("server-files") as folder:
        base = folder / "base"
        words = ("--checkpoint=fast", "--wal-method=none", "--no-sync", "--no-password")
        streaming.run("pg_basebackup", "-D", str(base), *words)
        (first,) = re.findall(r"\(file ([0-9A-F]{24})\)", (base / "backup_label").read_text(encoding="utf-8"))
        tags = ["base", f"line={line}", f"at={stamp(now() + datetime.timedelta(seconds=1))}"]
        store.local.backup((base, wal), tags, host=store.settings.project)
    server.run("pg_archivecleanup", str(wal), first)


def remove_lines(store: Store, server: Server) -> None:
    """Remove the log of lines that have ended and of which no copy of the server's files is left."""
    needed = {current(store, server), *(each.tags.get("line") for each in store.local.snapshots())}
    for path in (store.root / "wal").iterdir():
        if path.name not in needed:
            shutil.rmtree(path)


@contextlib.contextmanager
def recovered(store: Store, server: Server, moment: datetime.datetime | None) -> Iterator[Server]:
    """Yield a private server with the data of a moment; without one, of the end of a lost server's archive."""
    base, following = _choose(store, server, moment)
    wal = [store.root / "wal" / base.tags["line"]]
    with store.temporary("recovery") as folder:
        data = folder / "data"
        base.restore(base.data, data)
        data.chmod(0o700)
        if following:
            following.restore(following.other, folder / "wal")
            wal.insert(0, folder / "wal")
        sources = " || ".join(f'cp "{path}/%f{end}" "%p"' for path in wal for end in ("", ".partial"))
        to_the_end = f"fsync = off\nhot_standby = off\nrestore_command = '{sources}'\n"
        (data / "recovery.signal").touch()
        settings = data / "postgresql.auto.conf"
        to_the_moment = f"recovery_target_time = '{moment}'\nrecovery_target_action = promote\n" if moment else ""
        # it recovers, then reads the end of its input and stops
        recover = ("postgres", "--single", "-D", str(data), server.name)
        try:
            settings.write_text(to_the_end + to_the_moment)
            server.run(*recover)
        except Failure as failure:
            if _OVER not in failure.cause:
                raise
            # nothing was written between the end of the log and that moment
            settings.write_text(to_the_end)
            server.run(*recover)
        with private(folder) as recovering:
            yield recovering


def _choose(store: Store, server: Server, moment: datetime.datetime | None) -> tuple[Snapshot, Snapshot | None]:
    """Return the last copy before a moment, and the snapshot with the log after it."""
    here = current(store, server)
    for place in store.places.values():
        snapshots = place.snapshots()
        bases = [each for each in snapshots if "base" in each.tags]
        lost = [each for each in bases if each.tags["line"] != here]
        usable = [each for each in bases if each.tags["at"] <= stamp(moment)] if moment else (lost or bases)
        if usable:
            line = [each for each in snapshots if each.tags.get("line") == usable[-1].tags["line"]]
            return usable[-1], next(iter(line[line.index(usable[-1]) + 1 :]), None)
    raise Failure(
        f"the archive does not reach back to {moment}" if moment else "there is no archive",
        "restore a backup instead: deploy/backup/backup ENV --list",
    )


def parse_moment(text: str) -> datetime.datetime | None:
    """Return the moment that an operator typed; None for `latest`."""
    if text == "latest":
        return None
    with contextlib.suppress(ValueError):
        moment = datetime.datetime.fromisoformat(text)
        if moment.tzinfo:
            return moment
    cause = f"{text!r} is not a moment with its offset from UTC"
    raise Failure(cause, "write it like '2026-11-29 09:12:00+01', or latest")
