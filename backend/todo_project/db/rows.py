"""The base model of rows with an id, a version and timestamps."""

from __future__ import annotations

import datetime as dt
import secrets
import time
import uuid
from typing import Any

from django.db import models
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLookupMixin


def uuid7() -> uuid.UUID:
    """Return a new UUIDv7, which is ordered by time, so that new rows go to the end of an index.

    It has 48 bits of milliseconds, 12 bits of the fraction of the millisecond, and 62 random bits (RFC 9562,
    sections 5.7 and 6.2, method 3).
    """
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | (rest * 4096 // 1_000_000) << 64
    return uuid.UUID(int=value | 0b10 << 62 | secrets.randbits(62))


class Versioned(models.Model):
    """A row with an id that clients may choose, and a version for conditional requests.

    Services increment `version` and set `updated_at` in the statement that writes the change.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        abstract = True


class _RowGreaterThan(TupleGreaterThan):
    """`(a, b) > (x, y)`. Django expands it for SQLite, which then reads all rows with the same first value."""

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        """Return what other databases get."""
        return super(TupleLookupMixin, self).as_sql(compiler, connection)


def is_after_change(moment: dt.datetime, last: uuid.UUID) -> models.Q:
    """Return the condition for rows that come after one in the order (updated_at, id)."""
    return is_after(("updated_at", "id"), (moment, last))


def is_after(columns: tuple[str, str], key: tuple[Any, Any]) -> models.Q:
    """Return the condition for rows that come after a key in the order of two columns.

    The databases compare the pair as a row value, so they can start reading the index at that place, however many
    rows have the same first value.
    """
    return models.Q(_RowGreaterThan(Tuple(*columns), key))
