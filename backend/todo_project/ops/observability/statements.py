"""What the database costs each request: its statements' time, and the slow ones by name.

db.postgresql tells of each statement. Nothing here may cost much: it runs on every one of them.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from django.conf import settings

from todo_project.ops.observability import metrics

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger("database")

MAX_TEXT = 2000


class Tally(threading.local):
    """What this thread's current request has asked of the database."""

    request: HttpRequest | None = None
    seconds = 0.0


tally = Tally()


def begin(request: HttpRequest) -> None:
    """Start counting for a request."""
    tally.request, tally.seconds = request, 0.0


def end() -> None:
    """Report what the request has cost."""
    tally.request = None
    if tally.seconds:
        metrics.DATABASE_SECONDS.observe(tally.seconds)


class Observer:
    """Adds up the statements and logs the slow ones."""

    def statement(self, sql: str, seconds: float) -> None:
        """Add one up; from SLOW_QUERY_MS on, log it with placeholders in the place of its values."""
        tally.seconds += seconds
        threshold = settings.SLOW_QUERY_MS
        if threshold and seconds * 1000 >= threshold:
            facts = {"statement": sql[:MAX_TEXT], "duration_ms": round(seconds * 1000, 1), "route": _route()}
            logger.warning("database.slow_statement", extra=facts)

    def connected(self, seconds: float) -> None:
        """Count one connection that was opened, or waited for in the pool."""
        metrics.CONNECT_SECONDS.observe(seconds)


def _route() -> str | None:
    return metrics.route_of(tally.request) if tally.request is not None else None
