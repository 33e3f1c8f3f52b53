"""The trash: what is deleted together carries one instant and comes back together (docs/adr/0007).

Everything is done to whole sets of rows, one statement per table, however many there are.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import IntegrityError, transaction

from todo_project.errors import Conflict
from todo_project.todos.models import Label, OwnedQuerySet, Project, Section, Task
from todo_project.todos.services import labels, projects, rows


class ParentIsTrashed(Conflict):
    """What holds this is in the trash itself."""


class TaskExistsAgain(Conflict):
    """A task that was imported once is there a second time, under the same iCalendar UID."""


@transaction.atomic
def trash_project(
    *, owner_id: uuid.UUID, project_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> None:
    """Put a project into the trash with all that it holds; what is there already stays as it is.

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
    """Bring a project back with all that went into the trash with it; one that is not there stays as it is.

    Raises NotFound, StaleVersion, and ParentIsTrashed.
    """
    tree = projects.locked_tree(owner_id=owner_id)
    mine = Project.objects.visible_to(owner_id)
    project = rows.locked(mine, row_id=project_id, expected_versions=expected_versions)
    if project.deleted_at is None:
        return project
    if project.parent_id is not None:
        _check_is_alive(tree[project.parent_id])
    restored = [each.id for each in projects.under(tree, project_id) if each.deleted_at == project.deleted_at]
    for held in _held_by(owner_id, restored):
        rows.update_all(held.filter(deleted_at=project.deleted_at), now=now, deleted_at=None)
    return mine.get(id=project_id)


@transaction.atomic
def trash_section(
    *, owner_id: uuid.UUID, section_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> None:
    """Put a section into the trash with its tasks; one that is there already stays as it is.

    Raises NotFound and StaleVersion.
    """
    projects.hold_for_section(owner_id=owner_id, section_id=section_id)
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
    """Bring a section back with the tasks that went into the trash with it; one not there stays as it is.

    Raises NotFound, StaleVersion, ParentIsTrashed when its project is in the trash, and TaskExistsAgain.
    """
    projects.locked_tree(owner_id=owner_id)
    mine = Section.objects.visible_to(owner_id)
    section = rows.locked(mine.select_related("project"), row_id=section_id, expected_versions=expected_versions)
    if section.deleted_at is None:
        return section
    _check_is_alive(section.project)
    tasks = _tasks_of(section).filter(deleted_at=section.deleted_at)
    check_uids_are_free(tasks, project_id=section.project_id)
    rows.update_all(tasks, now=now, deleted_at=None)
    rows.change(section, changes={"deleted_at": None}, now=now)
    return section


@transaction.atomic
def trash_label(
    *, owner_id: uuid.UUID, label_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> None:
    """Put a label into the trash, which takes it off its tasks; one that is there already stays as it is.

    That a task had it is kept, and not shown, for the case that it comes back. Raises NotFound and StaleVersion.
    """
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
    """Bring a label back to the tasks that had it; one that is not in the trash stays as it is.

    Raises NotFound, StaleVersion, and LabelNameTaken when another got its name meanwhile.
    """
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


def check_uids_are_free(tasks: OwnedQuerySet[Task], *, project_id: uuid.UUID) -> None:
    """Raise TaskExistsAgain when the project has other tasks with the iCalendar UIDs of these."""
    uids = tasks.exclude(uid="").order_by().values("uid")
    # the last condition lets PostgreSQL use the index of these UIDs, in which tasks without one are not
    others = Task.objects.filter(project_id=project_id, uid__in=uids).alive().exclude(uid="")
    again = others.exclude(id__in=tasks.order_by().values("id")).first()
    if again is not None:
        raise TaskExistsAgain(
            f"The task {again.title!r} ({again.id}) was imported again meanwhile. Delete it first."
        )


def _tasks_of(section: Section) -> OwnedQuerySet[Task]:
    return Task.objects.visible_to(section.owner_id).filter(section_id=section.id)


def _held_by(owner_id: uuid.UUID, project_ids: list[uuid.UUID]) -> tuple[OwnedQuerySet[Any], ...]:
    """Give the projects, their sections and their tasks."""
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
