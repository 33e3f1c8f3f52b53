"""Limits how long a part of a transaction may take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection


class TookTooLong(OperationalError):
    """The part of the transaction has exceeded its time limit."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise OperationalError for a statement that begins later than this, or (on PostgreSQL) itself takes longer.

    The block therefore takes at most twice as long. The caller is in a transaction; the limit of single statements
    stays until its end.
    """
    end = time.monotonic() + seconds

    def check(execute: Callable[..., Any], *given: Any) -> Any:
        if time.monotonic() > end:
            raise TookTooLong(f"The transaction was not finished after {seconds:g} s.")
        return execute(*given)

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(max(1, int(seconds * 1000)))])
    with connection.execute_wrapper(check):
        yield
