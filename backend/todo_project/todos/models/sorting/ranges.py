"""Sorted lists as ranges of indexes.

No single index holds days, times and missing values in one order. So a page is read from several ranges, each of
which sorts plain columns and holds one kind of value per key: days, times, or none. Where they begin depends on the
last row of the previous page:

1. the rows that equal it in the first key,
2. the rows after that key,
3. the rows without a value of the first key.

These three groups follow each other; ranges in the same group are merged. Most pages need the first one or two.
"""

from __future__ import annotations

import datetime as dt
import itertools
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from django.db import models
from django.db.models import Q

from todo_project.db.code_points import ByCodePoint
from todo_project.todos.models.filtering.dates import day_end
from todo_project.todos.models.sorting.keys import Key, Values
from todo_project.todos.models.tasks import Task

# The rows of a kind that come after the last row, by one key: those beyond its value; those that equal it; both of
# these; all; those that begin where a value of another kind stands.
_After = Literal["beyond", "equal", "either", "all", "from"]
_ONE_DAY = dt.timedelta(days=1)
# the values that these columns are compared with are named after them
_PREFIX = "after_"


@dataclass(frozen=True)
class Part:
    """The rows of one kind, by one key, and which of them come after the last row."""

    key: Key
    kind: str | None
    after: _After


@dataclass(frozen=True)
class TaskRange:
    """Rows that plain columns sort. If the first part has all rows of its kind, so have the others."""

    parts: tuple[Part, ...]

    @property
    def compared(self) -> tuple[str, ...]:
        """The columns that are compared with values of the last row."""
        tied = list(itertools.takewhile(lambda part: part.after in ("equal", "either"), self.parts))
        decided = [part for part in self.parts[len(tied) : len(tied) + 1] if part.after != "all"]
        found = [part.kind for part in (*tied, *decided) if part.kind is not None]
        return (*found, "id") if len(tied) == len(self.parts) else tuple(found)

    @property
    def parameters(self) -> dict[str, models.Field[Any, Any]]:
        """The model field of each value that `of` takes."""
        return {f"{_PREFIX}{column}": field_of(column) for column in self.compared}

    @property
    def kinds(self) -> dict[str, str | None]:
        """The column of each moment that has a value in these rows, or None."""
        return {part.key.name: part.kind for part in self.parts if part.key.is_moment}

    def of(self, rows: Any, **values: Any) -> Any:
        """Return the rows of this range, in its order."""
        rows = rows.alias(title_key=ByCodePoint("title"))
        for part in self.parts:
            rows = rows.filter(**_is_of_kind(part))
        rows = rows.filter(self._follows(self.parts, values))
        order = [(column, part.key.is_descending) for part in self.parts for column in part.key.columns]
        order.append(("id", self._is_id_descending))
        return rows.order_by(*(f"{'-' if descends else ''}{_expression(column)}" for column, descends in order))

    @property
    def _is_id_descending(self) -> bool:
        return self.parts[-1].key.is_descending

    def _follows(self, parts: Sequence[Part], values: Values) -> Q:
        """Return the condition for the rows that come after the last row in these keys and the id."""
        if not parts:
            return Q(**{f"id__{'lt' if self._is_id_descending else 'gt'}": values[f"{_PREFIX}id"]})
        part, *rest = parts
        if part.after == "all":
            return Q()
        if part.kind is None:
            return self._follows(rest, values)
        column, value = _expression(part.kind), values[f"{_PREFIX}{part.kind}"]
        lookup = "lt" if part.key.is_descending else "gte" if part.after == "from" else "gt"
        beyond = Q(**{f"{column}__{lookup}": value})
        if part.after in ("beyond", "from"):
            return beyond
        equal = Q(**{column: value}) & self._follows(rest, values)
        return equal if part.after == "equal" else beyond | equal


def field_of(column: str) -> models.Field[Any, Any]:
    """Return the model field of a column."""
    field: Any = Task._meta.get_field(column)  # noqa: SLF001 - public API
    return cast("models.Field[Any, Any]", field)


def _expression(column: str) -> str:
    return "title_key" if column == "title" else column


def _is_of_kind(part: Part) -> dict[str, bool]:
    """Return the conditions for rows of this kind, by which an index of the key's columns has them in one piece."""
    if not part.key.is_nullable:
        return {}
    columns = part.key.columns
    first = columns.index(part.kind) if part.kind is not None else len(columns)
    return {f"{column}__isnull": column != part.kind for column in columns[: first + 1]}


class Groups:
    """The groups of ranges that a page is read from. A page that begins a list has no `last` row."""

    def __init__(self, keys: Sequence[Key], *, last: Values | None, zone: zoneinfo.ZoneInfo) -> None:
        self._keys = keys
        self._last = last
        self._zone = zone

    def __iter__(self) -> Iterator[list[tuple[TaskRange, dict[str, Any]]]]:
        """Yield the ranges of each group, each with the values that its `of` takes."""
        for starts in self._starts(self._keys[0]):
            rest = [*itertools.product(*(key.kinds for key in self._keys[1:]))]
            found = (self._range(start, kinds) for start in starts for kinds in rest)
            yield [each for each in found if each is not None]

    def _starts(self, key: Key) -> Iterator[list[tuple[str | None, bool]]]:
        """Return the kinds of each group by the first key, and whether their rows equal the last row in it."""
        held = None if self._last is None else key.kind_of(self._last)
        if self._last is not None:
            yield [(held, True)]
        if self._last is None or held is not None:
            yield [(kind, False) for kind in key.columns]
            if key.is_nullable:
                yield [(None, False)]

    def _range(
        self, start: tuple[str | None, bool], kinds: tuple[str | None, ...]
    ) -> tuple[TaskRange, dict[str, Any]] | None:
        """Return the range of these kinds and its values, or None if no row in it comes after the last row."""
        kind, is_equal = start
        first, *others = self._keys
        after = self._after(first, kind)
        rest = self._parts(tuple(zip(others, kinds, strict=True)), is_tied=after == "either" and is_equal)
        if rest is None or after is None:
            return None
        if after == "either":
            after = "equal" if is_equal else "beyond"
        found = TaskRange((Part(first, kind, after), *rest))
        return found, {f"{_PREFIX}{column}": self._value(column) for column in found.compared}

    def _parts(self, kinds: Sequence[tuple[Key, str | None]], *, is_tied: bool) -> tuple[Part, ...] | None:
        """Return the parts by these keys, or None if no row comes after the last row by them.

        `is_tied` says whether the rows equal the last row in the keys before.
        """
        if not kinds:
            return ()
        (key, kind), *others = kinds
        after = self._after(key, kind) if is_tied else "all"
        if after is None:
            return None
        rest = self._parts(others, is_tied=after == "either")
        if rest is None and kind is not None:
            after, rest = "beyond", self._parts(others, is_tied=False)
        return None if rest is None else (Part(key, kind, after), *rest)

    def _after(self, key: Key, kind: str | None) -> _After | None:
        """Return which rows of this kind come after the last row by a key, or None if none do."""
        if self._last is None:
            return "all"
        held = key.kind_of(self._last)
        if kind == held:
            return "either"
        if held is None:
            return None
        return "all" if kind is None else "from"

    def _value(self, column: str) -> Any:
        """Return what a column is compared with: a value of the last row, or the day or time at its place."""
        last: Values = self._last or {}
        if last[column] is not None:
            return last[column]
        key = next(key for key in self._keys if column in key.columns)
        day, time = key.columns
        return day_end(last[day], self._zone) if column == time else day_that_ends_after(last[time], self._zone)


def day_that_ends_after(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.date:
    """Return the first day that ends after a time, or the last possible day."""
    try:
        day = moment.astimezone(zone).date()
    except OverflowError:
        return dt.date.min if moment.year == 1 else dt.date.max
    while day < dt.date.max and day_end(day, zone) <= moment:
        day += _ONE_DAY
    return day
