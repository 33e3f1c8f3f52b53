"""Counts of open tasks, as the lists and the filters of tasks have them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, F, Q

from todo_project.accounts.models import User
from todo_project.errors import InvalidInput
from todo_project.todos.models import SavedFilter, Task
from todo_project.todos.models.filtering.conditions import Context, to_q
from todo_project.todos.models.filtering.syntax import parse

# besides the number of open tasks, the numbers of those that a filter matches
_FILTERS = {"due_today": parse("due:today"), "overdue": parse("overdue")}
NAMES = ("open", *_FILTERS)


def count_open_tasks(*, user: User, now: dt.datetime) -> dict[str, Any]:
    """Return the counts of all open tasks that the user sees, of each project, each label and each saved filter.

    Those of a filter that names something which is gone are None.
    """
    context = Context.of(user, now=now)
    matching = {name: Count("id", filter=to_q(filter_, context)) for name, filter_ in _FILTERS.items()}
    parts = Task.objects.parts_of(user.pk, is_member=user.is_member)
    by_project: defaultdict[uuid.UUID, Counter[str]] = defaultdict(Counter)
    by_label: defaultdict[uuid.UUID, Counter[str]] = defaultdict(Counter)
    for part in parts:
        rows = part.alive().open().order_by()
        labelled = rows.filter(task_labels__label__deleted_at=None, task_labels__isnull=False)
        for found, kept, column in (
            (rows, by_project, "project_id"),
            (labelled, by_label, "task_labels__label_id"),
        ):
            counted: Any = found.values(of=F(column)).annotate(open=Count("id"), **matching)
            for row in counted:
                kept[row["of"]].update({name: row[name] for name in NAMES})
    total: Counter[str] = sum(by_project.values(), Counter())
    return {
        **_counts(total),
        "projects": _listed(by_project),
        "labels": _listed(by_label),
        "filters": _of_filters(user, parts, context),
    }


def _of_filters(user: User, parts: Sequence[Any], context: Context) -> list[dict[str, Any]]:
    """Count by saved filter, in the order of the filters, all in one statement for each part of the tasks."""
    saved = SavedFilter.objects.visible_to(user.pk).alive().in_order().values_list("id", "query")
    conditions = {id_: _condition(query, context) for id_, query in saved}
    also = {"open": Q(), **{name: to_q(filter_, context) for name, filter_ in _FILTERS.items()}}
    numbers = {
        f"{name}_{number}": Count("id", filter=q & more)
        for number, q in enumerate(conditions.values())
        if q is not None
        for name, more in also.items()
    }
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.alive().open().order_by().aggregate(**numbers))
    return [
        {"id": id_} | {name: None if q is None else counts[f"{name}_{number}"] for name in NAMES}
        for number, (id_, q) in enumerate(conditions.items())
    ]


def _condition(query: str, context: Context) -> Q | None:
    """Return the condition of a saved filter, or None if what it names is gone."""
    try:
        return to_q(parse(query), context)
    except InvalidInput:
        return None


def _listed(counts: Mapping[uuid.UUID, Counter[str]]) -> list[dict[str, Any]]:
    return [{"id": id_, **_counts(counts[id_])} for id_ in sorted(counts)]


def _counts(counted: Counter[str]) -> dict[str, int]:
    return {name: counted[name] for name in NAMES}
