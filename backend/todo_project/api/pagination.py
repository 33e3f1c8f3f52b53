"""Cursor pagination: a page starts after the last sort key of the previous page, so new rows shift nothing."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypedDict

import msgspec
from django.conf import settings
from rest_framework import serializers

from todo_project.errors import InvalidInput

DEFAULT_LIMIT = 50
Instant = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class CursorInvalid(InvalidInput):
    """The cursor does not belong to this list."""

    def __init__(self) -> None:
        super().__init__(
            "This cursor does not belong to this list. Use the `next_cursor` of its previous page.",
            pointer="/cursor",
            code="invalid_cursor",
        )


class Page(TypedDict):
    """One page of a list; `next_cursor` is None on the last."""

    results: list[msgspec.Struct]
    next_cursor: str | None


Key = uuid.UUID | dt.datetime | int
Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
# not part of what a list depends on
_ANY = frozenset({"cursor", "limit", "expand"})


def encode(*key: Key) -> str:
    """Return the opaque cursor for the last row's sort key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode_ids(cursor: str | None, *, most: int = 1) -> tuple[uuid.UUID, ...]:
    """Decode the cursor of a list that is sorted by one to `most` ids; raise CursorInvalid for anything else."""
    if cursor is None:
        return ()
    ids: tuple[uuid.UUID, ...] = _decode(cursor, tuple[uuid.UUID, ...])
    if not 1 <= len(ids) <= most:
        raise CursorInvalid()
    return ids


def decode_time(cursor: str | None) -> tuple[dt.datetime, uuid.UUID] | None:
    """Decode the cursor of a list that is sorted by (updated_at, id); raise CursorInvalid for anything else."""
    if cursor is None:
        return None
    at, row_id = _decode(cursor, tuple[Instant, uuid.UUID])
    try:
        return at.astimezone(dt.UTC), row_id
    except OverflowError as error:  # the first or last possible day, with an offset that leads out of it
        raise CursorInvalid() from error


def decode_number(cursor: str | None) -> int | None:
    """Decode the cursor of a list that is sorted by a number; raise CursorInvalid for anything else."""
    if cursor is None:
        return None
    (number,) = _decode(cursor, tuple[Number])
    return int(number)


def digest(query: Mapping[str, Any]) -> str:
    """Return the digest of the query parameters that decide which rows a list has, and in which order."""
    kept = sorted((name, str(value)) for name, value in query.items() if name not in _ANY)
    return hashlib.blake2b(repr(kept).encode(), digest_size=6).hexdigest()


def encode_values(query_digest: str, *values: Any) -> str:
    """Return the cursor for values of different types. MessagePack keeps long texts short: it has no escapes."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode((query_digest, *values))).decode().rstrip("=")


def decode_values(query_digest: str, cursor: str, kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    """Decode the cursor of `encode_values`; raise CursorInvalid for another digest or values of other types."""
    known, *values = _decode(cursor, tuple[(str, *kinds)], msgspec.msgpack.decode)  # type: ignore[valid-type] # made at run time
    if known != query_digest:
        raise CursorInvalid()
    if any("\0" in value for value in values if isinstance(value, str)):  # PostgreSQL has no such texts
        raise CursorInvalid()
    return tuple(values)


def _decode(cursor: str, kind: Any, decode: Callable[..., Any] = msgspec.json.decode) -> Any:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return decode(raw, type=kind)
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError) as error:
        raise CursorInvalid() from error


def page(
    shaped: Sequence[Any],
    *,
    limit: int,
    key: Callable[[int], Iterable[Any]],
    encode: Callable[..., str] = encode,
) -> Page:
    """Return a page of at most `limit` rows. One row more than `limit` means that there is a next page.

    `key` returns the sort key of the row with this index, of which `encode` makes the cursor.
    """
    if len(shaped) <= limit:
        return {"results": list(shaped), "next_cursor": None}
    return {"results": list(shaped[:limit]), "next_cursor": encode(*key(limit - 1))}


class LimitField(serializers.IntegerField):
    """The number of rows on a page: 1 to PAGE_SIZE_MAX."""

    def __init__(self, **options: Any) -> None:
        most = settings.PAGE_SIZE_MAX
        options = {"min_value": 1, "max_value": most, "default": min(DEFAULT_LIMIT, most)} | options
        super().__init__(**options)
