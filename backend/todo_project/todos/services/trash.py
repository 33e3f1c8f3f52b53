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
from todo_project.todos.services import access, labels, leaving, locks, placement, projects, rows, trees
from todo_project.todos.services.access import Action


class ParentIsTrashed(Conflict):
    """The project or parent project is in the trash, so nothing can be restored into it."""


@transaction.atomic
def trash_task(
    *, user: User, task_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> None:
    """Move the task and its subtasks to the trash, unless it is there already.

    Raises NotFound, access.RoleTooLow and StaleVersion.
    """
    held = locks.lock_projects(user_id=user.pk, fields={}, task_id=task_id)
    task = rows.locked(Task.objects.visible_to(user.pk), row_id=task_id)
    access.require(Action.EDIT, user_id=user.pk, project_id=task.project_id, owner_id=task.owner_id)
    if task.deleted_at is not None:
        return
    if task.project_id not in held:
        raise locks.moved()
    rows.compare(task, expected_versions=expected_versions)
    rows.update_all(placement.all_below(task).alive(), now=now, deleted_at=now)
    rows.change(task, changes={"deleted_at": now}, now=now)


@transaction.atomic
def restore_task(
    *, user: User, task_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> Task:
    """Restore the task with the subtasks that were deleted with it, unless it is not in the trash.

    It leaves a parent or section that is still in the trash. Raises NotFound, access.RoleTooLow, StaleVersion,
    ParentIsTrashed if its project is in the trash, and placement.TaskExistsAgain.
    """
    held = locks.lock_projects(user_id=user.pk, fields={}, task_id=task_id)
    seen = Task.objects.visible_to(user.pk)
    task = locks.locked_task(seen, user_id=user.pk, task_id=task_id, expected_versions=expected_versions)
    if task.deleted_at is None:
        return task
    if task.project_id not in held:
        _check_is_alive(task.project)
        raise locks.moved()
    together = placement.all_below(task, deleted_at=task.deleted_at)
    placement.check_uids_are_free(together | Task.objects.filter(id=task.id), project_id=task.project_id)
    changed = placement.move(task, placement.place_for_restore(task), user_id=user.pk, projects=held, now=now)
    rows.update_all(together, now=now, deleted_at=None)
    task.deleted_at = None
    rows.save(task, fields={"deleted_at", *changed}, now=now)
    return task


@transaction.atomic
def trash_project(
    *, user_id: uuid.UUID, project_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> None:
    """Move a project and everything in it to the trash, unless it is there already.

    Raises NotFound, access.RoleTooLow, StaleVersion, and InboxIsFixed.
    """
    tree, project = _own_project(user_id, project_id)
    if project.deleted_at is not None:
        return
    rows.compare(project, expected_versions=expected_versions)
    if project.is_inbox:
        raise projects.InboxIsFixed("The Inbox cannot be deleted. Delete its tasks instead.")
    trashed = [each.id for each in trees.under(tree, project_id)]
    for held in _held_by(trashed):
        rows.update_all(held.alive(), now=now, deleted_at=now)
    leaving.revoke_invitations(project_ids=trashed, now=now)


@transaction.atomic
def restore_project(
    *, user_id: uuid.UUID, project_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> Project:
    """Restore a project with everything that was deleted with it, unless it is not in the trash.

    Raises NotFound, access.RoleTooLow, StaleVersion, and ParentIsTrashed.
    """
    tree, project = _own_project(user_id, project_id)
    rows.compare(project, expected_versions=expected_versions)
    if project.deleted_at is None:
        return access.shown(project, user_id=user_id)
    if project.parent_id is not None:
        _check_is_alive(tree[project.parent_id])
    together = {each.id: each for each in tree.values() if each.deleted_at == project.deleted_at}
    restored = [each.id for each in trees.under(together, project_id)]
    for held in _held_by(restored):
        rows.update_all(held.filter(deleted_at=project.deleted_at), now=now, deleted_at=None)
    return access.shown(Project.objects.get(id=project_id), user_id=user_id)


@transaction.atomic
def trash_section(
    *, user_id: uuid.UUID, section_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> None:
    """Move a section and its tasks to the trash, unless it is there already.

    Raises NotFound, access.RoleTooLow, StaleVersion, and MovedMeanwhile.
    """
    section = _locked_section(user_id, section_id)
    if section.deleted_at is not None:
        return
    rows.compare(section, expected_versions=expected_versions)
    rows.update_all(Task.objects.filter(section_id=section.id).alive(), now=now, deleted_at=now)
    rows.change(section, changes={"deleted_at": now}, now=now)


@transaction.atomic
def restore_section(
    *, user_id: uuid.UUID, section_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> Section:
    """Restore a section with the tasks that were deleted with it, unless it is not in the trash.

    Raises NotFound, access.RoleTooLow, StaleVersion, locks.MovedMeanwhile, ParentIsTrashed if its project is in
    the trash, and placement.TaskExistsAgain.
    """
    section = _locked_section(user_id, section_id)
    rows.compare(section, expected_versions=expected_versions)
    if section.deleted_at is None:
        return section
    _check_is_alive(section.project)
    tasks = Task.objects.filter(section_id=section.id, deleted_at=section.deleted_at)
    placement.check_uids_are_free(tasks, project_id=section.project_id)
    rows.update_all(tasks, now=now, deleted_at=None)
    rows.change(section, changes={"deleted_at": None}, now=now)
    return section


@transaction.atomic
def trash_label(
    *, user_id: uuid.UUID, label_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> None:
    """Move a label to the trash, unless it is there already.

    Its tasks no longer show it, but keep the association, so that restoring the label shows it again. Raises
    NotFound, LabelIsNotYours, StaleVersion, and locks.MovedMeanwhile.
    """
    held = _locked_projects_with(user_id, label_id)
    label = labels.locked_label(Label.objects.visible_to(user_id), user_id=user_id, label_id=label_id)
    if label.deleted_at is not None:
        return
    rows.compare(label, expected_versions=expected_versions)
    rows.change(label, changes={"deleted_at": now}, now=now)
    _change_tasks_with(label_id, held, now=now)


@transaction.atomic
def restore_label(
    *, user_id: uuid.UUID, label_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> Label:
    """Restore a label on the tasks that had it, unless it is not in the trash.

    Raises NotFound, LabelIsNotYours, StaleVersion, locks.MovedMeanwhile, and LabelNameTaken if another label has
    its name now.
    """
    held = _locked_projects_with(user_id, label_id)
    seen = Label.objects.visible_to(user_id)
    label = labels.locked_label(seen, user_id=user_id, label_id=label_id, expected_versions=expected_versions)
    if label.deleted_at is None:
        return label
    try:
        with transaction.atomic():
            rows.change(label, changes={"deleted_at": None}, now=now)
    except IntegrityError as error:
        raise labels.name_taken(label.name) from error
    _change_tasks_with(label_id, held, now=now)
    return label


def _own_project(user_id: uuid.UUID, project_id: uuid.UUID) -> tuple[trees.ProjectTree, Project]:
    """Lock the tree that the project is in; return both."""
    tree = trees.locked_trees(user_id=user_id, project_ids=[project_id])
    project = trees.project_in(tree, user_id=user_id, project_id=project_id)
    access.require(Action.OWN, user_id=user_id, project_id=project.id, owner_id=project.owner_id)
    return tree, project


def _locked_section(user_id: uuid.UUID, section_id: uuid.UUID) -> Section:
    """Return the section, locked after all projects of its owner, because it may have moved meanwhile."""
    seen = Section.objects.visible_to(user_id)
    tree = trees.locked_trees_of(seen.filter(id=section_id))
    section = rows.locked(seen.select_related("project"), row_id=section_id)
    if section.project_id not in tree:
        raise locks.moved("section")
    access.require(Action.EDIT, user_id=user_id, project_id=section.project_id, owner_id=section.owner_id)
    return section


def _locked_projects_with(user_id: uuid.UUID, label_id: uuid.UUID) -> trees.ProjectTree:
    """Lock the user's projects, and those of others where the label is used.

    The projects are locked before their tasks, as every write of several tasks does.
    """
    bearing = Task.objects.filter(task_labels__label_id=label_id, task_labels__label__owner_id=user_id)
    return trees.locked_tree(owner_id=user_id, others=bearing.values("project_id"))


def _change_tasks_with(label_id: uuid.UUID, held: trees.ProjectTree, *, now: dt.datetime) -> None:
    """Give the tasks with a locked label a new version; raise MovedMeanwhile if there is one in another project."""
    bearing = Task.objects.with_label(label_id)
    if bearing.exclude(project_id__in=list(held)).exists():
        raise locks.MovedMeanwhile(
            "Another request has just put this label on a task in another project. Try again."
        )
    rows.update_all(bearing, now=now)


def _held_by(project_ids: list[uuid.UUID]) -> tuple[OwnedQuerySet[Any], ...]:
    """Return the projects, their sections and their tasks."""
    return (
        Project.objects.filter(id__in=project_ids),
        Section.objects.filter(project_id__in=project_ids),
        Task.objects.filter(project_id__in=project_ids),
    )


def _check_is_alive(parent: Project) -> None:
    if parent.deleted_at is not None:
        raise ParentIsTrashed(
            f"The project {parent.name!r} ({parent.id}) is in the trash. Restore it first: "
            f"POST /projects/{parent.id}/restore."
        )
