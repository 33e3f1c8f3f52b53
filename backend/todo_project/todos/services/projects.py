"""Creates and changes projects, with the rules for nesting and for the Inbox."""

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
from todo_project.todos.services import ordering, placement, rows

ProjectTree = Mapping[uuid.UUID, Project]


class ProjectValues(TypedDict, total=False):
    """The fields that a client can set; `color` is `#rrggbb` or empty."""

    name: str
    color: str
    parent_id: uuid.UUID | None
    is_archived: bool
    position: str


class InboxIsFixed(Conflict):
    """The Inbox cannot be renamed, archived, nested or deleted."""


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
    """Create a project, at the end of its list unless `values` has a position.

    Raises IdTaken, and InvalidInput for an unusable parent.
    """
    parent_id, position = values.get("parent_id"), values.get("position")
    tree = locked_tree(owner_id=owner_id)
    if parent_id is not None:
        _check_place(tree, parent_id=parent_id)
    project = Project(id=project_id or uuid7(), owner_id=owner_id, created_at=now, updated_at=now, **values)
    siblings = _siblings(owner_id, parent_id)
    project.position = ordering.free(siblings, position, now=now) if position else ordering.last(siblings)
    rows.insert(Project.objects, project)
    return project


def put_project(
    *,
    owner_id: uuid.UUID,
    project_id: uuid.UUID,
    values: ProjectValues,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
    precondition: rows.Precondition = None,
) -> tuple[Project, bool]:
    """Create the project with an id that the client chose, or replace its values; see rows.put.

    Values that are left out are reset to their defaults, except the position.
    """
    return rows.put(
        Project.objects.visible_to(owner_id),
        row_id=project_id,
        precondition=precondition,
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
    """Change the given fields. Under another parent, a project keeps its position if that is free there.

    Raises NotFound, StaleVersion, InboxIsFixed, and InvalidInput for an unusable parent.
    """
    # the tree first: two transactions that lock one project and then all could deadlock
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


def locked_tree(*, owner_id: uuid.UUID) -> ProjectTree:
    """Return all projects of an account by id, including those in the trash, locked until the transaction ends.

    Every write that depends on the nesting of projects begins with this, so that such writes run one at a time.
    """
    # The owner first, in a separate statement: a transaction that has waited for it then reads the projects that
    # the previous one created. Locking a project first would not work, because other writes lock them in another
    # order.
    list(User.objects.select_for_update(of=("self",), no_key=True).filter(pk=owner_id).values_list("pk"))
    # always in the order of the ids, which avoids deadlocks
    projects = Project.objects.visible_to(owner_id).locked()
    return {project.id: project for project in projects}


def under(tree: ProjectTree, project_id: uuid.UUID) -> Iterator[Project]:
    """Yield the project and its descendants, parents before their children."""
    children: dict[uuid.UUID | None, list[Project]] = {}
    for project in tree.values():
        children.setdefault(project.parent_id, []).append(project)
    waiting = [tree[project_id]]
    while waiting:
        project = waiting.pop()
        yield project
        waiting += children.get(project.id, [])


def alive_project(*, owner_id: uuid.UUID, project_id: uuid.UUID) -> Project:
    """Return a project, locked so that it cannot be trashed; raise InvalidInput if the account has none."""
    mine = Project.objects.visible_to(owner_id).alive().filter(id=project_id)
    project = mine.select_for_update(of=("self",), no_key=True).first()
    if project is None:
        raise placement.missing("project", "/project_id")
    return project


def lock_for_section(
    *, owner_id: uuid.UUID, section_id: uuid.UUID, project_id: uuid.UUID | None = None
) -> set[uuid.UUID]:
    """Lock the project of a section and the one that it moves to; return their ids.

    Raises InvalidInput for /project_id if the account has no such project.
    """
    own = Section.objects.visible_to(owner_id).filter(id=section_id).values("project_id")
    wanted = Project.objects.visible_to(owner_id).filter(Q(id__in=own) | Q(id=project_id))
    held = {each.id: each for each in wanted.locked()}
    if project_id is not None and (project_id not in held or held[project_id].deleted_at is not None):
        raise placement.missing("project", "/project_id")
    return set(held)


def _check_inbox(project: Project, changes: ProjectValues) -> None:
    if not project.is_inbox:
        return
    if changes.get("name", project.name) != project.name:
        raise InboxIsFixed("The Inbox cannot be renamed.")
    if changes.get("is_archived"):
        raise InboxIsFixed("The Inbox cannot be archived.")
    if changes.get("parent_id") is not None:
        raise InboxIsFixed("The Inbox cannot be moved into another project.")


def _check_place(tree: ProjectTree, *, parent_id: uuid.UUID, moved_id: uuid.UUID | None = None) -> None:
    parent = tree.get(parent_id)
    if parent is None or parent.deleted_at is not None:
        raise placement.missing("project", "/parent_id")
    ancestors = list(_upwards(tree, parent_id))
    if moved_id in ancestors:
        raise InvalidInput(
            "A project cannot be moved into itself or its own sub-projects.", pointer="/parent_id", code="cycle"
        )
    if len(ancestors) + (_height(tree, moved_id) if moved_id else 1) > placement.DEPTH_MAX:
        raise InvalidInput(
            f"Projects can be nested at most {placement.DEPTH_MAX} levels deep.",
            pointer="/parent_id",
            code="nested_too_deeply",
        )


def _upwards(tree: ProjectTree, project_id: uuid.UUID | None) -> Iterator[uuid.UUID]:
    while project_id is not None:
        yield project_id
        project_id = tree[project_id].parent_id


def _height(tree: ProjectTree, project_id: uuid.UUID) -> int:
    depths: dict[uuid.UUID | None, int] = {}
    for project in under(tree, project_id):
        depths[project.id] = depths.get(project.parent_id, 0) + 1
    return max(depths.values())
