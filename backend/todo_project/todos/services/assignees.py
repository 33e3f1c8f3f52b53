"""The people that tasks are assigned to. Only those who take part in a task's project can be assigned to it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from todo_project.db import inserts
from todo_project.todos.models import OwnedQuerySet, Task, TaskAssignee
from todo_project.todos.services import people, rows


def of(task: Task) -> list[uuid.UUID]:
    """Return the sorted ids of the people that the task is assigned to."""
    return list(task.task_assignees.order_by("user_id").values_list("user_id", flat=True))


def set_for(task: Task, user_ids: Collection[uuid.UUID]) -> None:
    """Assign the task to exactly these people, who take part in its project."""
    added, removed = set(user_ids) - set(task.assignee_ids), set(task.assignee_ids) - set(user_ids)
    if removed:
        TaskAssignee.objects.filter(task=task, user_id__in=removed).delete()
    if added:
        inserts.insert([TaskAssignee(task_id=task.id, user_id=user_id) for user_id in sorted(added)])
    task.assignee_ids = sorted(user_ids)


def take_off(*, user_id: uuid.UUID, project_ids: Collection[uuid.UUID], now: dt.datetime) -> None:
    """Take a person who no longer takes part in these projects off all their tasks, each with its next version.

    The caller has locked the projects.
    """
    assigned = TaskAssignee.objects.filter(user_id=user_id, task__project_id__in=project_ids)
    rows.update_all(Task.objects.filter(id__in=assigned.values("task_id")), now=now)
    assigned.delete()


def take_off_strangers(tasks: OwnedQuerySet[Task], *, project_id: uuid.UUID) -> None:
    """Unassign everybody who is not in the project from these tasks, which move there.

    The caller gives the tasks their next version.
    """
    strangers = TaskAssignee.objects.filter(task__in=tasks).exclude(
        user_id__in=people.of_project(project_id).values("pk")
    )
    strangers.delete()
