"""Who may do what in a project: the one table of actions and roles, which every service asks.

Each role includes the ones before it, so the table needs only the least role for an action. docs/sharing.md prints
it, and tests/todos/test_access.py walks every role and every operation.
"""

from __future__ import annotations

import enum
import uuid

from todo_project.errors import NOT_FOUND, DomainError, Forbidden, NotFound
from todo_project.todos.models import Membership, Project, Role


class Action(enum.Enum):
    """What people do in a project; the value completes "you may not …"."""

    READ = "read it"
    COMMENT = "comment on its tasks"
    EDIT = "change its sections and tasks"
    MANAGE = "change the project and its members"
    OWN = "delete, move or transfer it"


LEAST_ROLE = {
    Action.READ: Role.VIEWER,
    Action.COMMENT: Role.COMMENTER,
    Action.EDIT: Role.EDITOR,
    Action.MANAGE: Role.ADMIN,
    Action.OWN: Role.OWNER,
}


class RoleTooLow(Forbidden):
    """The caller sees the project, but the role does not allow the action."""


def role_in(*, user_id: uuid.UUID, project_id: uuid.UUID, owner_id: uuid.UUID) -> Role | None:
    """Return the user's role in a project of this owner, or None for a stranger."""
    if user_id == owner_id:
        return Role.OWNER
    role = Membership.objects.of_user(user_id).filter(project_id=project_id).values_list("role", flat=True).first()
    return None if role is None else Role(role)


def shown(project: Project, *, user_id: uuid.UUID) -> Project:
    """Set what depends on who reads the project, see ProjectQuerySet.seen_by, and return the project."""
    role = role_in(user_id=user_id, project_id=project.id, owner_id=project.owner_id)
    if role is None:
        raise NotFound(NOT_FOUND)
    project.role, project.shown_parent_id = role, project.parent_id
    if role != Role.OWNER and project.parent_id is not None:
        joined = Membership.objects.of_user(user_id).in_project(project.parent_id).exists()
        project.shown_parent_id = project.parent_id if joined else None
    return project


def require(
    action: Action,
    *,
    user_id: uuid.UUID,
    project_id: uuid.UUID,
    owner_id: uuid.UUID,
    unseen: DomainError | None = None,
) -> None:
    """Raise RoleTooLow if the user may not do this in the project.

    Raises `unseen`, by default NotFound, if the user may not see it (any more).

    A write of a member locks the project first. Removing the member locks it too, so nobody writes after that.
    """
    role = role_in(user_id=user_id, project_id=project_id, owner_id=owner_id)
    check(action, role, project_id=project_id, unseen=unseen)


def allows(role: Role | None, action: Action) -> bool:
    """Return whether a role allows an action; a stranger has none."""
    return role is not None and role >= LEAST_ROLE[action]


def check(action: Action, role: Role | None, *, project_id: uuid.UUID, unseen: DomainError | None = None) -> None:
    """Raise RoleTooLow if the role does not allow the action, and `unseen` for a stranger, who has no role."""
    if role is None:
        raise unseen or NotFound(NOT_FOUND)
    if not allows(role, action):
        name = Project.objects.values_list("name", flat=True).get(id=project_id)
        raise RoleTooLow(
            f"Your role in the project {name!r} ({project_id}) is {role.label.lower()}, "
            f"so you may not {action.value}. That takes the role {LEAST_ROLE[action].label.lower()}."
        )
