"""Rate limits that hold across all processes: a row per bucket in the database, incremented in one statement.

Windows begin at multiples of their length since the epoch, so all processes agree on them. A host whose clock is
slightly behind counts in the window that the others have already begun.
"""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

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
# A lease is a fiftieth of the limit: small enough that few requests are refused too early when many processes hold
# one, large enough that busy clients rarely cost a statement.
_LEASE_SHARE = 50
# Each process allows a thousandth of the limit without counting. So much is reserved for each of ten processes.
_UNCOUNTED_SHARE = 1000
_UNCOUNTED_PROCESSES = 10


class _Lease(NamedTuple):
    """What this process may still allow in a window without asking the database."""

    window_end: int
    # -1 means that the limit is reached
    left: int
    # what the window had left for all processes, besides this lease, when the database was last asked
    elsewhere: int


_NO_LEASE = _Lease(window_end=0, left=0, elsewhere=0)
# what this process holds by bucket; a test replaces it to stand for another process
leases: dict[str, _Lease] = {}
LEASES_MAX = 10_000
_leases_lock = threading.Lock()


def spend(*, bucket: str, amount: int, seconds: int) -> int:
    """Add `amount` to the bucket and return the total of its current window of `seconds`."""
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, [bucket, _window_end(seconds), amount])
        row: tuple[int] = cursor.fetchone()
    return row[0]


def reset(*, bucket: str) -> None:
    """Set the bucket back to zero."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM common_ratecounter WHERE bucket = %s", [bucket])


def give_back(*, bucket: str, seconds: int) -> None:
    """Subtract one from the bucket's current window, for an attempt that turns out not to count."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE common_ratecounter SET spent = spent - 1 WHERE bucket = %s AND window_end >= %s AND spent > 0",
            [bucket, _window_end(seconds)],
        )


def seconds_left(seconds: int) -> int:
    """Return the seconds until the current window of this length ends, at least 1."""
    return _window_end(seconds) - int(time.time())


def _window_end(seconds: int) -> int:
    return (int(time.time()) // seconds + 1) * seconds


def take_leased(*, bucket: str, limit: int, seconds: int) -> bool:
    """Spend one of the `limit` that a bucket allows per window; return whether the limit allowed it.

    In each window a process first allows a few requests without counting them, so that a client who sends few costs
    no statement. After that it leases a part of the limit from the database in one statement, and allows requests
    from memory until the lease is used up. The uncounted requests of ten processes are subtracted from the limit in
    advance, so that ten processes never exceed it; each further process may exceed it by a thousandth. Leases are
    not returned, so with n processes n - 1 leases may stay unused, and requests be refused that much too early.
    """
    window_end = _window_end(seconds)
    uncounted = limit // _UNCOUNTED_SHARE
    with _leases_lock:
        lease = leases.get(bucket, _NO_LEASE)
        if lease.window_end != window_end:
            lease = _Lease(window_end, left=uncounted, elsewhere=limit - uncounted)
        if lease.left < 0:
            return False
        if lease.left > 0:
            _store(bucket, _Lease(window_end, left=lease.left - 1, elsewhere=lease.elsewhere))
            return True
    size = max(1, limit // _LEASE_SHARE)
    total = spend(bucket=bucket, amount=size, seconds=seconds)
    available = limit - _UNCOUNTED_PROCESSES * uncounted - (total - size)
    granted = max(0, min(size, available))
    with _leases_lock:
        current = leases.get(bucket, _NO_LEASE)
        if current.window_end == window_end:  # another thread may have got a lease meanwhile
            granted += max(0, current.left)
        _store(bucket, _Lease(window_end, left=granted - 1, elsewhere=max(0, available - size)))
    return granted > 0


def remaining(*, bucket: str) -> int:
    """Return an estimate of what is left of a bucket's limit; other processes may have taken some meanwhile."""
    lease = leases.get(bucket, _NO_LEASE)
    return max(lease.left, 0) + lease.elsewhere


def _store(bucket: str, lease: _Lease) -> None:
    if len(leases) > LEASES_MAX:  # bounds the memory; a dropped lease costs one more statement
        leases.clear()
    leases[bucket] = lease
