"""The time that each request spends in the database, and a log line for each slow statement.

db.postgresql calls this for every statement, so it must be cheap.
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
    """The database time of this thread's current request."""

    request: HttpRequest | None = None
    seconds = 0.0


tally = Tally()


def begin(request: HttpRequest) -> None:
    """Start the tally of a request."""
    tally.request, tally.seconds = request, 0.0


def end() -> None:
    """Record the tally of the request."""
    tally.request = None
    if tally.seconds:
        metrics.DATABASE_SECONDS.observe(tally.seconds)


class StatementObserver:
    """Adds up the statements and logs the slow ones."""

    def statement(self, sql: str, seconds: float) -> None:
        """Add the time of one statement; log it, without its values, if it took SLOW_QUERY_MS or more."""
        tally.seconds += seconds
        threshold = settings.SLOW_QUERY_MS
        if threshold and seconds * 1000 >= threshold:
            facts = {"statement": sql[:MAX_TEXT], "duration_ms": round(seconds * 1000, 1), "route": _route()}
            logger.warning("database.slow_statement", extra=facts)

    def connected(self, seconds: float) -> None:
        """Record the time to open a connection, or to get one from the pool."""
        metrics.CONNECT_SECONDS.observe(seconds)


def _route() -> str | None:
    return metrics.route_of(tally.request) if tally.request is not None else None
