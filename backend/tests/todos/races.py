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
    meanwhile = Meanwhile(second)
    with transaction.atomic():
        held = first()
        has_waited = meanwhile.start()
    return held, meanwhile.result(), has_waited


class Meanwhile:
    """A write in a thread of its own, while the caller's transaction is open."""

    def __init__(self, write: Callable[[], Any]) -> None:
        self._write = write
        self._results: list[Any] = []
        self._thread = threading.Thread(target=self._run)

    def start(self) -> bool:
        """Start, and return True when it waits for a lock of the caller, or False when it has ended."""
        self._thread.start()
        return _waits_for_us(self._thread)

    def result(self) -> Any:
        """Wait until it has ended, and return its result or raise its error."""
        self._thread.join(PATIENCE)
        ((result, error),) = self._results
        if error is not None:
            raise error
        return result

    def _run(self) -> None:
        try:
            self._results.append((self._write(), None))
        except BaseException as error:  # noqa: BLE001 - raised again in result()
            self._results.append((None, error))
        finally:
            connection.close()


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
