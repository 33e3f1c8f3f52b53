"""Skips an occurrence of a recurring task, and lists those that follow."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from typing import TypedDict

from django.db import transaction

from todo_project.accounts.models import User
from todo_project.errors import NOT_FOUND, Conflict, NotFound
from todo_project.todos.models import Task
from todo_project.todos.services import locks, moments, next_task, rows, wording
from todo_project.todos.services.moments import Moment


class NotRecurring(Conflict):
    """The task does not continue as another one, so there is nothing to skip."""


class SeriesIsOver(Conflict):
    """There is no occurrence after this one."""


@transaction.atomic
def skip_task(*, user: User, task_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None) -> Task:
    """Move an open recurring task to its next occurrence, with the dates of its subtasks, without completing it.

    Raises NotFound, access.RoleTooLow, StaleVersion, locks.MovedMeanwhile, NotRecurring and SeriesIsOver.
    """
    projects = locks.lock_projects(user_id=user.pk, fields={}, task_id=task_id)
    seen = Task.objects.visible_to(user.pk).alive()
    task = locks.locked_task(seen, user_id=user.pk, task_id=task_id, expected_versions=expected_versions)
    if task.project_id not in projects:
        raise locks.moved()
    if not task.recurrence_rule:
        raise NotRecurring("This task does not recur. Change its due date instead.")
    if task.completed_at is not None:
        raise NotRecurring("This task is completed. Skip the next task of the series, or reopen this one.")
    if task.next_task_id is not None:
        raise NotRecurring("This task was completed before, and its next task was changed since. Skip that one.")
    if not next_task.move_on(task, default_zone=task.owner.time_zone, now=now):
        raise SeriesIsOver("This is the last occurrence. Complete or delete the task, or change its recurrence.")
    return task


class Series(TypedDict):
    """How a task recurs: in words, by the code of the language, and the moments of its next occurrences by name."""

    description: dict[str, str] | None
    results: list[dict[str, Moment | None]]


def list_occurrences(*, user_id: uuid.UUID, task_id: uuid.UUID, count: int, now: dt.datetime) -> Series:
    """Return the next occurrences of a task, if all are completed on time, and its rule in words.

    Raises NotFound.
    """
    seen = Task.objects.visible_to(user_id).alive().select_related("owner")
    task = seen.filter(id=task_id).first()
    if task is None:
        raise NotFound(NOT_FOUND)
    found = next_task.later_occurrences(task, default_zone=task.owner.time_zone, now=now)
    return {
        "description": _description(task) if task.recurrence_rule else None,
        "results": [
            {name: moments.of(each, name) for name in moments.NAMES} for each in itertools.islice(found, count)
        ],
    }


def _description(task: Task) -> dict[str, str]:
    first = moments.of(task, "start") or moments.of(task, "due")
    zone = first["time_zone"] or task.owner.time_zone if first and "at" in first else None
    return wording.describe(task.recurrence_rule, task.recurrence_mode, zone=zone)
