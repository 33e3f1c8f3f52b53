"""A stand-in for fresh_connection: a connection of its own would not see what a test has not committed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def this_connection(**_: Any) -> Iterator[Any]:
    """Return the test's own connection."""
    yield connection
