"""Filters whose SQL is compiled once for all values.

What depends on the caller and the time (days, times, ids of what is named) passes through `Context.bind`. A first
pass over the filters collects these values. When the SQL is not known yet, a second one builds the conditions with
placeholders instead. Filters share their SQL if they have the same text, apart from spaces, and name the same
number of things.
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
class FiltersVariant:
    """Some filters as part of a compiled query's variant, without the values that they have for a caller."""

    filters: tuple[Filter, ...]
    kinds: tuple[tuple[str, str | None], ...]
    lengths: tuple[int, ...]

    def conditions(self, context: Context, **placeholders: list[Any]) -> list[Q]:
        """Return the condition of each filter, with a placeholder for each value of this context."""
        context = dataclasses.replace(context, bind=_substituting(placeholders))
        return [to_q(filter_, context) for filter_ in self.filters]


class BoundFilters:
    """Filters, and the values that they have for a caller."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._filters: list[Filter] = []
        self._bound: list[Any] = []

    def add(self, filter_: Filter) -> None:
        """Add a filter; raise InvalidInput for an unknown field, name or value."""
        bound: list[Any] = []

        def collect(value: Any) -> Any:
            bound.append(value)
            return value

        to_q(filter_, dataclasses.replace(self.context, bind=collect))
        self._filters.append(filter_)
        self._bound += bound

    @property
    def variant(self) -> FiltersVariant:
        """The filters, for the variant of a compiled query."""
        lengths = tuple(len(value) for value in self._bound if isinstance(value, list))
        return FiltersVariant(tuple(self._filters), tuple(self.context.kinds.items()), lengths)

    @property
    def values(self) -> dict[str, list[Any]]:
        """The values of the PARAMETERS."""
        values: dict[str, list[Any]] = {name: [] for name in PARAMETERS}
        for value in self._bound:
            for each in value if isinstance(value, list) else [value]:
                values[_NAMES[type(each)]].append(each)
        return values


def _substituting(placeholders: Mapping[str, list[Any]]) -> Callable[[Any], Any]:
    left = {name: iter(values) for name, values in placeholders.items()}

    def substitute(value: Any) -> Any:
        if isinstance(value, list):
            return [substitute(each) for each in value]
        return next(left[_NAMES[type(value)]])

    return substitute


def _build(*, filters: FiltersVariant, context: Context, **placeholders: list[Any]) -> Q:
    (condition,) = filters.conditions(context, **placeholders)
    return condition


_CONDITION = CompiledCondition(Task, _build, PARAMETERS)


def condition_of(filter_: Filter, context: Context) -> Condition:
    """Return the condition of a list of tasks; raise InvalidInput for an unknown field, name or value."""
    bound = BoundFilters(context)
    bound.add(filter_)
    return _CONDITION.given(bound.values, building={"context": context}, filters=bound.variant)
