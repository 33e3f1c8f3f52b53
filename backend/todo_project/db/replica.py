"""Lists from a streaming replica, where it surely gives what the primary would.

A replica is a little behind. It is asked only when two things are known: it has replayed all that the primary had
a moment ago, and this person has changed none of the rows in question for much longer than that. The second is one
look into an index of the primary. What cannot be known, or fails, is asked of the primary (docs/adr/0011).
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
    """Knows how far behind the replica is at most, by positions in the log and no other clock than ours.

    `position` gives where the primary's log ends now, `has_replayed` whether the replica has got that far. A
    replica that is cut off stops getting further, whatever it believes of itself.
    """

    def __init__(
        self,
        *,
        position: Callable[[], Any],
        has_replayed: Callable[[Any], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start knowing nothing."""
        self._position = position
        self._has_replayed = has_replayed
        self._clock = clock
        self._complete_until = self._ask_at = self._paused_until = float("-inf")
        self._awaited: tuple[float, Any] | None = None

    def is_fresh(self) -> bool:
        """Tell whether the replica has all that the primary had MAX_LAG_SECONDS ago; asks once a second."""
        now = self._clock()
        if now < self._paused_until:
            return False
        if now >= self._ask_at:
            self._ask_at = now + _ASK_EVERY_SECONDS
            self._ask(now)
        return now - self._complete_until < MAX_LAG_SECONDS

    def pause(self) -> None:
        """Leave the replica alone for a while, after which it has to prove itself again."""
        self._paused_until = self._clock() + _PAUSE_SECONDS
        self._complete_until, self._awaited = float("-inf"), None

    def _ask(self, now: float) -> None:
        # a position is kept until it has been reached: on a busy primary the newest one hardly ever is
        awaited = self._awaited or (now, self._position())
        if self._has_replayed(awaited[1]):
            self._complete_until, self._awaited = awaited[0], None
        else:
            self._awaited = awaited


def _position() -> Any:
    return _value(DEFAULT_DB_ALIAS, "SELECT pg_current_wal_flush_lsn()::text", [])


def _has_replayed(position: Any) -> bool:
    # null on a server that is no replica
    return _value(ALIAS, "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position]) is True


def _value(alias: str, statement: str, parameters: list[Any]) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0]


freshness = Freshness(position=_position, has_replayed=_has_replayed)


def is_there() -> bool:
    """Tell whether this installation has a replica."""
    return ALIAS in connections.settings


def read(run: Callable[[str], _T], *, has_changed_since: Callable[[dt.datetime], bool]) -> _T:
    """Run a read on the replica if it gives what the primary would, else on the primary.

    `run` gets the name of the database; `has_changed_since` asks the primary whether any row that the read may
    show has changed since a moment, for longer ago than which every transaction is over and replayed.
    """
    if is_there() and not has_changed_since(timezone.now() - dt.timedelta(seconds=settings.REPLICA_QUIET_SECONDS)):
        try:
            if freshness.is_fresh():
                return run(ALIAS)
        except Error as error:
            freshness.pause()
            logger.warning("replica_failed: asking the primary for %s s: %s", _PAUSE_SECONDS, error)
    return run(DEFAULT_DB_ALIAS)
