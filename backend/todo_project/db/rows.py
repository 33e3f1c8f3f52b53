"""The base of rows that clients may hold a copy of: ids and versions."""

from __future__ import annotations

import datetime as dt
import secrets
import time
import uuid

from django.db import models
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan


def uuid7() -> uuid.UUID:
    """Give a new UUIDv7: time-ordered, so that index pages fill one after the other.

    48 bits of milliseconds, 12 bits of the millisecond's fraction, 62 random bits (RFC 9562, sections 5.7 and
    6.2, method 3).
    """
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | (rest * 4096 // 1_000_000) << 64
    return uuid.UUID(int=value | 0b10 << 62 | secrets.randbits(62))


class Versioned(models.Model):
    """A row that clients may hold a copy of: identity they may choose, a version for every write, its times.

    Services raise `version` by one and set `updated_at` in the same statement as the change.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        abstract = True


def is_after_change(moment: dt.datetime, last: uuid.UUID) -> models.Q:
    """Return the condition for rows that follow one in the order (updated_at, id).

    PostgreSQL compares the pair as a row value, so it walks the index on both columns from there, however many rows
    share the instant. For SQLite Django writes the comparison out; the plain bound beside it narrows the walk.
    """
    follows = TupleGreaterThan(Tuple("updated_at", "id"), (moment, last))
    return models.Q(follows, updated_at__gte=moment)
