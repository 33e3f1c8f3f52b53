"""Tasks into the trash and back, always with what is under them."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction

from todo_project.accounts.models import User
from todo_project.todos.models import Task
from todo_project.todos.services import placement, rows, trash


@transaction.atomic
def delete_task(
    *, user: User, task_id: uuid.UUID, now: dt.datetime, expected_versions: frozenset[int] | None = None
) -> None:
    """Put the task into the trash with its subtasks, all at the same instant; one that is there stays as it is.

    Raises NotFound and StaleVersion.
    """
    placement.lock_projects(owner_id=user.pk, fields={}, task_id=task_id)
    task = rows.locked(Task.objects.visible_to(user.pk), row_id=task_id)
    if task.deleted_at is not None:
        return
    rows.compare(task, expected_versions=expected_versions)
    rows.update_all(placement.all_below(task).alive(), now=now, deleted_at=now)
    task.deleted_at = now
    rows.save(task, fields=["deleted_at"], now=now)


@transaction.atomic
def restore_task(
    *, user: User, task_id: uuid.UUID, now: dt.datetime, expected_versions: frozenset[int] | None = None
) -> Task:
    """Bring the task back with what went into the trash with it; one that is not there stays as it is.

    It comes back without its parent or section when they are in the trash themselves. Raises NotFound,
    StaleVersion, trash.ParentIsTrashed for its project, trash.TaskExistsAgain.
    """
    projects = placement.lock_projects(owner_id=user.pk, fields={}, task_id=task_id)
    mine = Task.objects.visible_to(user.pk)
    task = placement.locked_task(mine, task_id=task_id, expected_versions=expected_versions)
    if task.deleted_at is None:
        return task
    if task.project_id not in projects:
        raise trash.ParentIsTrashed(
            f"Its project is in the trash. Restore it first: POST /projects/{task.project_id}/restore."
        )
    together = placement.all_below(task).filter(deleted_at=task.deleted_at)
    trash.check_uids_are_free(together | mine.filter(id=task.id), project_id=task.project_id)
    if task.parent is not None and task.parent.deleted_at is not None:
        task.parent = None
    if task.section is not None and task.section.deleted_at is not None:
        task.section = None
    rows.update_all(together, now=now, deleted_at=None, section_id=task.section_id)
    task.deleted_at = None
    rows.save(task, fields=["deleted_at", "parent", "section"], now=now)
    return task
