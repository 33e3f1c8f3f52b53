"""Archive the database's log all the time, make a verified backup every day at BACKUP_AT (UTC), and catch up on a
missed one; copy to the other repository every minute.
"""

import contextlib
import datetime as dt
import subprocess
import sys
import time

from . import creation, database, health
from .database import Server
from .report import Failure, log, now, stamp
from .store import Store

TICK_SECONDS = 5
RECEIVE_SECONDS = 15  # between attempts while the database is away
SHIP_SECONDS = 60
RETRY_SECONDS = 15 * 60  # after a daily run that failed


def is_due(at: dt.time, moment: dt.datetime, *, last: dt.datetime | None) -> bool:
    """Return whether there is no backup since the scheduled time."""
    scheduled = dt.datetime.combine(moment.date(), at, tzinfo=dt.UTC)
    if scheduled > moment:
        scheduled -= dt.timedelta(days=1)
    return last is None or last < scheduled


class Scheduler:
    """Every few seconds, start what is due, each in a process of its own."""

    def __init__(self, store: Store, server: Server) -> None:
        self._store = store
        self._server = server
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._next: dict[str, float] = {}
        self._seen: int | None = 0
        self._failed = store.root / health.FAILED

    def run(self) -> None:
        """Run until the container stops, which also ends what is running; the next start removes what that left."""
        log("scheduled", at=self._store.settings.at.strftime("%H:%M"))
        while True:
            self._tick()
            time.sleep(TICK_SECONDS)

    def _tick(self) -> None:
        self._start("receive", every=RECEIVE_SECONDS)
        if "remote" in self._store.places:
            self._start("ship", every=SHIP_SECONDS)
        daily = self._running.get("daily")
        if daily and daily.poll() is not None:
            self._finish(self._running.pop("daily").returncode)
        elif not daily and self._is_due():
            self._start("daily", every=0)
        with contextlib.suppress(OSError):  # the health check fails then
            (self._store.root / health.BEAT).touch()

    def _start(self, name: str, *, every: float) -> None:
        process = self._running.get(name)
        if (process and process.poll() is None) or time.monotonic() < self._next.get(name, 0):
            return
        self._next[name] = time.monotonic() + every
        command = (sys.executable, "-m", "backup", name)
        self._running[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def _finish(self, status: int) -> None:
        log("daily_run_ended", outcome="failed" if status else "ok")
        self._next["daily"] = time.monotonic() + (RETRY_SECONDS if status else 0)
        with contextlib.suppress(OSError):
            self._failed.write_text(stamp(now())) if status else self._failed.unlink(missing_ok=True)

    def _is_due(self) -> bool:
        try:
            with self._server.connected() as connection:
                if database.is_migrating(connection):  # whose locks pg_dump would wait for, and the reverse
                    return False
                self._notice_missing(connection)
                last = database.value(connection, "SELECT max(started_at) FROM ops_backuprun WHERE outcome = 'ok'")
        except Failure:  # the database is away, or before the first migration; `receive` logs the cause
            return False
        return self._failed.exists() or is_due(self._store.settings.at, now(), last=last)

    def _notice_missing(self, connection: database.Connection) -> None:
        """Compare the records with the volume whenever its folder of snapshots has changed."""
        folder = self._store.root / "repository" / "snapshots"
        seen = folder.stat().st_mtime_ns if folder.is_dir() else None
        if seen != self._seen:
            creation.forget_missing(self._store, connection)
        self._seen = seen
