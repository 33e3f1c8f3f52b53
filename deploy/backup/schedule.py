"""Archive the database's log all the time, make a verified backup every day at BACKUP_AT (UTC), and catch up on a
missed one; copy to the other repository every minute.
"""

import contextlib
import datetime as dt
import signal
import subprocess
import sys
import threading
import time

from . import creation, database, health
from .database import RECORDS, Server
from .failures import Failure
from .report import UTC, log, now, stamp
from .store import Store

TICK_SECONDS = 5
RECEIVE_SECONDS = 15  # between attempts while the database is away
SHIP_SECONDS = 60
RETRY = dt.timedelta(minutes=15)


def is_due(at: dt.time, moment: dt.datetime, *, last: dt.datetime | None, failed: dt.datetime | None) -> bool:
    """Return whether a backup is due: none since the scheduled time, or what failed is to be tried again."""
    if failed is not None:
        return moment - failed >= RETRY
    scheduled = dt.datetime.combine(moment.date(), at, tzinfo=UTC)
    if scheduled > moment:
        scheduled -= dt.timedelta(days=1)
    return last is None or last < scheduled


class Scheduler:
    """Every few seconds, start what is due, each in a process of its own."""

    def __init__(self, store: Store, server: Server) -> None:
        self._store = store
        self._server = server
        self._stopped = threading.Event()
        self._failed: dt.datetime | None = None
        self._waiting = ""
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._next: dict[str, float] = {}
        self._seen: int | None = 0

    def run(self) -> None:
        """Run until SIGTERM, which also cancels what is running; that leaves nothing behind."""
        signal.signal(signal.SIGTERM, lambda *_: self._stopped.set())
        log("scheduled", at=self._store.settings.at.strftime("%H:%M"))
        while not self._stopped.is_set():
            self._tick()
            self._stopped.wait(TICK_SECONDS)
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait()
        log("stopped")

    def _tick(self) -> None:
        self._start("receive", every=RECEIVE_SECONDS)
        if "remote" in self._store.places:
            self._start("ship", every=SHIP_SECONDS)
        daily = self._running.get("daily")
        if daily and daily.poll() is not None:
            del self._running["daily"]
            self._finish(daily.returncode)
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
        self._failed = now() if status else None
        log("daily_run_ended", outcome="failed" if status else "ok")
        mark = self._store.root / health.FAILED
        with contextlib.suppress(OSError):
            mark.write_text(stamp(now()), encoding="utf-8") if status else mark.unlink(missing_ok=True)

    def _is_due(self) -> bool:
        try:
            with self._server.connected() as connection:
                if not database.exists(connection, RECORDS):
                    raise Failure("the backend's first migration", "wait for it")
                if database.is_migrating(connection):  # whose locks pg_dump would wait for, and the reverse
                    raise Failure("a migration", "wait for it")
                self._notice_missing(connection)
                last = database.value(connection, "SELECT max(started_at) FROM ops_backuprun WHERE outcome = 'ok'")
        except Failure as failure:
            self._log_waiting(failure.cause)
            return False
        self._waiting = ""
        return is_due(self._store.settings.at, now(), last=last, failed=self._failed)

    def _notice_missing(self, connection: database.Connection) -> None:
        """Compare the records with the volume whenever its folder of snapshots has changed."""
        folder = self._store.root / "repository" / "snapshots"
        seen = folder.stat().st_mtime_ns if folder.is_dir() else None
        if seen != self._seen:
            creation.forget_missing(self._store, connection)
        self._seen = seen

    def _log_waiting(self, what: str) -> None:
        if what != self._waiting:
            log("waiting", level="warning", cause=what)
        self._waiting = what
