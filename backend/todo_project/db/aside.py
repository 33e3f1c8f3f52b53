"""Writes that others see before the current transaction ends, such as the progress of a long one."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from django.db import Error, connection, transaction

_LOCK_TIMEOUT_MS = 1000


def write_aside(write: Callable[[], object]) -> None:
    """Run a write in a transaction of its own, on another connection, and wait for it; ignore its failure.

    The write gives up on rows that the current transaction has locked. On SQLite, where a transaction keeps all
    others from writing, nothing is written.
    """
    if connection.vendor != "postgresql":
        return
    thread = threading.Thread(target=_write, args=(write,))
    thread.start()
    thread.join()


def _write(write: Callable[[], object]) -> None:
    try:
        with contextlib.suppress(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}")
            write()
    finally:
        connection.close()  # that of this thread
