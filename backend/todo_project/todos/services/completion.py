"""Complete and reopen tasks; both are idempotent. Completing a recurring task creates the next one."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import models, transaction
from django.db.models import F

from todo_project.accounts.models import User
from todo_project.db.compiled import CompiledObjects, CompiledUpdate
from todo_project.errors import NOT_FOUND, NotFound
from todo_project.todos.models import Project, Task
from todo_project.todos.services import access, locks, next_task, placement, rows, trash
from todo_project.todos.services.access import Action

_ID = models.UUIDField()
_TASK = CompiledObjects(
    Task,
    lambda user_id, row_id: Task.objects.visible_to(user_id).alive().with_links().filter(id=row_id),
    {"user_id": _ID, "row_id": _ID},
    annotations=("label_ids", "assignee_ids"),
)
_COMPLETE = CompiledUpdate(
    lambda row_id, version, now: (
        Task.objects.filter(id=row_id, version=version),
        {"completed_at": now, "updated_at": now, "version": F("version") + 1},
    ),
    {"row_id": _ID, "version": models.PositiveIntegerField(), "now": models.DateTimeField()},
)


def complete_task(
    *,
    user: User,
    task_id: uuid.UUID,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
) -> Task:
    """Complete the task, unless it is completed already. Its subtasks do not change.

    The first completion of a recurring task creates the next task, with open copies of the subtasks, unless the
    series is over; `next_task` refers to it. So does the first completion after the task was reopened, unless the
    next task has been restored from the trash. Raises NotFound, access.RoleTooLow and StaleVersion.
    """
    while True:
        found = _TASK.all(user_id=user.pk, row_id=task_id)
        if not found:
            raise NotFound(NOT_FOUND)
        task = found[0]
        access.require(Action.EDIT, user_id=user.pk, project_id=task.project_id, owner_id=task.owner_id)
        rows.compare(task, expected_versions=expected_versions)
        if task.completed_at is not None or _complete(user, task, now):
            return task  # otherwise a concurrent request has changed the task, so read it again


@transaction.atomic
def complete_again(
    *,
    user: User,
    task_id: uuid.UUID,
    completed_at: dt.datetime,
    next_task_id: uuid.UUID | None,
    restores_next: bool,
    now: dt.datetime,
) -> Task:
    """Take back that a task was reopened: it was completed at that time, and has the next task that it had, if any.

    `restores_next` is whether reopening it moved that one to the trash. If it is gone, another one is created. The
    caller has locked the projects of both. Raises what complete_task and trash.restore_task raise.
    """
    seen = Task.objects.visible_to(user.pk)
    following = None if next_task_id is None else seen.filter(id=next_task_id).first()
    if next_task_id is not None and following is None:
        return complete_task(user=user, task_id=task_id, now=now)
    if restores_next and next_task_id is not None:
        trash.restore_task(user=user, task_id=next_task_id, now=now)
    task = locks.locked_task(seen.alive(), user_id=user.pk, task_id=task_id)
    if task.completed_at is None:
        changes: dict[str, Any] = {"completed_at": completed_at}
        if task.next_task_id is None and following is not None:
            changes |= {"next_task_id": following.id, "is_next_elsewhere": _is_elsewhere(task, following)}
        rows.change(task, changes=changes, now=now)
    return task


def _complete(user: User, task: Task, now: dt.datetime) -> bool:
    """Save the completion if the task has not changed since it was read; return whether it was saved."""
    continues = task.recurrence_rule and task.next_task_id is None
    if not continues and task.owner_id == user.pk:
        with transaction.atomic():  # so that the log knows who wrote
            return _save_if_unchanged(task, now)
    with transaction.atomic():
        locks.hold(Project.objects.visible_to(user.pk).filter(id=task.project_id))
        # again, because the member may have been removed before the project was locked
        access.require(Action.EDIT, user_id=user.pk, project_id=task.project_id, owner_id=task.owner_id)
        if not _save_if_unchanged(task, now):
            return False
        if continues:
            task.next_task = _restored(task) or next_task.create(task, default_zone=_zone(user, task), now=now)
            task.is_next_elsewhere = _is_elsewhere(task, task.next_task)
            task.save(update_fields=["next_task", "is_next_elsewhere"])
    return True


def _restored(task: Task) -> Task | None:
    """Return the next task that was taken back when this one was reopened, if somebody has restored it."""
    if task.taken_back_id is None:
        return None
    return Task.objects.alive().filter(id=task.taken_back_id).first()


def _is_elsewhere(task: Task, following: Task | None) -> bool:
    return following is not None and following.project_id != task.project_id


def _zone(user: User, task: Task) -> str:
    """Return the zone of moments without one: the owner's, whoever completes the task."""
    return user.time_zone if task.owner_id == user.pk else task.owner.time_zone


def _save_if_unchanged(task: Task, now: dt.datetime) -> bool:
    """Save the completion as the next version of the version that was read; return False if there is a later one.

    The same version also means the same owner and not in the trash, because every change makes a new version.
    """
    if not _COMPLETE.run(row_id=task.id, version=task.version, now=now):
        return False
    task.version += 1
    task.completed_at = task.updated_at = now
    return True


@transaction.atomic
def reopen_task(
    *, user: User, task_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> Task:
    """Reopen the task, unless it is open already.

    If the next task still is what completing this one created, it moves to the trash with its subtasks. Otherwise
    it stays, and completing this task again creates no other. Raises NotFound, access.RoleTooLow and StaleVersion.
    """
    seen = Task.objects.visible_to(user.pk).alive()
    wanted = seen.filter(id=task_id)
    if not user.is_member:
        wanted = wanted.exclude(next_task_id=None)
    locks.hold(Project.objects.visible_to(user.pk).filter(id__in=wanted.order_by().values("project_id")))
    task = locks.locked_task(seen, user_id=user.pk, task_id=task_id, expected_versions=expected_versions)
    if task.completed_at is None:
        return task
    if task.next_task_id is not None and _trash_if_unchanged(user, task, task.next_task_id, now):
        task.taken_back_id, task.next_task = task.next_task_id, None
    task.completed_at = None
    rows.save(task, fields=["completed_at", "next_task", "taken_back_id"], now=now)
    return task


def _trash_if_unchanged(user: User, task: Task, next_task_id: uuid.UUID, now: dt.datetime) -> bool:
    """Move the next task to the trash if nobody has changed it; return False if somebody has.

    One that is in another project was moved. The user may not see it there, and its project is not locked.
    """
    following = Task.objects.filter(id=next_task_id, project_id=task.project_id).locked().first()
    if following is None:
        return False
    if following.deleted_at is not None:
        return True
    below = placement.all_below(following).alive()
    list(below.locked().values_list("id"))
    if not next_task.is_as_made(task, following, default_zone=_zone(user, task)):
        return False
    rows.update_all(below, now=now, deleted_at=now)
    following.deleted_at = now
    rows.save(following, fields=["deleted_at"], now=now)
    return True
