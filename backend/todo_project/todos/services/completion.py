"""Done, and not done after all: both may be said twice. What recurs goes on as another task."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import models, transaction
from django.db.models import F

from todo_project.accounts.models import User
from todo_project.db.compiled import CompiledObjects, CompiledUpdate
from todo_project.db.owned import OwnedQuery, Read
from todo_project.db.rows import uuid7
from todo_project.todos.models import Project, Task, TaskLabel
from todo_project.todos.services import moments, placement, recurrence, rows

_COPIED = (
    *("owner_id", "project_id", "section_id", "parent_id"),
    *("title", "description", "priority", "reminders", "position", "recurrence_rule", "recurrence_mode"),
    *(f"{name}_{part}" for name in moments.NAMES for part in ("date", "at", "time_zone")),
)


_ID = models.UUIDField()
# Most tasks do not recur: of such a one only what was seen of it must still hold, so nothing is locked.
_COMPLETE_AS_SEEN = CompiledUpdate(
    lambda owner_id, row_id, version, now: (
        Task.objects.visible_to(owner_id).alive().filter(id=row_id, version=version),
        {"completed_at": now, "updated_at": now, "version": F("version") + 1},
    ),
    {"owner_id": _ID, "row_id": _ID, "version": models.PositiveIntegerField(), "now": models.DateTimeField()},
)
_SEEN = CompiledObjects(
    Task,
    lambda owner_id, row_id: Task.objects.visible_to(owner_id).alive().with_label_ids().filter(id=row_id),
    {"owner_id": _ID, "row_id": _ID},
    also=("label_ids",),
)
_SEEN_ROWS = OwnedQuery(_SEEN.rows, {"row_id": _ID})


def read_of(task_id: uuid.UUID) -> Read:
    """Give what a completion looks at first."""
    return Read(_SEEN_ROWS, {"row_id": task_id})


def complete_task(
    *,
    user: User,
    task_id: uuid.UUID,
    now: dt.datetime,
    expected_versions: frozenset[int] | None = None,
    read: Read | None = None,
) -> Task:
    """Mark the task as done; one that is done stays as it is. Its subtasks stay as they are, too.

    The first completion of a recurring task makes the next one, with its subtasks as still to do, unless the
    series is over; `next_task` names it. `read` is `read_of(task_id)`, if it was made already. Raises NotFound and
    StaleVersion.
    """
    seen = (read or read_of(task_id)).rows(user.pk)
    if seen:
        task = _SEEN.object(seen[0])
        rows.compare(task, expected_versions=expected_versions)
        if task.completed_at is None and not task.recurrence_rule and _complete_if_unchanged(task, now):
            task.completed_at = task.updated_at = now
            task.version += 1
            return task
    return _complete(user=user, task_id=task_id, now=now, expected_versions=expected_versions)


def _complete_if_unchanged(task: Task, now: dt.datetime) -> bool:
    """Complete the task in the database, if it is still the version that was seen; tells whether it was."""
    values = {"owner_id": task.owner_id, "row_id": task.id, "version": task.version, "now": now}
    return bool(_COMPLETE_AS_SEEN.run(values))


@transaction.atomic
def _complete(
    *, user: User, task_id: uuid.UUID, now: dt.datetime, expected_versions: frozenset[int] | None
) -> Task:
    mine = Task.objects.visible_to(user.pk).alive()
    recurring = mine.filter(id=task_id).exclude(recurrence_rule="")
    _lock_projects(user, recurring)
    task = placement.locked_task(mine, task_id=task_id, expected_versions=expected_versions)
    if task.completed_at is not None:
        return task
    task.completed_at = now
    if task.recurrence_rule and task.next_task_id is None:
        task.next_task = _next_task(user, task, now)
    rows.save(task, fields=["completed_at", "next_task"], now=now)
    return task


@transaction.atomic
def reopen_task(
    *, user: User, task_id: uuid.UUID, now: dt.datetime, expected_versions: frozenset[int] | None = None
) -> Task:
    """Mark the task as still to do; one that is stays as it is.

    A next task that nobody touched since goes into the trash with its subtasks; one that somebody did touch stays,
    and completing this one again makes no other. Raises NotFound and StaleVersion.
    """
    mine = Task.objects.visible_to(user.pk).alive()
    _lock_projects(user, mine.filter(id=task_id).exclude(next_task_id=None))
    task = placement.locked_task(mine, task_id=task_id, expected_versions=expected_versions)
    if task.completed_at is None:
        return task
    task.completed_at = None
    if task.next_task_id is not None and _take_back(mine, task.next_task_id, now):
        task.next_task = None
    rows.save(task, fields=["completed_at", "next_task"], now=now)
    return task


def _lock_projects(user: User, tasks: Any) -> None:
    """Lock where the tasks are before the tasks themselves, as everyone does who adds or removes some."""
    ids = tasks.order_by().values("project_id")
    list(Project.objects.visible_to(user.pk).filter(id__in=ids).select_for_update(of=("self",), no_key=True))


def _take_back(mine: Any, task_id: uuid.UUID, now: dt.datetime) -> bool:
    following = mine.filter(id=task_id).select_for_update(of=("self",)).first()
    if following is None:  # in the trash already
        return True
    below = placement.all_below(following)
    if following.version > 1 or below.filter(version__gt=1).exists():
        return False
    rows.update_all(below, now=now, deleted_at=now)
    following.deleted_at = now
    rows.save(following, fields=["deleted_at"], now=now)
    return True


def _next_task(user: User, task: Task, now: dt.datetime) -> Task | None:
    name = "due" if moments.of(task, "due") is not None else "start"
    anchor = moments.of(task, name)
    if anchor is None:
        return None
    following = recurrence.next_of(
        recurrence.parse(task.recurrence_rule),
        mode=task.recurrence_mode,
        moment=anchor,
        now=now,
        default_zone=user.time_zone,
    )
    if following is None:
        return None
    copy = _copied(task, shift=following.shift, zone=user.time_zone, now=now)
    copy.recurrence_rule = following.rule
    for column, value in moments.columns(name, following.moment).items():
        setattr(copy, column, value)
    place = placement.place_of(task)
    copy.position = placement.last_position(place, owner_id=task.owner_id)
    copy.save(force_insert=True)
    _copy_labels({task.id: copy.id})
    _copy_subtasks(task, copy, (following.shift, user.time_zone, now))
    return copy


def _copied(task: Task, *, shift: dt.timedelta, zone: str, now: dt.datetime) -> Task:
    copy = Task(id=uuid7(), created_at=now, updated_at=now, **{name: getattr(task, name) for name in _COPIED})
    for name in moments.NAMES:
        moment = moments.shifted(moments.of(task, name), shift, default_zone=zone)
        for column, value in moments.columns(name, moment).items():
            setattr(copy, column, value)
    copy.reminders = [_shifted_reminder(reminder, shift) for reminder in task.reminders]
    return copy


def _shifted_reminder(reminder: dict[str, Any], shift: dt.timedelta) -> dict[str, Any]:
    if "at" not in reminder:
        return reminder
    try:
        at = dt.datetime.fromisoformat(reminder["at"]) + shift
    except OverflowError:
        return reminder
    return {"at": at.isoformat().replace("+00:00", "Z")}


def _copy_subtasks(task: Task, copy: Task, how: tuple[dt.timedelta, str, dt.datetime]) -> None:
    """Copy what is under the task, as still to do and moved by the same time; of a series only where it is now."""
    shift, zone, now = how
    copies = {task.id: copy.id}
    for level in placement.levels_below(task):
        alive = Task.objects.visible_to(task.owner_id).alive()
        subtasks = alive.filter(id__in=level, parent_id__in=copies, next_task_id=None)
        made = []
        for subtask in subtasks:
            twin = _copied(subtask, shift=shift, zone=zone, now=now)
            twin.parent_id = copies[subtask.parent_id] if subtask.parent_id else None
            copies[subtask.id] = twin.id
            made.append(twin)
        Task.objects.bulk_create(made)
    del copies[task.id]
    _copy_labels(copies)


def _copy_labels(copies: dict[uuid.UUID, uuid.UUID]) -> None:
    marks = TaskLabel.objects.filter(task_id__in=copies).values_list("task_id", "label_id")
    TaskLabel.objects.bulk_create(
        [TaskLabel(task_id=copies[task_id], label_id=label_id) for task_id, label_id in marks]
    )
