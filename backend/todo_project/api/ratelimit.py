"""Limits that hold across workers and replicas: one row per bucket in the database, counted in one statement.

A window is a whole multiple of its length since the epoch, so every process agrees on it without talking. A host
whose clock is a little behind counts in the window that the others have begun.
"""

from __future__ import annotations

import threading
import time

from django.db import connection

_STATEMENT = """
INSERT INTO common_ratecounter (bucket, window_end, spent) VALUES (%s, %s, %s)
ON CONFLICT (bucket) DO UPDATE SET
  spent = CASE WHEN common_ratecounter.window_end < excluded.window_end THEN excluded.spent
               WHEN common_ratecounter.spent > 1000000000 THEN common_ratecounter.spent
               ELSE common_ratecounter.spent + excluded.spent END,
  window_end = CASE WHEN common_ratecounter.window_end < excluded.window_end
                    THEN excluded.window_end ELSE common_ratecounter.window_end END
RETURNING spent
"""
# The share of a limit that a process takes at once: small enough that few requests are refused early when many
# processes hold a lease, large enough that hot clients cost one statement in many requests.
_LEASE_SHARE = 50
# The share of a limit that a process gives before it asks, and for how many processes that is kept back.
_UNCOUNTED_SHARE = 1000
_UNCOUNTED_PROCESSES = 10

# bucket -> (end of its window, what is left of the lease, what the window had left beside it when it was asked);
# a lease of less than nothing: the window has no more to give
_leases: dict[str, tuple[int, int, int]] = {}
_MOST_LEASES = 10_000
_leases_lock = threading.Lock()


def spend(*, bucket: str, amount: int, seconds: int) -> int:
    """Count `amount` against a bucket and give what its window of `seconds` has spent, this included."""
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, [bucket, _window_end(seconds), amount])
        row: tuple[int] = cursor.fetchone()
    return row[0]


def spent(*, bucket: str, seconds: int) -> int:
    """Give what the bucket's current window of `seconds` has spent, without counting."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT spent FROM common_ratecounter WHERE bucket = %s AND window_end >= %s",
            [bucket, _window_end(seconds)],
        )
        row: tuple[int] | None = cursor.fetchone()
    return row[0] if row else 0


def forget(*, bucket: str) -> None:
    """Empty a bucket, as a success does to an account's failures."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM common_ratecounter WHERE bucket = %s", [bucket])


def give_back(*, bucket: str, seconds: int) -> None:
    """Take one off what the current window has spent, when it turns out that it did not count."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE common_ratecounter SET spent = spent - 1 WHERE bucket = %s AND window_end >= %s AND spent > 0",
            [bucket, _window_end(seconds)],
        )


def seconds_left(seconds: int) -> int:
    """Give the seconds until the current window of this length ends, at least 1."""
    return _window_end(seconds) - int(time.time())


def _window_end(seconds: int) -> int:
    return (int(time.time()) // seconds + 1) * seconds


def take_leased(*, bucket: str, limit: int, seconds: int) -> bool:
    """Take one from a bucket of `limit` per window; True when it was there.

    Each process gives the first few of a window uncounted, so that somebody who asks little costs no statement.
    Then it takes a slice of the limit from the database and spends it from memory. The limit is not exceeded by up
    to ten processes, for whose uncounted ones a hundredth is kept back, and by a thousandth for each above that;
    with n processes up to n - 1 slices of a fiftieth can stay unspent.
    """
    window_end = _window_end(seconds)
    uncounted = limit // _UNCOUNTED_SHARE
    with _leases_lock:
        held, left, beside = _leases.get(bucket, (0, 0, 0))
        if held != window_end:
            left, beside = uncounted, limit - uncounted
        if left:
            _keep(bucket, (window_end, left - 1, beside))
            return left > 0
    slice_ = max(1, limit // _LEASE_SHARE)
    total = spend(bucket=bucket, amount=slice_, seconds=seconds)
    can_give = limit - _UNCOUNTED_PROCESSES * uncounted - (total - slice_)
    granted = max(0, min(slice_, can_give))
    with _leases_lock:
        held, left, _ = _leases.get(bucket, (0, 0, 0))
        if held == window_end:  # another thread may have asked meanwhile, and left some of what it got
            granted += max(0, left)
        _keep(bucket, (window_end, granted - 1, max(0, can_give - slice_)))
    return granted > 0


def left_of(*, bucket: str) -> int:
    """Give about how much a bucket of take_leased has left: other processes may have taken since this one asked."""
    _, left, beside = _leases.get(bucket, (0, 0, 0))
    return max(left, 0) + beside


def _keep(bucket: str, lease: tuple[int, int, int]) -> None:
    if len(_leases) > _MOST_LEASES:  # a bound on memory; what is dropped is only asked for again
        _leases.clear()
    _leases[bucket] = (lease[0], max(lease[1], -1), lease[2])
