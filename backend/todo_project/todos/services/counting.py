"""Counts of open tasks, as the lists and the filters of tasks have them."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import Count, F

from todo_project.accounts.models import User
from todo_project.db.compiled import CompiledQuery
from todo_project.errors import InvalidInput
from todo_project.todos.models import SavedFilter, Task
from todo_project.todos.models.filtering.compiled import PARAMETERS, BoundFilters, FiltersVariant
from todo_project.todos.models.filtering.conditions import Context
from todo_project.todos.models.filtering.syntax import parse

# besides the number of open tasks, the numbers of those that a filter matches
_FILTERS = {"due_today": parse("due:today"), "overdue": parse("overdue")}
NAMES = ("open", *_FILTERS)
_USER: Mapping[str, models.Field[Any, Any]] = {"user_id": models.UUIDField()}
_PROJECT, _LABEL = "project_id", "task_labels__label_id"


def _columns(filters: FiltersVariant) -> list[str]:
    """Return the names of the counts: of all tasks, and then of those that match each further filter."""
    further = range(len(filters.filters) - len(_FILTERS))
    return [*NAMES, *(f"{name}_{number}" for number in further for name in NAMES)]


def _build_counts(
    *, of: str, is_shared: bool, filters: FiltersVariant, context: Context, user_id: Any, **placeholders: list[Any]
) -> Any:
    """Return (value, *counts) of open tasks for each value of a column."""
    due_today, overdue, *further = filters.conditions(context, **placeholders)
    conditions = [None, due_today, overdue]
    for condition in further:
        conditions += [condition, due_today & condition, overdue & condition]
    rows = Task.objects.part_of(user_id, is_shared=is_shared)
    if of == _LABEL:
        rows = rows.filter(task_labels__label__deleted_at=None, task_labels__isnull=False)
    columns = _columns(filters)
    counts = {name: Count("id", filter=condition) for name, condition in zip(columns, conditions, strict=True)}
    return rows.alive().open().order_by().values(of=F(of)).annotate(**counts).values_list("of", *columns)


def _build_saved(*, user_id: Any) -> Any:
    return SavedFilter.objects.visible_to(user_id).alive().in_order().values_list("id", "query")


_COUNTS = CompiledQuery(_build_counts, {**_USER, **PARAMETERS})
_SAVED = CompiledQuery(_build_saved, _USER)


def count_open_tasks(*, user: User, now: dt.datetime) -> dict[str, Any]:
    """Return the counts of all open tasks that the user sees, of each project, each label and each saved filter.

    Those of a filter that names something which is gone are None, and its `error` says so. Saved filters are
    counted by project, too: each task is in one, so the sum is the whole.
    """
    bound = BoundFilters(Context.of(user, now=now))
    for filter_ in _FILTERS.values():
        bound.add(filter_)
    by_label = _counted(_LABEL, user, bound)
    saved = [(id_, _added(query, bound)) for id_, query in _SAVED.rows({"user_id": user.pk})]
    by_project = _counted(_PROJECT, user, bound)
    total: Counter[str] = sum(by_project.values(), Counter())
    numbers = itertools.count()
    return {
        **_counts(total),
        "projects": _listed(by_project),
        "labels": _listed(by_label),
        "filters": [
            {"id": id_, **(dict.fromkeys(NAMES) if error else _counts(total, f"_{next(numbers)}")), "error": error}
            for id_, error in saved
        ],
    }


def _counted(of: str, user: User, bound: BoundFilters) -> Mapping[uuid.UUID, Counter[str]]:
    filters, counts = bound.variant, defaultdict[uuid.UUID, Counter[str]](Counter)
    columns, values = _columns(filters), {"user_id": user.pk, **bound.values}
    for is_shared in (False, True) if user.is_member else (False,):
        building = {"context": bound.context}
        for value, *row in _COUNTS.rows(values, building=building, of=of, is_shared=is_shared, filters=filters):
            counts[value].update(dict(zip(columns, row, strict=True)))
    return counts


def _added(query: str, bound: BoundFilters) -> str | None:
    """Add a saved filter, and return None, or the error if what it names is gone."""
    try:
        bound.add(parse(query))
    except InvalidInput as error:
        return error.detail
    return None


def _listed(counts: Mapping[uuid.UUID, Counter[str]]) -> list[dict[str, Any]]:
    return [{"id": id_, **_counts(counts[id_])} for id_ in sorted(counts)]


def _counts(counted: Counter[str], suffix: str = "") -> dict[str, int]:
    return {name: counted[name + suffix] for name in NAMES}
