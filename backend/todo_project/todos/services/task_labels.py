"""The labels of tasks: which ones a person may put on a task, and which ones a task takes to another project.

A label belongs to the person who created it. On a task, people may put their own labels, and any label that is in
use in the task's project, which they all see there (ADR 0029).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.db import models

from todo_project.db import inserts
from todo_project.db.compiled import CompiledQuery
from todo_project.errors import InputErrors, InvalidInput
from todo_project.todos.models import Label, OwnedQuerySet, Task, TaskLabel

_ID = models.UUIDField()
_USABLE = CompiledQuery(
    lambda user_id, project_id, ids: (
        Label.objects.usable_in(project_id, user_id=user_id).alive().filter(id__in=ids).values_list("id")
    ),
    {"user_id": _ID, "project_id": _ID, "ids": _ID},
)


def usable(
    wanted: list[uuid.UUID],
    *,
    user_id: uuid.UUID,
    project_id: uuid.UUID | None,
    old: Collection[uuid.UUID],
    errors: InputErrors,
) -> list[uuid.UUID]:
    """Return the wanted labels, sorted, and add those that the user may not put on the task to `errors`.

    `old` are the labels that the task has. The project is None if the task's new place is invalid anyway.
    """
    if not wanted:
        return []
    values = {"user_id": user_id, "project_id": project_id, "ids": wanted}
    known = {row[0] for row in _USABLE.rows(values)} | {*old}
    for position, label_id in enumerate(wanted):
        if label_id not in known:
            errors.add(
                InvalidInput(
                    "You have no label with this id. Check the id.", pointer=f"/labels/{position}", code="not_found"
                )
            )
    return sorted(set(wanted))


def take_off(task: Task, *, but: Collection[uuid.UUID]) -> None:
    """Remove all labels of the task except these."""
    removed = set(task.label_ids) - set(but)
    if removed:
        TaskLabel.objects.filter(task=task, label_id__in=removed).delete()
        task.label_ids = [label_id for label_id in task.label_ids if label_id not in removed]


def put_on(task: Task, labels: list[uuid.UUID]) -> None:
    """Add those of these labels that the task does not have."""
    added = set(labels) - set(task.label_ids)
    if added:
        # the task may already have a label that was in the trash and has just been restored
        links = [TaskLabel(task_id=task.id, label_id=label_id) for label_id in sorted(added)]
        inserts.insert(links, ignore_conflicts=True)
    task.label_ids = labels


def leave_behind(
    tasks: OwnedQuerySet[Task], *, user_id: uuid.UUID, project_id: uuid.UUID, owner_id: uuid.UUID
) -> set[uuid.UUID]:
    """Remove from tasks that move to another project the labels that are unknown there; return these labels.

    The labels of the user who moves them and of the project's owner stay, and those in use in the project.
    """
    marks = TaskLabel.objects.filter(task__in=tasks.order_by()).exclude(label__owner_id__in={user_id, owner_id})
    in_use = TaskLabel.objects.filter(project_id=project_id).values("label_id")
    left = marks.exclude(label_id__in=in_use)
    labels = set(left.values_list("label_id", flat=True))
    if labels:
        left.delete()
    return labels
