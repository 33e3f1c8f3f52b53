"""Archive the database's log all the time, make a verified backup every day at BACKUP_AT (UTC), and catch up on a
missed one; copy to the other repository every minute.
"""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from . import creation, database, health
from .environment import Settings, database_environment
from .failures import Failure
from .report import UTC, log, now, stamp
from .store import Store

TICK_SECONDS = 5
RECEIVE_SECONDS = 15  # between attempts while the database is away
SHIP_SECONDS = 60
RETRY = datetime.timedelta(minutes=15)


def due_since(at: datetime.time, moment: datetime.datetime) -> datetime.datetime:
    """Return the last scheduled time at or before a moment."""
    today = datetime.datetime.combine(moment.date(), at, tzinfo=UTC)
    return today if today <= moment else today - datetime.timedelta(days=1)


def is_due(
    at: datetime.time,
    moment: datetime.datetime,
    *,
    last: datetime.datetime | None,
    failed: datetime.datetime | None = None,
) -> bool:
    """Return whether a backup is due: none since the scheduled time, or what failed is to be tried again."""
    if failed is not None:
        return moment - failed >= RETRY
    return last is None or last < due_since(at, moment)


class Scheduler:
    """Every few seconds, start what is due, each in a process of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server = database.Server(database_environment())
        self._stopped = threading.Event()
        self._failed: datetime.datetime | None = None
        self._waiting = ""
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}
        self._seen: object = None
        self._state: dict[str, Any] = {**health.read(settings.root), "beat": 0.0}

    def run(self) -> None:
        """Run until SIGTERM, which also cancels what is running; that leaves nothing behind."""
        signal.signal(signal.SIGTERM, lambda *_: self._stopped.set())
        log("scheduled", at=self._settings.at.strftime("%H:%M"))
        while not self._stopped.is_set():
            self._beat()
            self._tick()
            self._stopped.wait(TICK_SECONDS)
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait()
        log("stopped")

    def _tick(self) -> None:
        done = self._finished("daily")
        if done is not None:
            self._failed = None if done == 0 else now()
            self._state |= {"outcome": "ok" if done == 0 else "failed", "finished_at": stamp(now())}
        self._start("receive", every=RECEIVE_SECONDS)
        if self._settings.remote:
            self._start("ship", every=SHIP_SECONDS)
        if "daily" not in self._running and self._is_due():
            self._start("daily", every=0)

    def _start(self, name: str, *, every: float) -> None:
        self._finished(name)
        if name in self._running or time.monotonic() - self._started.get(name, -every) < every:
            return
        self._started[name] = time.monotonic()
        self._running[name] = subprocess.Popen(
            [sys.executable, "-m", "backup", name], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )

    def _finished(self, name: str) -> int | None:
        process = self._running.get(name)
        if process is None or process.poll() is None:
            return None
        return self._running.pop(name).returncode

    def _is_due(self) -> bool:
        if self._failed is not None and now() - self._failed < RETRY:
            return False
        try:
            with self._server.connected() as connection:
                if not database.exists(connection, database.RECORDS):
                    self._log_waiting("the backend's first migration")
                    return False
                if database.is_migrating(connection):  # whose locks pg_dump would wait for, and the reverse
                    self._log_waiting("a migration")
                    return False
                self._notice_missing()
                found = connection.execute(
                    f"SELECT max(started_at) FROM {database.RECORDS} WHERE outcome = 'ok'"  # noqa: S608 - our own constant
                ).fetchone()
        except Failure as failure:
            self._log_waiting(failure.cause)
            return False
        self._waiting = ""
        return is_due(self._settings.at, now(), last=found[0] if found else None, failed=self._failed)

    def _notice_missing(self) -> None:
        """Compare the records with the volume whenever its list of snapshots is another one."""
        folder = self._settings.root / "repository" / "snapshots"
        seen = sorted(os.listdir(folder)) if folder.is_dir() else []
        if seen != self._seen:
            creation.forget_missing(Store(self._settings), self._server)
        self._seen = seen

    def _log_waiting(self, what: str) -> None:
        if what != self._waiting:
            log("waiting", level="warning", cause=what)
        self._waiting = what

    def _beat(self) -> None:
        self._state["beat"] = time.time()
        draft = self._settings.root / f"{health.STATE}.tmp"
        try:
            draft.write_text(json.dumps(self._state), encoding="utf-8")
            os.replace(draft, self._settings.root / health.STATE)
        except OSError as error:
            self._log_waiting(f"the state cannot be written: {error}")  # the health check fails then
