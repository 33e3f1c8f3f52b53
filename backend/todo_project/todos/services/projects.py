"""Writes of projects: what may nest where, and what the Inbox keeps."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from typing import TypedDict

from django.db import transaction
from django.db.models import Q

from todo_project.accounts.models import User
from todo_project.db import positions
from todo_project.db.rows import uuid7
from todo_project.errors import Conflict, InvalidInput
from todo_project.todos.models import Project, ProjectQuerySet, Section
from todo_project.todos.services import ordering, rows

DEPTH_MAX = 10

Tree = Mapping[uuid.UUID, Project]


class ProjectValues(TypedDict, total=False):
    """What a client may set; `color` is `#rrggbb` or empty."""

    name: str
    color: str
    parent_id: uuid.UUID | None
    is_archived: bool
    position: str


class InboxIsFixed(Conflict):
    """Every account has an Inbox, under this name, at the top."""


def create_inbox(*, user: User, now: dt.datetime) -> Project:
    """Return the account's Inbox, created if it has none."""
    inbox, _ = Project.objects.get_or_create(
        owner=user,
        is_inbox=True,
        defaults={"name": "Inbox", "position": positions.FIRST, "created_at": now, "updated_at": now},
    )
    return inbox


@transaction.atomic
def create_project(
    *, owner_id: uuid.UUID, values: ProjectValues, now: dt.datetime, project_id: uuid.UUID | None = None
) -> Project:
    """Create a project, behind the others when `values` has no position.

    Raises InvalidInput for a parent that cannot hold it, and IdTaken for an id that is in use.
    """
    parent_id, position = values.get("parent_id"), values.get("position")
    tree = locked_tree(owner_id=owner_id)
    if parent_id is not None:
        _check_place(tree, parent_id=parent_id)
    project = Project(id=project_id or uuid7(), owner_id=owner_id, created_at=now, updated_at=now, **values)
    siblings = _siblings(owner_id, parent_id)
    project.position = ordering.free(siblings, position, now=now) if position else ordering.last(siblings)
    rows.insert(Project.objects.all(), project)
    return project


def put_project(
    *,
    owner_id: uuid.UUID,
    project_id: uuid.UUID,
    values: ProjectValues,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
    must: rows.Must = None,
) -> tuple[Project, bool]:
    """Create the project with the id that the client chose, or replace what it holds; see rows.put.

    What `values` leaves out gets what a new project has; the position stays.
    """
    return rows.put(
        Project.objects.visible_to(owner_id),
        row_id=project_id,
        must=must,
        create=lambda: create_project(owner_id=owner_id, project_id=project_id, values=values, now=now),
        replace=lambda: update_project(
            owner_id=owner_id,
            project_id=project_id,
            changes={"color": "", "parent_id": None, "is_archived": False, **values},
            expected_versions=expected_versions,
            now=now,
        ),
    )


@transaction.atomic
def update_project(
    *,
    owner_id: uuid.UUID,
    project_id: uuid.UUID,
    changes: ProjectValues,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
) -> Project:
    """Change what `changes` names. Under another parent a project keeps its position if that is free there.

    Raises NotFound, StaleVersion, InboxIsFixed, and InvalidInput for a parent that cannot hold it.
    """
    # the tree first: a transaction that locks one project and then all could wait for another that does the same
    tree = locked_tree(owner_id=owner_id) if {"parent_id", "position"} & changes.keys() else {}
    mine = Project.objects.visible_to(owner_id).alive()
    project = rows.locked(mine, row_id=project_id, expected_versions=expected_versions)
    _check_inbox(project, changes)
    parent_id = changes.get("parent_id", project.parent_id)
    if parent_id is not None and parent_id != project.parent_id:
        _check_place(tree, parent_id=parent_id, moved_id=project_id)
    position = changes.get("position", project.position)
    if (parent_id, position) != (project.parent_id, project.position):
        siblings = _siblings(owner_id, parent_id).exclude(id=project_id)
        changes = {**changes, "position": ordering.free(siblings, position, now=now)}
    rows.change(project, changes=changes, now=now)
    return project


def _siblings(owner_id: uuid.UUID, parent_id: uuid.UUID | None) -> ProjectQuerySet:
    return Project.objects.visible_to(owner_id).filter(Q(parent_id=parent_id))


def locked_tree(*, owner_id: uuid.UUID) -> Tree:
    """Return all projects of a person by id, those in the trash too, locked until the transaction ends.

    Every write that depends on how projects nest begins with it, so that they run one after the other.
    """
    # The owner first, in a statement of its own: a transaction that waits here then reads the projects that the one
    # before it created. A project would not do, since other writes lock projects in another order.
    list(User.objects.select_for_update(of=("self",), no_key=True).filter(pk=owner_id).values_list("pk"))
    # always in the order of the ids, so that two transactions do not wait for each other
    projects = Project.objects.visible_to(owner_id).order_by("id").select_for_update(of=("self",), no_key=True)
    return {project.id: project for project in projects}


def under(tree: Tree, project_id: uuid.UUID) -> Iterator[Project]:
    """Yield the project and all that is nested in it, parents before their children."""
    children: dict[uuid.UUID | None, list[Project]] = {}
    for project in tree.values():
        children.setdefault(project.parent_id, []).append(project)
    waiting = [tree[project_id]]
    while waiting:
        project = waiting.pop()
        yield project
        waiting += children.get(project.id, [])


def alive_project(*, owner_id: uuid.UUID, project_id: uuid.UUID) -> Project:
    """Return the project that is to hold something, locked, so that it is not trashed meanwhile.

    Raises InvalidInput for /project_id when this person cannot use it.
    """
    mine = Project.objects.visible_to(owner_id).alive().filter(id=project_id)
    project = mine.select_for_update(of=("self",), no_key=True).first()
    if project is None:
        raise InvalidInput("You have no project with this id.", pointer="/project_id", code="not_found")
    return project


def hold_for_section(
    *, owner_id: uuid.UUID, section_id: uuid.UUID, project_id: uuid.UUID | None = None
) -> set[uuid.UUID]:
    """Lock the project of a section, and the one that it is to go to; returns their ids.

    Raises InvalidInput for /project_id when this person cannot use that project.
    """
    own = Section.objects.visible_to(owner_id).filter(id=section_id).values("project_id")
    wanted = Project.objects.visible_to(owner_id).filter(Q(id__in=own) | Q(id=project_id))
    held = {each.id: each for each in wanted.order_by("id").select_for_update(of=("self",), no_key=True)}
    if project_id is not None and (project_id not in held or held[project_id].deleted_at is not None):
        raise InvalidInput("You have no project with this id.", pointer="/project_id", code="not_found")
    return set(held)


def _check_inbox(project: Project, changes: ProjectValues) -> None:
    if not project.is_inbox:
        return
    if changes.get("name", project.name) != project.name:
        raise InboxIsFixed("The Inbox cannot be renamed.")
    if changes.get("is_archived"):
        raise InboxIsFixed("The Inbox cannot be archived.")
    if changes.get("parent_id") is not None:
        raise InboxIsFixed("The Inbox cannot be put into another project.")


def _check_place(tree: Tree, *, parent_id: uuid.UUID, moved_id: uuid.UUID | None = None) -> None:
    parent = tree.get(parent_id)
    if parent is None or parent.deleted_at is not None:
        raise InvalidInput("You have no project with this id.", pointer="/parent_id", code="not_found")
    ancestors = list(_upwards(tree, parent_id))
    if moved_id in ancestors:
        raise InvalidInput(
            "A project cannot be put into itself or into what it holds.", pointer="/parent_id", code="cycle"
        )
    if len(ancestors) + (_height(tree, moved_id) if moved_id else 1) > DEPTH_MAX:
        raise InvalidInput(
            f"Projects nest at most {DEPTH_MAX} deep.", pointer="/parent_id", code="nested_too_deeply"
        )


def _upwards(tree: Tree, project_id: uuid.UUID | None) -> Iterator[uuid.UUID]:
    while project_id is not None:
        yield project_id
        project_id = tree[project_id].parent_id


def _height(tree: Tree, project_id: uuid.UUID) -> int:
    depths: dict[uuid.UUID | None, int] = {}
    for project in under(tree, project_id):
        depths[project.id] = depths.get(project.parent_id, 0) + 1
    return max(depths.values())
