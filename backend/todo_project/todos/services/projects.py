"""Creates and changes projects, with the rules for nesting and for the Inbox."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, TypedDict, cast

from django.db import transaction
from django.db.models import Q

from todo_project.accounts.models import User
from todo_project.db import positions
from todo_project.db.rows import uuid7
from todo_project.errors import Conflict, InvalidInput
from todo_project.todos.models import Project, ProjectQuerySet, Role, Section
from todo_project.todos.services import access, inheritance, ordering, placement, rows, trees
from todo_project.todos.services.access import Action


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
    *, user_id: uuid.UUID, values: ProjectValues, now: dt.datetime, project_id: uuid.UUID | None = None
) -> Project:
    """Create a project, at the end of its list unless `values` has a position.

    A sub-project has the owner and the members of its parent. Raises IdTaken, access.RoleTooLow, and InvalidInput
    for an unusable parent.
    """
    parent_id, position = values.get("parent_id"), values.get("position")
    owner_id = user_id
    if parent_id is None:
        trees.locked_tree(owner_id=user_id)
    else:
        tree = trees.locked_trees(user_id=user_id, project_ids=[parent_id])
        owner_id = _check_place(tree, user_id=user_id, parent_id=parent_id).owner_id
    project = Project(id=project_id or uuid7(), owner_id=owner_id, created_at=now, updated_at=now, **values)
    siblings = _siblings(owner_id, parent_id)
    project.position = ordering.free(siblings, position, now=now) if position else ordering.last(siblings)
    rows.insert(Project.objects, project)
    inheritance.inherit(project, now=now)
    return access.shown(project, user_id=user_id)


def put_project(
    *,
    user_id: uuid.UUID,
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
        Project.objects.visible_to(user_id),
        row_id=project_id,
        precondition=precondition,
        create=lambda: create_project(user_id=user_id, project_id=project_id, values=values, now=now),
        replace=lambda: update_project(
            user_id=user_id,
            project_id=project_id,
            changes={"color": "", "parent_id": None, "is_archived": False, **values},
            expected_versions=expected_versions,
            now=now,
        ),
    )


@transaction.atomic
def update_project(
    *,
    user_id: uuid.UUID,
    project_id: uuid.UUID,
    changes: ProjectValues,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
) -> Project:
    """Change the given fields. Under another parent, a project keeps its position if that is free there.

    Under a parent of another owner, it is handed over to that owner with everything in it. Raises NotFound,
    access.RoleTooLow, StaleVersion, InboxIsFixed, and InvalidInput for an unusable parent.
    """
    tree: trees.ProjectTree = {}
    if {"parent_id", "position"} & changes.keys():
        # the tree first: two transactions that lock one project and then all could deadlock
        ids = [each for each in (project_id, changes.get("parent_id")) if each]
        tree = trees.locked_trees(user_id=user_id, project_ids=ids)
        trees.project_in(tree, user_id=user_id, project_id=project_id)
    project = rows.locked(Project.objects.visible_to(user_id).alive(), row_id=project_id)
    access.shown(project, user_id=user_id)
    changes = _new_values(project, changes)
    access.check(_action(project, changes), Role(project.role), project_id=project.id)
    rows.compare(project, expected_versions=expected_versions)
    _check_inbox(project, changes)
    parent_id, owner_id = changes.get("parent_id", project.parent_id), project.owner_id
    if "parent_id" in changes and parent_id is not None:
        owner_id = _check_place(tree, user_id=user_id, parent_id=parent_id, moved_id=project_id).owner_id
    if "parent_id" in changes or "position" in changes:
        siblings = _siblings(owner_id, parent_id).exclude(id=project_id)
        position = changes.get("position", project.position)
        changes = {**changes, "position": ordering.free(siblings, position, now=now)}
    rows.change(project, changes=changes, now=now)
    if "parent_id" in changes:
        inheritance.follow_parent(tree, project, owner_id=owner_id, now=now)
        project = Project.objects.get(id=project_id)
    return access.shown(project, user_id=user_id)


def _new_values(project: Project, changes: ProjectValues) -> ProjectValues:
    """Leave out the parent and the position if they are as the user sees them."""
    same = {"parent_id": project.shown_parent_id, "position": project.position}
    new: Any = {name: value for name, value in changes.items() if same.get(name, ...) != value}
    return cast(ProjectValues, new)


def _action(project: Project, changes: ProjectValues) -> Action:
    """Return what the user does: the owner alone orders a list whose parent the user does not see."""
    moves = "parent_id" in changes or ("position" in changes and project.shown_parent_id is None)
    return Action.OWN if moves else Action.MANAGE


def _siblings(owner_id: uuid.UUID, parent_id: uuid.UUID | None) -> ProjectQuerySet:
    return Project.objects.owned_by(owner_id).filter(Q(parent_id=parent_id))


def alive_project(*, user_id: uuid.UUID, project_id: uuid.UUID) -> Project:
    """Return a project, locked so that it cannot be trashed; raise InvalidInput if the user sees none."""
    seen = Project.objects.visible_to(user_id).alive().filter(id=project_id)
    project = seen.select_for_update(of=("self",), no_key=True).first()
    if project is None:
        raise placement.missing("project", "/project_id")
    return project


def lock_for_section(
    *, user_id: uuid.UUID, section_id: uuid.UUID, project_id: uuid.UUID | None = None
) -> dict[uuid.UUID, Project]:
    """Lock the project of a section and the one that it moves to; return them by id.

    Raises InvalidInput for /project_id if the user sees no such project.
    """
    own = Section.objects.visible_to(user_id).filter(id=section_id).values("project_id")
    wanted = Project.objects.visible_to(user_id).filter(Q(id__in=own) | Q(id=project_id))
    held = {each.id: each for each in wanted.locked()}
    if project_id is not None and (project_id not in held or held[project_id].deleted_at is not None):
        raise placement.missing("project", "/project_id")
    return held


def _check_inbox(project: Project, changes: ProjectValues) -> None:
    if not project.is_inbox:
        return
    if changes.get("name", project.name) != project.name:
        raise InboxIsFixed("The Inbox cannot be renamed. Create a project with this name instead.")
    if changes.get("is_archived"):
        raise InboxIsFixed("The Inbox cannot be archived. Move its tasks to another project, and archive that one.")
    if changes.get("parent_id") is not None:
        raise InboxIsFixed("The Inbox cannot be moved into another project. Move its tasks instead.")


def _check_place(
    tree: trees.ProjectTree, *, user_id: uuid.UUID, parent_id: uuid.UUID, moved_id: uuid.UUID | None = None
) -> Project:
    """Return the parent; raise InvalidInput if it cannot hold the project, and RoleTooLow."""
    parent = tree.get(parent_id)
    role = access.role_in(user_id=user_id, project_id=parent.id, owner_id=parent.owner_id) if parent else None
    if parent is None or role is None or parent.deleted_at is not None:
        raise placement.missing("project", "/parent_id")
    access.check(Action.MANAGE, role, project_id=parent_id)
    ancestors = list(trees.upwards(tree, parent_id))
    if moved_id in ancestors:
        raise InvalidInput(
            "A project cannot be moved into itself or its own sub-projects. Choose another parent.",
            pointer="/parent_id",
            code="cycle",
        )
    if len(ancestors) + (trees.height(tree, moved_id) if moved_id else 1) > placement.DEPTH_MAX:
        raise InvalidInput(
            f"Projects can be nested at most {placement.DEPTH_MAX} levels deep. Choose a higher parent.",
            pointer="/parent_id",
            code="nested_too_deeply",
        )
    return parent
