"""The keys of `sort`, such as `-priority`, and the order that several of them make.

A moment (`due`, `start`, `deadline`) is a day or a time. A day ends when the next one begins in the caller's time
zone, and there it stands: after all times of that day. Rows without a value come last in both directions. Rows that
are equal in all keys are sorted by id, in the direction of the last key.
"""

from __future__ import annotations

import datetime as dt
import difflib
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from todo_project.errors import InvalidInput
from todo_project.todos.models.filtering.dates import day_end

POINTER = "/sort"
KEYS_MAX = 5
# Each triples the number of ranges that a list is read from (ranges.py).
NULLABLE_MAX = 2
Values = Mapping[str, Any]
_BEFORE_ALL = (dt.datetime.min.replace(tzinfo=dt.UTC), 0, 0)


@dataclass(frozen=True)
class Key:
    """One key. A moment has two columns: one for a day, one for a time."""

    name: str
    columns: tuple[str, ...]
    is_nullable: bool = False
    is_descending: bool = False

    @property
    def is_moment(self) -> bool:
        """Return whether the key is a day or a time."""
        return len(self.columns) > 1

    @property
    def kinds(self) -> tuple[str | None, ...]:
        """The kinds of rows that have an order of their own: by the column that has a value, or None."""
        return (*self.columns, None) if self.is_nullable else self.columns

    def kind_of(self, values: Values) -> str | None:
        """Return the column that has a value, or None."""
        for column in self.columns:
            if values[column] is not None:
                return column
        return None

    def comparable(self, values: Values, zone: zoneinfo.ZoneInfo) -> tuple[bool, Any]:
        """Return what sorts these values among others, in reverse if the key is descending."""
        column = self.kind_of(values)
        if column is None:
            return not self.is_descending, _BEFORE_ALL
        value = values[column]
        if self.is_moment:
            is_day = column == self.columns[0]
            value = (day_end(value, zone), 0, value.toordinal()) if is_day else (value, 1, 0)
        return self.is_descending, value


_KEYS = {
    key.name: key
    for key in (
        *(Key(name, (f"{name}_date", f"{name}_at"), is_nullable=True) for name in ("due", "start", "deadline")),
        *(Key(name, (name,)) for name in ("priority", "position", "title", "created_at", "updated_at")),
        Key("completed_at", ("completed_at",), is_nullable=True),
    )
}
NAMES = tuple(sign + name for name in _KEYS for sign in ("", "-"))


def parse(text: str) -> tuple[Key, ...]:
    """Return the keys that the text lists; raise InvalidInput for an unknown or repeated one, or too many."""
    names = [name.strip() for name in text.split(",")]
    if len(names) > KEYS_MAX:
        raise _invalid(f"A list is sorted by at most {KEYS_MAX} keys. Leave out the last ones.", "too_many")
    found = [_key(name) for name in names]
    for position, key in enumerate(found):
        if key.name in (each.name for each in found[:position]):
            raise _invalid(f"{key.name!r} is listed twice. List it once.", "repeated")
    if sum(key.is_nullable for key in found) > NULLABLE_MAX:
        names = [key.name for key in _KEYS.values() if key.is_nullable]
        raise _invalid(
            f"A list is sorted by at most {NULLABLE_MAX} of {', '.join(names)}. Leave out the last ones.",
            "too_many",
        )
    return tuple(found)


def _key(text: str) -> Key:
    name = text.removeprefix("-")
    if name not in _KEYS:
        nearest = difflib.get_close_matches(name, _KEYS, n=1, cutoff=0.5)
        hint = f"Did you mean {nearest[0]!r}? " if nearest else ""
        raise _invalid(
            f"{name[:50]!r} is no key to sort by. {hint}Use {', '.join(_KEYS)}, with - before it for the reverse.",
            "unknown_key",
        )
    key = _KEYS[name]
    return Key(key.name, key.columns, key.is_nullable, is_descending=text != name)


def _invalid(detail: str, code: str) -> InvalidInput:
    return InvalidInput(detail, pointer=POINTER, code=code)
