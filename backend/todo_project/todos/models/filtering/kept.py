"""Filters whose SQL is compiled once for all values.

What depends on the caller and the time (days, times, ids of what is named) passes through `Context.bind`. A first
pass over the filters notes these values. When the SQL is not known yet, a second one builds the conditions with
placeholders instead. Filters are alike if they have the same text, but for spaces, and name the same number of
things.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Q

from todo_project.db.compiled import CompiledCondition, Condition
from todo_project.todos.models import Task
from todo_project.todos.models.filtering.conditions import Context, to_q
from todo_project.todos.models.filtering.syntax import Filter

_NAMES: Mapping[type, str] = {dt.date: "days", dt.datetime: "times", uuid.UUID: "ids"}
# of a compiled query with filters
PARAMETERS: Mapping[str, models.Field[Any, Any]] = {
    "days": models.DateField(),
    "times": models.DateTimeField(),
    "ids": models.UUIDField(),
}


@dataclass(frozen=True)
class Kept:
    """Some filters as part of a compiled query's variant, without what they have for a caller."""

    filters: tuple[Filter, ...]
    kinds: tuple[tuple[str, str | None], ...]
    lengths: tuple[int, ...]

    def conditions(self, context: Context, **placeholders: list[Any]) -> list[Q]:
        """Return the condition of each filter, with a placeholder for each value of this context."""
        context = dataclasses.replace(context, bind=_replaying(placeholders))
        return [to_q(filter_, context) for filter_ in self.filters]


class Notes:
    """Filters, and the values that they have for a caller."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._filters: list[Filter] = []
        self._noted: list[Any] = []

    def add(self, filter_: Filter) -> None:
        """Add a filter; raise InvalidInput for an unknown field, name or value."""
        noted: list[Any] = []

        def note(value: Any) -> Any:
            noted.append(value)
            return value

        to_q(filter_, dataclasses.replace(self.context, bind=note))
        self._filters.append(filter_)
        self._noted += noted

    @property
    def kept(self) -> Kept:
        """The filters, for the variant of a compiled query."""
        lengths = tuple(len(value) for value in self._noted if isinstance(value, list))
        return Kept(tuple(self._filters), tuple(self.context.kinds.items()), lengths)

    @property
    def values(self) -> dict[str, list[Any]]:
        """The values of the PARAMETERS."""
        values: dict[str, list[Any]] = {name: [] for name in PARAMETERS}
        for value in self._noted:
            for each in value if isinstance(value, list) else [value]:
                values[_NAMES[type(each)]].append(each)
        return values


def _replaying(placeholders: Mapping[str, list[Any]]) -> Callable[[Any], Any]:
    left = {name: iter(values) for name, values in placeholders.items()}

    def replay(value: Any) -> Any:
        if isinstance(value, list):
            return [replay(each) for each in value]
        return next(left[_NAMES[type(value)]])

    return replay


def _build(*, kept: Kept, context: Context, **placeholders: list[Any]) -> Q:
    (condition,) = kept.conditions(context, **placeholders)
    return condition


_CONDITION = CompiledCondition(Task, _build, PARAMETERS)


def condition(filter_: Filter, context: Context) -> Condition:
    """Return the condition of a list of tasks; raise InvalidInput for an unknown field, name or value."""
    notes = Notes(context)
    notes.add(filter_)
    return _CONDITION.given(notes.values, building={"context": context}, kept=notes.kept)
