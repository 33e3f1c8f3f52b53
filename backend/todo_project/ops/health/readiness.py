"""Checks whether this process is ready to serve. The results are public; the reasons go to the log."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError

from todo_project.ops.health.backups import age_seconds, last_success
from todo_project.ops.startup.database import fresh_connection, pending_migrations
from todo_project.ops.startup.publishing import is_published

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

STATEMENT_TIMEOUT_MS = 2000
KEPT_SECONDS = 1.0


class Report(NamedTuple):
    """The checks decide about readiness; the details never do."""

    checks: dict[str, bool]
    details: dict[str, Any]


class Readiness:
    """Runs the checks at most once a second, because each run opens a connection and anybody may ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last: tuple[float, Report] | None = None
        self._is_migrated = False  # once it is, no release undoes it

    def report(self) -> Report:
        """Return each check's result, and the age of the last backup. Never raises."""
        with self._lock:
            if self._last is None or self._clock() - self._last[0] >= KEPT_SECONDS:
                report = self._look()
                self._last = self._clock(), report
            return self._last[1]

    def _look(self) -> Report:
        details: dict[str, Any] = {}
        checks = {"database": False, "migrations": False, "queue": False, "static": _static_is_ready()}
        try:
            with fresh_connection(statement_timeout_ms=STATEMENT_TIMEOUT_MS) as connection:
                checks["database"] = _answers(connection)
                checks["migrations"] = self._migrations_are_applied(connection)
                checks["queue"] = _queue_is_readable(connection)
                details = _backup_age(connection)
        except DatabaseError as error:
            # expected while a database restarts, and asked every few seconds: no traceback
            logger.warning("ops.not_ready: the database: %s", error)
        except Exception:
            logger.exception("ops.not_ready")  # whatever it is, a probe answers 503 rather than 500
        return Report(checks, details)

    def _migrations_are_applied(self, connection: BaseDatabaseWrapper) -> bool:
        if not self._is_migrated:
            pending = pending_migrations(connection)
            if pending:
                logger.warning("ops.not_ready: pending migrations %s", ", ".join(pending[:10]))
            self._is_migrated = not pending
        return self._is_migrated


def _answers(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _queue_is_readable(connection: BaseDatabaseWrapper) -> bool:
    if not apps.is_installed("procrastinate.contrib.django"):
        return True  # without a queue, each process runs its own jobs
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM procrastinate_jobs LIMIT 1")
    except DatabaseError:
        logger.warning("ops.not_ready: the queue's table cannot be read", exc_info=True)
        return False
    return True


def _backup_age(connection: BaseDatabaseWrapper) -> dict[str, Any]:
    try:
        moment = last_success(connection)
    except DatabaseError:
        return {}  # the table's migration is pending, which its check reports
    age = None if moment is None else round(age_seconds(moment))
    return {"backup_age_seconds": age}


def _static_is_ready() -> bool:
    try:
        ready = is_published(build=settings.STATIC_BUILD_DIR, root=Path(str(settings.STATIC_ROOT)))
    except (OSError, ValueError):
        logger.warning("ops.not_ready: the static files cannot be read", exc_info=True)
        return False
    if not ready:
        logger.warning("ops.not_ready: %s lacks this build's static files", settings.STATIC_ROOT)
    return ready
