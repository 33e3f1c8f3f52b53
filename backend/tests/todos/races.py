"""Run two writes in interleaved transactions (PostgreSQL)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

PATIENCE = 120  # seconds; the machine may be busy


def one_waits(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """Return both results; fail if the second ends without waiting for the first."""
    *results, has_waited = interleaved(first, second)
    assert has_waited, "the second did not wait"
    return results[0], results[1]


def interleaved(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any, bool]:
    """Run the second before the first commits; return both results, and whether the second had to wait for that.

    The first commits when the second has ended or waits for a lock that the first holds.
    """
    results: list[Any] = []

    def run() -> None:
        try:
            results.append((second(), None))
        except BaseException as error:  # noqa: BLE001 - raised again below
            results.append((None, error))
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        held = first()
        thread.start()
        has_waited = _waits_for_us(thread)
    thread.join(PATIENCE)
    ((result, error),) = results
    if error is not None:
        raise error
    return held, result, has_waited


def _waits_for_us(thread: threading.Thread) -> bool:
    """Return True when the thread waits for a lock of ours, or False when it has ended."""
    deadline = time.monotonic() + PATIENCE
    while thread.is_alive():
        assert time.monotonic() < deadline, "the second neither ended nor waits for the first"
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone() != (0,):
                return True
        time.sleep(0.02)
    return False
