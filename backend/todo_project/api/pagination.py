"""Cursors: a page starts after the last key of the previous page, so new rows shift nothing."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

import msgspec
from django.conf import settings
from rest_framework import serializers

from todo_project.errors import InvalidInput

DEFAULT_LIMIT = 50
_Instant = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class CursorInvalid(InvalidInput):
    """The cursor does not belong to this list."""

    def __init__(self) -> None:
        super().__init__(
            "This cursor is not of this list. Use `next_cursor` of the previous page, with the same filters.",
            pointer="/cursor",
            code="invalid_cursor",
        )


class Page(TypedDict):
    """One page of a list; `next_cursor` is None on the last."""

    results: list[msgspec.Struct]
    next_cursor: str | None


def encode(*key: uuid.UUID | dt.datetime) -> str:
    """Return the opaque cursor for the last row's sort key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode_id(cursor: str | None) -> uuid.UUID | None:
    """Read a cursor of a list that is sorted by id; raise CursorInvalid for anything else."""
    return None if cursor is None else _decode(cursor, tuple[uuid.UUID])[0]


def decode_time(cursor: str | None) -> tuple[dt.datetime, uuid.UUID] | None:
    """Read a cursor of a list that is sorted by (updated_at, id)."""
    if cursor is None:
        return None
    at, row_id = _decode(cursor, tuple[_Instant, uuid.UUID])
    try:
        return at.astimezone(dt.UTC), row_id
    except OverflowError as error:  # the first or last possible day, with an offset that leads out of it
        raise CursorInvalid() from error


def _decode(cursor: str, kind: Any) -> Any:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=kind)
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError) as error:
        raise CursorInvalid() from error


def page(shaped: Sequence[Any], *, limit: int, by_time: bool = False) -> Page:
    """Cut `limit` + 1 rows to a page, and add the cursor of the next one."""
    if len(shaped) <= limit:
        return {"results": list(shaped), "next_cursor": None}
    results = list(shaped[:limit])
    last = results[-1]
    key = (last.updated_at, last.id) if by_time else (last.id,)
    return {"results": results, "next_cursor": encode(*key)}


class LimitField(serializers.IntegerField):
    """How many rows a page has: 1 to PAGE_SIZE_MAX."""

    def __init__(self, **options: Any) -> None:
        most = settings.PAGE_SIZE_MAX
        options = {"min_value": 1, "max_value": most, "default": min(DEFAULT_LIMIT, most)} | options
        super().__init__(**options)
