"""Make and verify a backup every day at BACKUP_AT (UTC); catch up on a missed one."""

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

from . import database, health
from .environment import Settings, database_environment
from .failures import Failure
from .report import UTC, log, now, stamp

TICK_SECONDS = 10
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
    """Return whether a backup is due: none since the scheduled time, and no attempt failed just now."""
    if failed is not None and moment - failed < RETRY:
        return False
    return last is None or last < due_since(at, moment)


class Scheduler:
    """Check every few seconds whether a backup is due, and make it in a separate process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server = database.Server(database_environment())
        self._stopped = threading.Event()
        self._failed: datetime.datetime | None = None
        self._waiting = ""
        self._state: dict[str, Any] = {**health.read(settings.root), "beat": 0.0}

    def run(self) -> None:
        """Run until SIGTERM, which also cancels a running backup; that leaves nothing behind."""
        signal.signal(signal.SIGTERM, lambda *_: self._stopped.set())
        log("scheduled", at=self._settings.at.strftime("%H:%M"), next=stamp(self._next()))
        while not self._stopped.is_set():
            self._beat()
            if self._is_due():
                self._run_backup()
            self._stopped.wait(TICK_SECONDS)
        log("stopped")

    def _next(self) -> datetime.datetime:
        return due_since(self._settings.at, now()) + datetime.timedelta(days=1)

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
                found = connection.execute(
                    f"SELECT max(started_at) FROM {database.RECORDS} WHERE outcome = 'ok'"  # noqa: S608 - our own constant
                ).fetchone()
        except Failure as failure:
            self._log_waiting(failure.cause)
            return False
        self._waiting = ""
        return is_due(self._settings.at, now(), last=found[0] if found else None, failed=self._failed)

    def _log_waiting(self, what: str) -> None:
        if what != self._waiting:
            log("waiting", level="warning", cause=what)
        self._waiting = what

    def _run_backup(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "backup", "backup", "--verify"],
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        while process.poll() is None:
            self._beat()
            if self._stopped.wait(1):
                process.terminate()
        succeeded = process.returncode == 0
        self._failed = None if succeeded else now()
        if not self._stopped.is_set():
            self._state |= {"outcome": "ok" if succeeded else "failed", "finished_at": stamp(now())}
            self._beat()

    def _beat(self) -> None:
        self._state["beat"] = time.time()
        draft = self._settings.root / f"{health.STATE}.tmp"
        try:
            draft.write_text(json.dumps(self._state), encoding="utf-8")
            os.replace(draft, self._settings.root / health.STATE)
        except OSError as error:
            self._log_waiting(f"the state cannot be written: {error}")  # the health check fails then
