"""Writes of sections."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TypedDict

from django.db import transaction

from todo_project.db.rows import uuid7
from todo_project.todos.models import Section, SectionQuerySet
from todo_project.todos.services import ordering, placement, projects, rows


class SectionValues(TypedDict, total=False):
    """What a client may set."""

    project_id: uuid.UUID
    name: str
    position: str


@transaction.atomic
def create_section(
    *, owner_id: uuid.UUID, values: SectionValues, now: dt.datetime, section_id: uuid.UUID | None = None
) -> Section:
    """Create a section, behind the project's others when `values` has no position.

    Raises InvalidInput for a project that cannot hold it, and IdTaken for an id that is in use.
    """
    project = projects.alive_project(owner_id=owner_id, project_id=values["project_id"])
    section = Section(id=section_id or uuid7(), owner_id=owner_id, created_at=now, updated_at=now, **values)
    siblings = _siblings(owner_id, project.id)
    position = values.get("position")
    section.position = ordering.free(siblings, position, now=now) if position else ordering.last(siblings)
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
    """Create the section with the id that the client chose, or replace what it holds; see rows.put.

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
    for a project that cannot hold it, and placement.TaskExistsAgain when that project has one of its tasks already.
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
    """Return the section, locked after its project and the one that it is to go to.

    Raises NotFound, and InvalidInput for /project_id when this person cannot use that project.
    """
    held = projects.hold_for_section(owner_id=owner_id, section_id=section_id, project_id=new_project_id)
    section = rows.locked(sections, row_id=section_id)
    if section.project_id not in held:
        raise placement.moved()
    return section


def _siblings(owner_id: uuid.UUID, project_id: uuid.UUID) -> SectionQuerySet:
    return Section.objects.visible_to(owner_id).filter(project_id=project_id)
