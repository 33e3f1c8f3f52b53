"""Counts of open tasks, as the lists and the filters of tasks have them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from django.db.models import Count, F

from todo_project.accounts.models import User
from todo_project.todos.models import Task
from todo_project.todos.models.filtering.conditions import Context, to_q
from todo_project.todos.models.filtering.syntax import parse

# besides the number of open tasks, the numbers of those that a filter matches
_FILTERS = {"due_today": parse("due:today"), "overdue": parse("overdue")}
NAMES = ("open", *_FILTERS)


def count_open_tasks(*, user: User, now: dt.datetime) -> dict[str, Any]:
    """Return the counts of all open tasks that the user sees, of each project, and of each label."""
    context = Context.of(user, now=now)
    matching = {name: Count("id", filter=to_q(filter_, context)) for name, filter_ in _FILTERS.items()}
    parts = [Task.objects.owned_by(user.pk), *([Task.objects.shared_with(user.pk)] if user.is_member else [])]
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
    return {**_counts(total), "projects": _listed(by_project), "labels": _listed(by_label)}


def _listed(counts: Mapping[uuid.UUID, Counter[str]]) -> list[dict[str, Any]]:
    return [{"id": id_, **_counts(counts[id_])} for id_ in sorted(counts)]


def _counts(counted: Counter[str]) -> dict[str, int]:
    return {name: counted[name] for name in NAMES}
