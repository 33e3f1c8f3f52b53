"""Changes the members of a project and their roles, and transfers projects to another owner.

Each write locks the accounts concerned and all projects of the owner first. As the writes of members lock the
project, none of them runs at the same time, and none goes on with a role that was taken away.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from django.db import transaction

from todo_project.accounts.models import User
from todo_project.errors import NOT_FOUND, Conflict, InvalidInput, NotFound
from todo_project.todos.models import Membership, Project, ProjectQuerySet, Role
from todo_project.todos.services import access, inheritance, locks, ordering, rows, trees
from todo_project.todos.services.access import Action


class InboxIsPrivate(Conflict):
    """The Inbox cannot be shared or transferred."""


class OwnerStays(Conflict):
    """The owner has no other role, and cannot leave the project."""


class RoleIsInherited(Conflict):
    """The role comes from a project above, so it can only be raised here."""


class ProjectIsNested(Conflict):
    """A sub-project has the owner of its parent, so it cannot be transferred alone."""


@transaction.atomic
def set_role(*, project: Project, user_id: uuid.UUID, role: Role, now: dt.datetime) -> Membership:
    """Make somebody a member of the project and its sub-projects, or change the role that was given there.

    The caller has checked that this is allowed, for example by an invitation. A role from a project above stays if
    it is greater. Raises InboxIsPrivate, OwnerStays, and locks.MovedMeanwhile.
    """
    tree = trees.locked_tree(owner_id=project.owner_id, accounts=[user_id])
    project = _current(tree, project.id)
    check_can_be_shared(project)
    _check_is_not_owner(project, user_id)
    inheritance.refresh(_with_below(tree, project), given={user_id: role}, now=now)
    # the owner too, who now may see labels of others
    _mark_as_members([user_id, project.owner_id])
    return Membership.objects.of_user(user_id).in_project(project.id).get()


def check_can_be_shared(project: Project) -> None:
    """Raise InboxIsPrivate if the project is an Inbox."""
    if project.is_inbox:
        raise InboxIsPrivate("The Inbox cannot be shared. Move its tasks to another project, and share that one.")


@transaction.atomic
def change_role(
    *,
    user_id: uuid.UUID,
    project_id: uuid.UUID,
    member_id: uuid.UUID,
    role: Role,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
) -> Membership:
    """Change the role of a member, as far as the role in the project above allows.

    Raises NotFound, access.RoleTooLow, OwnerStays, StaleVersion, and RoleIsInherited.
    """
    tree, project = _locked(user_id, project_id)
    access.require(Action.MANAGE, user_id=user_id, project_id=project.id, owner_id=project.owner_id)
    _check_is_not_owner(project, member_id)
    member = _member(project, member_id)
    rows.compare(member, expected_versions=expected_versions)
    above = _inherited(project, member_id)
    if above is not None and role < above.role:
        raise _inherited_error(tree, above, user_id)
    given = {member_id: None if above is not None and role == above.role else role}
    inheritance.refresh(_with_below(tree, project), given=given, now=now)
    member.refresh_from_db()
    return member


@transaction.atomic
def remove_member(
    *,
    user_id: uuid.UUID,
    project_id: uuid.UUID,
    member_id: uuid.UUID,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
) -> None:
    """Remove a member from the project and its sub-projects; everybody may remove themselves.

    Raises NotFound, access.RoleTooLow, OwnerStays, StaleVersion, and RoleIsInherited.
    """
    is_own = member_id == user_id
    # a project in the trash can be left, too: only its owner can restore it
    lock = _locked_even_in_trash if is_own else _locked
    tree, project = lock(user_id, project_id)
    action = Action.READ if is_own else Action.MANAGE
    access.require(action, user_id=user_id, project_id=project.id, owner_id=project.owner_id)
    _check_is_not_owner(project, member_id)
    rows.compare(_member(project, member_id), expected_versions=expected_versions)
    above = _inherited(project, member_id)
    if above is not None:
        raise _inherited_error(tree, above, user_id)
    inheritance.refresh(_with_below(tree, project), removed=[member_id], now=now)


@transaction.atomic
def transfer_project(
    *,
    user_id: uuid.UUID,
    project_id: uuid.UUID,
    new_owner_id: uuid.UUID,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
) -> Project:
    """Make a member the owner of a project and of everything in it; the previous owner becomes an admin.

    The project goes to the end of the new owner's list. Raises NotFound, access.RoleTooLow, StaleVersion,
    InboxIsPrivate, ProjectIsNested, and InvalidInput if the new owner is not a member.
    """
    project = _seen(Project.objects.alive(), user_id, project_id)
    access.require(Action.OWN, user_id=user_id, project_id=project.id, owner_id=project.owner_id)
    _check_new_owner(project, new_owner_id)
    tree = trees.locked_trees(user_id=user_id, project_ids=[project_id], users=[new_owner_id])
    project = _current(tree, project_id)
    access.require(Action.OWN, user_id=user_id, project_id=project.id, owner_id=project.owner_id)
    rows.compare(project, expected_versions=expected_versions)
    _check_new_owner(project, new_owner_id)
    everything = _with_below(tree, project)
    last = ordering.last(Project.objects.owned_by(new_owner_id).filter(parent=None))
    rows.change(project, changes={"position": last}, now=now)
    inheritance.hand_over(everything, owner_id=new_owner_id, now=now)
    inheritance.refresh(everything, given={user_id: Role.ADMIN}, now=now)
    _mark_as_members([user_id])
    return access.shown(Project.objects.get(id=project_id), user_id=user_id)


def _check_new_owner(project: Project, new_owner_id: uuid.UUID) -> None:
    if project.is_inbox:
        raise InboxIsPrivate("The Inbox cannot be transferred. Move its tasks to another project first.")
    if project.parent_id is not None:
        raise ProjectIsNested(
            "Only a project without a parent can be transferred. Move it out of its parent first."
        )
    if new_owner_id == project.owner_id:
        raise InvalidInput(
            "You already own the project. Name one of its members.", pointer="/user_id", code="is_owner"
        )
    # an account that was closed may be about to be deleted, with what it owns
    members = Membership.objects.of_user(new_owner_id).in_project(project.id)
    if not members.filter(user__is_active=True).exists():
        raise InvalidInput(
            "Nobody with this id is an active member of the project. Invite the new owner first.",
            pointer="/user_id",
            code="not_found",
        )


def _seen(projects: ProjectQuerySet, user_id: uuid.UUID, project_id: uuid.UUID) -> Project:
    project = projects.visible_to(user_id).filter(id=project_id).first()
    if project is None:
        raise NotFound(NOT_FOUND)
    return project


def _locked_even_in_trash(user_id: uuid.UUID, project_id: uuid.UUID) -> tuple[trees.ProjectTree, Project]:
    """Return a project that the user saw before it was locked, with its locked tree."""
    seen = _seen(Project.objects.all(), user_id, project_id)
    tree = trees.locked_tree(owner_id=seen.owner_id)
    if project_id not in tree:
        raise locks.moved("project")
    return tree, tree[project_id]


def _locked(user_id: uuid.UUID, project_id: uuid.UUID) -> tuple[trees.ProjectTree, Project]:
    """Like _locked_even_in_trash, but raise NotFound for a project in the trash."""
    tree, project = _locked_even_in_trash(user_id, project_id)
    if project.deleted_at is not None:
        raise NotFound(NOT_FOUND)
    return tree, project


def _current(tree: trees.ProjectTree, project_id: uuid.UUID) -> Project:
    """Return the project as it is now that the tree is locked."""
    project = tree.get(project_id)
    if project is None or project.deleted_at is not None:
        raise locks.moved("project")
    return project


def _with_below(tree: trees.ProjectTree, project: Project) -> list[Project]:
    return [project, *trees.below(tree, project.id)]


def _member(project: Project, member_id: uuid.UUID) -> Membership:
    member = Membership.objects.of_user(member_id).in_project(project.id).select_related("user").first()
    if member is None:
        raise NotFound(NOT_FOUND)
    return member


def _check_is_not_owner(project: Project, member_id: uuid.UUID) -> None:
    if member_id == project.owner_id:
        raise OwnerStays("The owner cannot leave the project or get another role. Transfer the project first.")


def _inherited(project: Project, member_id: uuid.UUID) -> Membership | None:
    """Return the membership in the project above, if there is one."""
    if project.parent_id is None:
        return None
    return Membership.objects.of_user(member_id).in_project(project.parent_id).first()


def _inherited_error(tree: trees.ProjectTree, above: Membership, user_id: uuid.UUID) -> RoleIsInherited:
    """Return the error that names the project where the role was given, if the caller sees it."""
    path = list(trees.upwards(tree, above.project_id))
    given = Membership.objects.of_user(above.user_id).filter(project_id__in=path, own_role=above.role)
    source = tree[min((each.project_id for each in given), key=path.index)]
    is_seen = access.role_in(user_id=user_id, project_id=source.id, owner_id=source.owner_id) is not None
    name = f"the project {source.name!r} ({source.id})" if is_seen else "a project above this one"
    role = Role(above.role).label.lower()
    return RoleIsInherited(f"The role {role} comes from {name}. Change it there; here it can only be raised.")


def _mark_as_members(user_ids: Collection[uuid.UUID]) -> None:
    """Note that these people take part in shared projects; their accounts are locked."""
    User.objects.filter(pk__in=user_ids, is_member=False).update(is_member=True)
