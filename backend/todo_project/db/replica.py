"""Reads lists from a streaming replica if it certainly has the same rows as the primary (docs/adr/0011).

A replica lags behind the primary. It is used only if both of these hold: it has replayed everything that the
primary had a few seconds ago, and the account has not changed any of the rows in question for much longer than that
(one index look-up on the primary). If either does not hold or cannot be determined, the primary is read.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.utils import timezone

logger = logging.getLogger(__name__)

ALIAS = "replica"
MAX_LAG_SECONDS = 5
_ASK_EVERY_SECONDS = 1
_PAUSE_SECONDS = 10

_T = TypeVar("_T")


class Freshness:
    """Measures the replica's lag by positions in the write-ahead log and this host's clock only.

    `position` returns where the primary's log ends now; `has_replayed` returns whether the replica has replayed the
    log up to a position. A disconnected replica stops advancing, so it is noticed.
    """

    def __init__(
        self,
        *,
        position: Callable[[], Any],
        has_replayed: Callable[[Any], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._position = position
        self._has_replayed = has_replayed
        self._clock = clock
        self._complete_until = self._ask_at = self._paused_until = float("-inf")
        self._awaited: tuple[float, Any] | None = None

    def is_fresh(self) -> bool:
        """Return whether the replica has everything the primary had MAX_LAG_SECONDS ago; checks once a second."""
        now = self._clock()
        if now < self._paused_until:
            return False
        if now >= self._ask_at:
            self._ask_at = now + _ASK_EVERY_SECONDS
            self._ask(now)
        return now - self._complete_until < MAX_LAG_SECONDS

    def pause(self) -> None:
        """Do not use the replica for _PAUSE_SECONDS; after that it is checked again."""
        self._paused_until = self._clock() + _PAUSE_SECONDS
        self._complete_until, self._awaited = float("-inf"), None

    def _ask(self, now: float) -> None:
        # keep waiting for the same position: on a busy primary the replica hardly ever reaches the newest one
        awaited = self._awaited or (now, self._position())
        if self._has_replayed(awaited[1]):
            self._complete_until, self._awaited = awaited[0], None
        else:
            self._awaited = awaited


def _position() -> Any:
    return _value(DEFAULT_DB_ALIAS, "SELECT pg_current_wal_flush_lsn()::text", [])


def _has_replayed(position: Any) -> bool:
    # null on a server that is not a replica
    return _value(ALIAS, "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position]) is True


def _value(alias: str, statement: str, parameters: list[Any]) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0]


freshness = Freshness(position=_position, has_replayed=_has_replayed)


def is_configured() -> bool:
    """Return whether DATABASE_REPLICA_URL is set."""
    return ALIAS in connections.settings


def run(read: Callable[[str], _T], *, has_changed_since: Callable[[dt.datetime], bool]) -> _T:
    """Run a read on the replica if it has the same rows as the primary, else on the primary.

    `read` takes the alias of the database. `has_changed_since` asks the primary whether any row that the read may
    return has changed since a time; it is called with a time before which every transaction has been replayed.
    """
    if is_configured() and not has_changed_since(
        timezone.now() - dt.timedelta(seconds=settings.REPLICA_QUIET_SECONDS)
    ):
        try:
            if freshness.is_fresh():
                return read(ALIAS)
        except Error as error:
            freshness.pause()
            logger.warning("replica_failed: reading from the primary for %s s: %s", _PAUSE_SECONDS, error)
    return read(DEFAULT_DB_ALIAS)
