"""Moves rows to the trash and restores them (docs/adr/0007).

What is deleted together gets the same `deleted_at` and is restored together, with one statement per table. Nothing
is restored into something that is still in the trash; see the invariant in placement.py.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import IntegrityError, transaction

from todo_project.accounts.models import User
from todo_project.errors import Conflict
from todo_project.todos.models import Label, OwnedQuerySet, Project, Section, Task
from todo_project.todos.services import labels, placement, projects, rows


class ParentIsTrashed(Conflict):
    """The project or parent project is in the trash, so nothing can be restored into it."""


@transaction.atomic
def trash_task(
    *, user: User, task_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> None:
    """Move the task and its subtasks to the trash, unless it is there already.

    Raises NotFound and StaleVersion.
    """
    held = placement.lock_projects(owner_id=user.pk, fields={}, task_id=task_id)
    task = rows.locked(Task.objects.visible_to(user.pk), row_id=task_id)
    if task.deleted_at is not None:
        return
    if task.project_id not in held:
        raise placement.moved()
    rows.compare(task, expected_versions=expected_versions)
    rows.update_all(placement.all_below(task).alive(), now=now, deleted_at=now)
    rows.change(task, changes={"deleted_at": now}, now=now)


@transaction.atomic
def restore_task(
    *, user: User, task_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> Task:
    """Restore the task with the subtasks that were deleted with it, unless it is not in the trash.

    It leaves a parent or section that is still in the trash. Raises NotFound, StaleVersion, ParentIsTrashed if its
    project is in the trash, and placement.TaskExistsAgain.
    """
    held = placement.lock_projects(owner_id=user.pk, fields={}, task_id=task_id)
    mine = Task.objects.visible_to(user.pk)
    task = placement.locked_task(mine, task_id=task_id, expected_versions=expected_versions)
    if task.deleted_at is None:
        return task
    if task.project_id not in held:
        _check_is_alive(task.project)
        raise placement.moved()
    together = placement.all_below(task, deleted_at=task.deleted_at)
    placement.check_uids_are_free(together | mine.filter(id=task.id), project_id=task.project_id)
    changed = placement.move(task, placement.place_for_restore(task), now=now)
    rows.update_all(together, now=now, deleted_at=None)
    task.deleted_at = None
    rows.save(task, fields={"deleted_at", *changed}, now=now)
    return task


@transaction.atomic
def trash_project(
    *, owner_id: uuid.UUID, project_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> None:
    """Move a project and everything in it to the trash, unless it is there already.

    Raises NotFound, StaleVersion, and InboxIsFixed.
    """
    tree = projects.locked_tree(owner_id=owner_id)
    project = rows.locked(Project.objects.visible_to(owner_id), row_id=project_id)
    if project.deleted_at is not None:
        return
    rows.compare(project, expected_versions=expected_versions)
    if project.is_inbox:
        raise projects.InboxIsFixed("The Inbox cannot be deleted.")
    trashed = [each.id for each in projects.under(tree, project_id)]
    for held in _held_by(owner_id, trashed):
        rows.update_all(held.alive(), now=now, deleted_at=now)


@transaction.atomic
def restore_project(
    *, owner_id: uuid.UUID, project_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> Project:
    """Restore a project with everything that was deleted with it, unless it is not in the trash.

    Raises NotFound, StaleVersion, and ParentIsTrashed.
    """
    tree = projects.locked_tree(owner_id=owner_id)
    mine = Project.objects.visible_to(owner_id)
    project = rows.locked(mine, row_id=project_id, expected_versions=expected_versions)
    if project.deleted_at is None:
        return project
    if project.parent_id is not None:
        _check_is_alive(tree[project.parent_id])
    together = {each.id: each for each in tree.values() if each.deleted_at == project.deleted_at}
    restored = [each.id for each in projects.under(together, project_id)]
    for held in _held_by(owner_id, restored):
        rows.update_all(held.filter(deleted_at=project.deleted_at), now=now, deleted_at=None)
    return mine.get(id=project_id)


@transaction.atomic
def trash_section(
    *, owner_id: uuid.UUID, section_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> None:
    """Move a section and its tasks to the trash, unless it is there already.

    Raises NotFound and StaleVersion.
    """
    projects.locked_tree(owner_id=owner_id)  # all projects, because the section may have moved meanwhile
    section = rows.locked(Section.objects.visible_to(owner_id), row_id=section_id)
    if section.deleted_at is not None:
        return
    rows.compare(section, expected_versions=expected_versions)
    rows.update_all(_tasks_of(section).alive(), now=now, deleted_at=now)
    rows.change(section, changes={"deleted_at": now}, now=now)


@transaction.atomic
def restore_section(
    *, owner_id: uuid.UUID, section_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> Section:
    """Restore a section with the tasks that were deleted with it, unless it is not in the trash.

    Raises NotFound, StaleVersion, ParentIsTrashed if its project is in the trash, and placement.TaskExistsAgain.
    """
    projects.locked_tree(owner_id=owner_id)
    mine = Section.objects.visible_to(owner_id)
    section = rows.locked(mine.select_related("project"), row_id=section_id, expected_versions=expected_versions)
    if section.deleted_at is None:
        return section
    _check_is_alive(section.project)
    tasks = _tasks_of(section).filter(deleted_at=section.deleted_at)
    placement.check_uids_are_free(tasks, project_id=section.project_id)
    rows.update_all(tasks, now=now, deleted_at=None)
    rows.change(section, changes={"deleted_at": None}, now=now)
    return section


@transaction.atomic
def trash_label(
    *, owner_id: uuid.UUID, label_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> None:
    """Move a label to the trash, unless it is there already.

    Its tasks no longer show it, but keep the association, so that restoring the label shows it again. Raises
    NotFound and StaleVersion.
    """
    projects.locked_tree(owner_id=owner_id)  # before its tasks, as every write of several tasks does
    label = rows.locked(Label.objects.visible_to(owner_id), row_id=label_id)
    if label.deleted_at is not None:
        return
    rows.compare(label, expected_versions=expected_versions)
    rows.change(label, changes={"deleted_at": now}, now=now)
    rows.update_all(Task.objects.visible_to(owner_id).with_label(label_id), now=now)


@transaction.atomic
def restore_label(
    *, owner_id: uuid.UUID, label_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> Label:
    """Restore a label on the tasks that had it, unless it is not in the trash.

    Raises NotFound, StaleVersion, and LabelNameTaken if another label has its name now.
    """
    projects.locked_tree(owner_id=owner_id)
    mine = Label.objects.visible_to(owner_id)
    label = rows.locked(mine, row_id=label_id, expected_versions=expected_versions)
    if label.deleted_at is None:
        return label
    try:
        with transaction.atomic():
            rows.change(label, changes={"deleted_at": None}, now=now)
    except IntegrityError as error:
        raise labels.name_taken(label.name) from error
    rows.update_all(Task.objects.visible_to(owner_id).with_label(label_id), now=now)
    return label


def _tasks_of(section: Section) -> OwnedQuerySet[Task]:
    return Task.objects.visible_to(section.owner_id).filter(section_id=section.id)


def _held_by(owner_id: uuid.UUID, project_ids: list[uuid.UUID]) -> tuple[OwnedQuerySet[Any], ...]:
    """Return the projects, their sections and their tasks."""
    return (
        Project.objects.visible_to(owner_id).filter(id__in=project_ids),
        Section.objects.visible_to(owner_id).filter(project_id__in=project_ids),
        Task.objects.visible_to(owner_id).filter(project_id__in=project_ids),
    )


def _check_is_alive(parent: Project) -> None:
    if parent.deleted_at is not None:
        raise ParentIsTrashed(
            f"The project {parent.name!r} ({parent.id}) is in the trash. Restore it first: "
            f"POST /projects/{parent.id}/restore."
        )
