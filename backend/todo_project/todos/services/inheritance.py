"""Keeps the owner and the members of sub-projects in step with the project above them.

A membership has two roles: `own_role` was given in the project itself, and `role` is the greater of it and the role
in the project above. The callers have locked the trees of all owners concerned, so that one write at a time changes
memberships.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from todo_project.todos.models import Membership, Project, Role, Section, Task
from todo_project.todos.services import leaving, rows, trees

# by project and user
_Held = defaultdict[uuid.UUID | None, dict[uuid.UUID, Membership]]
_NONE = 0
_NOTHING: Mapping[uuid.UUID, Role | None] = {}


def inherit(project: Project, *, now: dt.datetime) -> None:
    """Copy the members of the parent to a new sub-project."""
    if project.parent_id is None:
        return
    above = Membership.objects.in_project(project.parent_id).order_by("user_id")
    Membership.objects.bulk_create(
        Membership(user_id=each.user_id, project=project, role=each.role, created_at=now) for each in above
    )


def follow_parent(tree: trees.ProjectTree, project: Project, *, owner_id: uuid.UUID, now: dt.datetime) -> None:
    """Give a moved project, with everything below it, the owner and the members of its new parent."""
    moved = [project, *trees.below(tree, project.id)]
    if owner_id != project.owner_id:
        hand_over(moved, owner_id=owner_id, now=now)
    refresh(moved, now=now)


def hand_over(projects: Sequence[Project], *, owner_id: uuid.UUID, now: dt.datetime) -> None:
    """Set the owner of projects and of everything in them."""
    ids = [project.id for project in projects]
    for kept in (
        Project.objects.filter(id__in=ids),
        Section.objects.filter(project_id__in=ids),
        Task.objects.filter(project_id__in=ids),
    ):
        rows.update_all(kept, now=now, owner_id=owner_id)
    for project in projects:
        project.owner_id = owner_id


def refresh(
    projects: Sequence[Project],
    *,
    now: dt.datetime,
    given: Mapping[uuid.UUID, Role | None] = _NOTHING,
    removed: Collection[uuid.UUID] = (),
) -> None:
    """Recompute the roles in a project and in those below it, which follow it, parents before their children.

    `given` are new own roles in the first project; who is `removed` loses the own roles in all of them. Projects
    whose members change get a new version. So do those right below: they show their `parent_id` only to members who
    see the parent.
    """
    held = _by_project({project.id for project in projects} | {projects[0].parent_id})
    before = {each.pk: (each.own_role, each.role) for members in held.values() for each in members.values()}
    for user_id, role in given.items():
        _member(held, projects[0], user_id, now).own_role = role
    changed: set[uuid.UUID | None] = set()
    for project in projects:
        for user_id in held[project.parent_id].keys() | held[project.id].keys():
            each = _member(held, project, user_id, now)
            if user_id in removed:
                each.own_role = None
            above = held[project.parent_id].get(user_id)
            new = _role(project, each, above)
            if new != each.role:
                changed.add(project.id)
            each.role = new
    memberships = [each for project in projects for each in held[project.id].values()]
    _save([each for each in memberships if before.get(each.pk) != (each.own_role, each.role)])
    _leave(projects, memberships, now)
    _demote([each for each in memberships if before.get(each.pk, (None, _NONE))[1] >= Role.ADMIN], now)
    touched = [project.id for project in projects if changed & {project.id, project.parent_id}]
    if touched:
        rows.update_all(Project.objects.filter(id__in=touched), now=now)


def _leave(projects: Sequence[Project], memberships: Sequence[Membership], now: dt.datetime) -> None:
    """End what former members had in the projects; the owner has left none of them."""
    owners = {project.id: project.owner_id for project in projects}
    left: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for each in memberships:
        if each.pk and each.role == _NONE and each.user_id != owners[each.project_id]:
            left[each.user_id].append(each.project_id)
    for user_id, project_ids in left.items():
        leaving.leave(user_id=user_id, project_ids=project_ids, now=now)


def _demote(admins: Sequence[Membership], now: dt.datetime) -> None:
    """Revoke the invitations of those who were admins and are only members now."""
    for each in admins:
        if _NONE < each.role < Role.ADMIN:
            leaving.revoke_invitations(project_ids=[each.project_id], inviter_id=each.user_id, now=now)


def _by_project(ids: Collection[uuid.UUID | None]) -> _Held:
    held: _Held = defaultdict(dict)
    wanted = [project_id for project_id in ids if project_id is not None]
    for each in Membership.objects.filter(project_id__in=wanted).order_by("project_id", "user_id"):
        held[each.project_id][each.user_id] = each
    return held


def _member(held: _Held, project: Project, user_id: uuid.UUID, now: dt.datetime) -> Membership:
    """Return the membership, a new one without a role if there is none."""
    new = Membership(user_id=user_id, project_id=project.id, role=_NONE, created_at=now)
    return held[project.id].setdefault(user_id, new)


def _role(project: Project, each: Membership, above: Membership | None) -> int:
    if each.user_id == project.owner_id:
        return _NONE
    return max(each.own_role or _NONE, above.role if above else _NONE)


def _save(memberships: Sequence[Membership]) -> None:
    """Insert, update and delete memberships, in one statement each."""
    stored = [each for each in memberships if each.pk]
    Membership.objects.filter(pk__in=[each.pk for each in stored if each.role == _NONE]).delete()
    Membership.objects.bulk_update([each for each in stored if each.role != _NONE], ["own_role", "role"])
    Membership.objects.bulk_create(each for each in memberships if not each.pk and each.role != _NONE)
