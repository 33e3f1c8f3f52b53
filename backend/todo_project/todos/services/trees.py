"""Locks all projects of an account, and walks their tree."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db.models import Q

from todo_project.accounts.models import User
from todo_project.errors import NOT_FOUND, NotFound
from todo_project.todos.models import Membership, Project, Role, Section, SectionQuerySet, Task
from todo_project.todos.services import locks

ProjectTree = Mapping[uuid.UUID, Project]


def locked_tree(*, owner_id: uuid.UUID, others: Any = None, accounts: Collection[uuid.UUID] = ()) -> ProjectTree:
    """Return all projects of an account by id, including those in the trash, locked until the transaction ends.

    Every write that depends on the nesting of projects begins with this, so that such writes run one at a time.
    `others` are ids of further projects to lock, which may belong to anybody. `accounts` are locked without their
    projects.
    """
    _lock_accounts(Q(pk__in=[owner_id, *accounts]))
    wanted = Q(owner_id=owner_id)
    return _locked(wanted if others is None else wanted | Q(id__in=others))


def locked_trees(
    *, user_id: uuid.UUID, project_ids: Collection[uuid.UUID], users: Collection[uuid.UUID] = ()
) -> ProjectTree:
    """Lock the trees that these projects are in, as far as the user sees them; see locked_tree.

    `users` are further accounts to lock, with their trees.
    """
    owners = Project.objects.visible_to(user_id).filter(id__in=project_ids).values("owner_id")
    return _locked(Q(owner_id__in=_lock_accounts(Q(pk__in=owners) | Q(pk__in=users))))


def locked_around(*, user_id: uuid.UUID, ids: Collection[uuid.UUID], least_role: Role = Role.VIEWER) -> ProjectTree:
    """Lock the user's own tree and those that things with these ids are in, where the user has at least this role.

    The ids are of projects, sections, tasks and labels; the trees of a label are those of the tasks that bear it.
    A transaction that makes several writes begins with this. Two of them could wait for each other otherwise,
    because each write locks only what it needs. Raises MovedMeanwhile.
    """
    project_ids, owners = _around(user_id, ids, least_role)
    tree = locked_trees(user_id=user_id, project_ids=project_ids, users=[user_id, *owners])
    # again, because the locks may have waited for a request that moved something elsewhere
    project_ids, owners = _around(user_id, ids, least_role)
    if not (project_ids <= tree.keys() and owners <= {each.owner_id for each in tree.values()}):
        raise locks.MovedMeanwhile("Another request has just moved what this one concerns. Send it again.")
    return tree


def _around(
    user_id: uuid.UUID, ids: Collection[uuid.UUID], least_role: Role
) -> tuple[set[uuid.UUID], set[uuid.UUID]]:
    """Return projects of others that things with these ids are in, and the owners of tasks that bear them."""
    project_ids = {*ids}
    for rows in (Section.objects.visible_to(user_id), Task.objects.visible_to(user_id)):
        project_ids |= {*rows.filter(id__in=ids).order_by().values_list("project_id", flat=True)}
    bearing = Task.objects.filter(task_labels__label_id__in=ids, task_labels__label__owner_id=user_id)
    owners = bearing.order_by().values_list("owner_id", flat=True).distinct()
    joined = Membership.objects.of_user(user_id).filter(project_id__in=project_ids, role__gte=least_role)
    return {*joined.values_list("project_id", flat=True)}, {*owners}


def locked_trees_of(sections: SectionQuerySet) -> ProjectTree:
    """Lock the trees that these sections are in; see locked_tree."""
    return _locked(Q(owner_id__in=_lock_accounts(Q(pk__in=sections.order_by().values("owner_id")))))


def _lock_accounts(wanted: Q) -> list[uuid.UUID]:
    """Lock the accounts before their projects, in a separate statement, and return their ids.

    A transaction that has waited here then reads the projects that the previous one created. Locking a project
    first would not work, because other writes lock them in another order. All locks are taken in the order of the
    ids, which avoids deadlocks.
    """
    accounts = User.objects.filter(wanted).order_by("pk").select_for_update(of=("self",), no_key=True)
    return list(accounts.values_list("pk", flat=True))


def _locked(wanted: Q) -> ProjectTree:
    return {project.id: project for project in Project.objects.filter(wanted).locked()}


def project_in(tree: ProjectTree, *, user_id: uuid.UUID, project_id: uuid.UUID) -> Project:
    """Return a project of a locked tree; raise NotFound, and MovedMeanwhile if it has just got another owner.

    To lock it now, after others, could end in a deadlock.
    """
    if project_id in tree:
        return tree[project_id]
    if Project.objects.visible_to(user_id).filter(id=project_id).exists():
        raise locks.moved("project")
    raise NotFound(NOT_FOUND)


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


def below(tree: ProjectTree, project_id: uuid.UUID) -> list[Project]:
    """Return the descendants of a project, parents before their children."""
    return [each for each in under(tree, project_id) if each.id != project_id]


def upwards(tree: ProjectTree, project_id: uuid.UUID | None) -> Iterator[uuid.UUID]:
    """Yield the ids of a project and of those above it."""
    while project_id is not None:
        yield project_id
        project_id = tree[project_id].parent_id


def height(tree: ProjectTree, project_id: uuid.UUID) -> int:
    """Return how many levels the project and those below it have."""
    depths: dict[uuid.UUID | None, int] = {}
    for project in under(tree, project_id):
        depths[project.id] = depths.get(project.parent_id, 0) + 1
    return max(depths.values())
