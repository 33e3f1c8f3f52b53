"""Creates and changes sections."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TypedDict

from django.db import transaction

from todo_project.db.rows import uuid7
from todo_project.todos.models import Section, SectionQuerySet
from todo_project.todos.services import ordering, placement, projects, rows


class SectionValues(TypedDict, total=False):
    """The fields that a client can set."""

    project_id: uuid.UUID
    name: str
    position: str


@transaction.atomic
def create_section(
    *, owner_id: uuid.UUID, values: SectionValues, now: dt.datetime, section_id: uuid.UUID | None = None
) -> Section:
    """Create a section, at the end of its project unless `values` has a position.

    Raises IdTaken, and InvalidInput for an unusable project.
    """
    project = projects.alive_project(owner_id=owner_id, project_id=values["project_id"])
    section = Section(id=section_id or uuid7(), owner_id=owner_id, created_at=now, updated_at=now, **values)
    siblings = _siblings(owner_id, project.id)
    position = values.get("position")
    section.position = ordering.free(siblings, position, now=now) if position else ordering.last(siblings)
    rows.insert(Section.objects, section)
    return section


def put_section(
    *,
    owner_id: uuid.UUID,
    section_id: uuid.UUID,
    values: SectionValues,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
    precondition: rows.Precondition = None,
) -> tuple[Section, bool]:
    """Create the section with an id that the client chose, or replace its values; see rows.put.

    The position keeps its value if it is left out.
    """
    return rows.put(
        Section.objects.visible_to(owner_id),
        row_id=section_id,
        precondition=precondition,
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
    """Change the given fields. A section that moves to another project takes its tasks along.

    It goes to the end of that project unless `changes` has a position. Raises NotFound, StaleVersion, InvalidInput
    for an unusable project, and placement.TaskExistsAgain if that project already has one of its imported tasks.
    """
    mine = Section.objects.visible_to(owner_id).alive()
    project_id = changes.get("project_id")
    section = locked_section(mine, owner_id=owner_id, section_id=section_id, new_project_id=project_id)
    rows.compare(section, expected_versions=expected_versions)
    project_id = project_id or section.project_id
    moves, position = project_id != section.project_id, changes.get("position")
    siblings = _siblings(owner_id, project_id).exclude(id=section.id)
    if position is not None and (moves or position != section.position):
        changes = {**changes, "position": ordering.free(siblings, position, now=now)}
    elif moves:
        changes = {**changes, "position": ordering.last(siblings)}
    if moves:
        placement.move_section(section, project_id=project_id, now=now)
    rows.change(section, changes=changes, now=now)
    return section


def locked_section(
    sections: SectionQuerySet,
    *,
    owner_id: uuid.UUID,
    section_id: uuid.UUID,
    new_project_id: uuid.UUID | None = None,
) -> Section:
    """Lock the project of a section and the one that it moves to, then the section, and return the section.

    Raises NotFound, and InvalidInput for /project_id if the account has no such project.
    """
    held = projects.lock_for_section(owner_id=owner_id, section_id=section_id, project_id=new_project_id)
    section = rows.locked(sections, row_id=section_id)
    if section.project_id not in held:
        raise placement.moved("section")
    return section


def _siblings(owner_id: uuid.UUID, project_id: uuid.UUID) -> SectionQuerySet:
    return Section.objects.visible_to(owner_id).filter(project_id=project_id)
