"""Writes of sections."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TypedDict

from django.db import transaction

from todo_project.db.rows import uuid7
from todo_project.todos.models import Section, SectionQuerySet, Task
from todo_project.todos.services import projects, rows, trash


class SectionValues(TypedDict, total=False):
    """What a client may set."""

    project_id: uuid.UUID
    name: str
    position: str


@transaction.atomic
def create_section(
    *, owner_id: uuid.UUID, values: SectionValues, now: dt.datetime, section_id: uuid.UUID | None = None
) -> Section:
    """Make a section, behind the project's others when `values` has no position.

    Raises InvalidInput for a project that cannot hold it, and IdTaken for an id that is in use.
    """
    project = projects.alive_project(owner_id=owner_id, project_id=values["project_id"])
    section = Section(id=section_id or uuid7(), owner_id=owner_id, created_at=now, updated_at=now, **values)
    section.position = section.position or rows.last_position(_siblings(owner_id, project.id))
    rows.insert(Section.objects.all(), section)
    return section


def put_section(
    *,
    owner_id: uuid.UUID,
    section_id: uuid.UUID,
    values: SectionValues,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
    must: rows.Must = None,
) -> tuple[Section, bool]:
    """Make the section with the id that the client chose, or replace what it holds; see rows.put.

    What `values` leaves out gets what a new section has; the position stays.
    """
    return rows.put(
        Section.objects.visible_to(owner_id),
        row_id=section_id,
        must=must,
        create=lambda: create_section(owner_id=owner_id, section_id=section_id, values=values, now=now),
        replace=lambda: update_section(
            owner_id=owner_id,
            section_id=section_id,
            changes=values,
            expected_versions=expected_versions,
            now=now,
        ),
    )


@transaction.atomic
def update_section(
    *,
    owner_id: uuid.UUID,
    section_id: uuid.UUID,
    changes: SectionValues,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
) -> Section:
    """Change what `changes` names. Into another project a section takes its tasks along.

    It comes behind the others there when `changes` has no position. Raises NotFound, StaleVersion, InvalidInput
    for a project that cannot hold it, and trash.TaskExistsAgain when that project has one of its tasks already.
    """
    project_id = changes.get("project_id")
    projects.hold_for_section(owner_id=owner_id, section_id=section_id, project_id=project_id)
    mine = Section.objects.visible_to(owner_id).alive()
    section = rows.locked(mine, row_id=section_id, expected_versions=expected_versions)
    if project_id is not None and project_id != section.project_id:
        changes = {"position": rows.last_position(_siblings(owner_id, project_id)), **changes}
        _take_tasks_along(section, project_id, now)
    rows.change(section, changes=changes, now=now)
    return section


def _take_tasks_along(section: Section, project_id: uuid.UUID, now: dt.datetime) -> None:
    tasks = Task.objects.visible_to(section.owner_id).filter(section_id=section.id)
    trash.check_uids_are_free(tasks.alive(), project_id=project_id)
    rows.update_all(tasks, now=now, project_id=project_id)


def _siblings(owner_id: uuid.UUID, project_id: uuid.UUID) -> SectionQuerySet:
    return Section.objects.visible_to(owner_id).filter(project_id=project_id)
