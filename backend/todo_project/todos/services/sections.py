"""Creates and changes sections."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, TypedDict

from django.db import transaction

from todo_project.db.rows import uuid7
from todo_project.todos.models import Project, Section
from todo_project.todos.services import access, locks, ordering, placement, projects, rows
from todo_project.todos.services.access import Action


class SectionValues(TypedDict, total=False):
    """The fields that a client can set."""

    project_id: uuid.UUID
    name: str
    position: str


@transaction.atomic
def create_section(
    *, user_id: uuid.UUID, values: SectionValues, now: dt.datetime, section_id: uuid.UUID | None = None
) -> Section:
    """Create a section, at the end of its project unless `values` has a position.

    Raises IdTaken, access.RoleTooLow, and InvalidInput for an unusable project.
    """
    project = projects.alive_project(user_id=user_id, project_id=values["project_id"])
    _check_role(user_id, project)
    section = Section(id=section_id or uuid7(), owner_id=project.owner_id, created_at=now, updated_at=now, **values)
    siblings = Section.objects.filter(project_id=project.id)
    position = values.get("position")
    section.position = ordering.free(siblings, position, now=now) if position else ordering.last(siblings)
    rows.insert(Section.objects, section)
    return section


def put_section(
    *,
    user_id: uuid.UUID,
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
        Section.objects.visible_to(user_id),
        row_id=section_id,
        precondition=precondition,
        create=lambda: create_section(user_id=user_id, section_id=section_id, values=values, now=now),
        replace=lambda: update_section(
            user_id=user_id,
            section_id=section_id,
            changes=values,
            expected_versions=expected_versions,
            now=now,
        ),
    )


@transaction.atomic
def update_section(
    *,
    user_id: uuid.UUID,
    section_id: uuid.UUID,
    changes: SectionValues,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
) -> Section:
    """Change the given fields. A section that moves to another project takes its tasks along.

    It goes to the end of that project unless `changes` has a position. Raises NotFound, access.RoleTooLow,
    StaleVersion, InvalidInput for an unusable project, and placement.TaskExistsAgain if that project already has
    one of its imported tasks.
    """
    seen = Section.objects.visible_to(user_id).alive()
    wanted_id = changes.get("project_id")
    held = projects.lock_for_section(user_id=user_id, section_id=section_id, project_id=wanted_id)
    section = rows.locked(seen, row_id=section_id)
    if section.project_id not in held:
        raise locks.moved("section")
    project = held[wanted_id or section.project_id]
    access.require(Action.EDIT, user_id=user_id, project_id=section.project_id, owner_id=section.owner_id)
    if project.id != section.project_id:
        _check_role(user_id, project)
    rows.compare(section, expected_versions=expected_versions)
    values: dict[str, Any] = {**changes, **_position(section, project, changes, now)}
    if project.id != section.project_id:
        place = {"project_id": project.id, "owner_id": project.owner_id}
        placement.move_section(section, user_id=user_id, **place, now=now)
        values |= place
    rows.change(section, changes=values, now=now)
    return section


def _check_role(user_id: uuid.UUID, project: Project) -> None:
    """Raise RoleTooLow unless the user may add sections to the project, and InvalidInput if it is not visible."""
    unseen = placement.missing("project", "/project_id")
    access.require(Action.EDIT, user_id=user_id, project_id=project.id, owner_id=project.owner_id, unseen=unseen)


def _position(section: Section, project: Project, changes: SectionValues, now: dt.datetime) -> dict[str, str]:
    """Return the new position of a section that moves, to a position or to another project."""
    siblings = Section.objects.filter(project_id=project.id).exclude(id=section.id)
    moves, position = project.id != section.project_id, changes.get("position")
    if position is not None and (moves or position != section.position):
        return {"position": ordering.free(siblings, position, now=now)}
    return {"position": ordering.last(siblings)} if moves else {}
