"""The parameter `sort` of the list of tasks."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from django.db import models
from drf_spectacular.drainage import set_override
from rest_framework import serializers

from todo_project.api.pagination import Instant
from todo_project.db import time_zones
from todo_project.db.owned import Row
from todo_project.errors import InvalidInput
from todo_project.todos.models.sorting.keys import KEYS_MAX, NAMES, POINTER, Key, parse
from todo_project.todos.models.sorting.ranges import Groups, TaskRange, field_of

# how a cursor holds the values of each kind of column
_TYPES: Mapping[type[models.Field[Any, Any]], Any] = {
    models.DateField: dt.date,
    models.DateTimeField: Instant,
    models.PositiveSmallIntegerField: Annotated[int, msgspec.Meta(ge=0, le=2**15 - 1)],
    models.CharField: str,
    models.TextField: str,
    models.UUIDField: uuid.UUID,
}


class SortField(serializers.CharField):
    """The keys of a list, separated by commas."""

    def __init__(self) -> None:
        help_text = "The order, such as `due,-priority`; - reverses a key. Tasks without a value come last."
        super().__init__(default=None, max_length=200, help_text=help_text)
        items = {"type": "string", "enum": list(NAMES)}
        schema = {"type": "array", "items": items, "minItems": 1, "maxItems": KEYS_MAX, "uniqueItems": True}
        set_override(self, "field", schema)


class TaskOrder:
    """An order of tasks (a todo_project.api.sorting.Order)."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = keys
        self.columns = {column: _type(column, key) for key in keys for column in key.columns} | {"id": uuid.UUID}

    def is_possible(self, last: Mapping[str, Any]) -> bool:
        """Return whether a task can have these values: a moment is a day or a time, not both."""
        return all(sum(last[column] is not None for column in key.columns) <= 1 for key in self._keys)

    def groups(
        self, user: Any, last: Mapping[str, Any] | None
    ) -> Iterator[Sequence[tuple[TaskRange, Mapping[str, Any]]]]:
        """Yield the groups of ranges that hold the tasks after the last one."""
        return iter(Groups(self._keys, last=last, zone=time_zones.zone(user.time_zone)))

    def sort(self, rows: list[tuple[Mapping[str, Any], Row]], user: Any) -> None:
        """Sort rows as the database does: by the last key first, because sorting keeps the order of equal rows."""
        zone = time_zones.zone(user.time_zone)
        *keys, last = self._keys
        rows.sort(key=lambda row: (last.comparable(row[0], zone), row[0]["id"].int), reverse=last.is_descending)
        for key in reversed(keys):
            rows.sort(key=lambda row, key=key: key.comparable(row[0], zone), reverse=key.is_descending)  # type: ignore[misc] # a default cannot be typed


def _type(column: str, key: Key) -> Any:
    kind = _TYPES[type(field_of(column))]
    return kind | None if key.is_nullable else kind


def order_of(query: Mapping[str, Any]) -> TaskOrder | None:
    """Return the order that the client chose, or None."""
    text = query.get("sort")
    if text is None:
        return None
    if query["updated_since"] is not None:
        raise InvalidInput(
            "A list with `updated_since` is sorted by the time of the last change. Leave out `sort`, or use "
            "filter=updated>= instead of `updated_since`.",
            pointer=POINTER,
            code="conflict",
        )
    return TaskOrder(parse(text))
