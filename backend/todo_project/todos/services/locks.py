"""Locks what a write depends on: the projects first, then the task.

Every write that adds, moves, trashes or restores tasks locks their projects, and so does every write of a member.
Nothing is then added to a project that is moved to the trash at the same time, and nothing is written after a
member was removed. Writes that depend on the nesting of projects lock whole trees (trees.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db import models
from django.db.models import Q

from todo_project.db.compiled import CompiledQuery
from todo_project.errors import Conflict
from todo_project.todos.models import OwnedQuerySet, Project, Section, Task
from todo_project.todos.services import access, rows
from todo_project.todos.services.access import Action

_ID = models.UUIDField()


class LockedProject(NamedTuple):
    """What the rules need of a locked project."""

    id: uuid.UUID
    owner_id: uuid.UUID
    is_inbox: bool
    is_archived: bool


Projects = dict[uuid.UUID, LockedProject]


class MovedMeanwhile(Conflict):
    """A concurrent request has moved or deleted the task or section."""


def moved(kind: str = "task") -> MovedMeanwhile:
    """Return the error for a task or section that a concurrent request has moved."""
    return MovedMeanwhile(f"Another request moved or deleted this {kind}. Read it again and retry.")


def hold(projects: OwnedQuerySet[Project]) -> set[uuid.UUID]:
    """Lock these projects, including those in the trash, until the transaction ends, and return their ids."""
    return set(projects.locked().values_list("id", flat=True))


def _own_inbox(user_id: Any) -> Any:
    return _locking(Project.objects.owned_by(user_id).filter(is_inbox=True))


def _named_project(user_id: Any, project_id: Any) -> Any:
    return _locking(Project.objects.visible_to(user_id).filter(id=project_id))


def _locking(projects: OwnedQuerySet[Project]) -> Any:
    # no_key: see OwnedQuerySet.locked
    return projects.alive().select_for_update(no_key=True).values_list(*LockedProject._fields)


# The locks that most new tasks need, compiled once.
_LOCK_INBOX = CompiledQuery(_own_inbox, {"user_id": _ID})
_LOCK_NAMED = CompiledQuery(_named_project, {"user_id": _ID, "project_id": _ID})


def lock_projects(*, user_id: uuid.UUID, fields: Mapping[str, Any], task_id: uuid.UUID | None = None) -> Projects:
    """Lock the project of a task and the one that it may move to, until the transaction ends.

    Projects in the trash are neither locked nor returned.
    """
    if task_id is None and fields.get("project_id"):
        return _by_id(_LOCK_NAMED.rows({"user_id": user_id, "project_id": fields["project_id"]}))
    if task_id is None and not (fields.get("section_id") or fields.get("parent_id")):
        return _by_id(_LOCK_INBOX.rows({"user_id": user_id}))
    tasks = Task.objects.visible_to(user_id)
    wanted = Q() if task_id is None else Q(id__in=tasks.filter(id=task_id).values("project_id"))
    if fields.get("project_id"):
        wanted |= Q(id=fields["project_id"])
    elif fields.get("parent_id"):
        wanted |= Q(id__in=tasks.filter(id=fields["parent_id"]).values("project_id"))
    elif fields.get("section_id"):
        sections = Section.objects.visible_to(user_id).filter(id=fields["section_id"])
        wanted |= Q(id__in=sections.values("project_id"))
    elif task_id is None or "project_id" in fields:
        wanted |= Q(is_inbox=True, owner_id=user_id)
    # in the order of their ids, which avoids deadlocks
    return _by_id(_locking(Project.objects.visible_to(user_id).filter(wanted)).order_by("id"))


def _by_id(rows: Iterable[tuple[Any, ...]]) -> Projects:
    return {row[0]: LockedProject(*row) for row in rows}


_LINK_COLUMNS = ("label_ids", "assignee_ids")
_LINKS = CompiledQuery(
    lambda task_id: Task.objects.with_links().filter(id=task_id).values_list(*_LINK_COLUMNS),
    {"task_id": _ID},
)


def locked_task(
    tasks: OwnedQuerySet[Task],
    *,
    user_id: uuid.UUID,
    task_id: uuid.UUID,
    expected_versions: rows.Versions = None,
) -> Task:
    """Return a task that the user may change, with its `label_ids` and `assignee_ids`, locked.

    Raises NotFound, RoleTooLow and StaleVersion. The links need a second statement: one that has waited for a lock
    sees the new values of the locked row, but the old values of all others.
    """
    task = rows.locked(tasks, row_id=task_id)
    access.require(Action.EDIT, user_id=user_id, project_id=task.project_id, owner_id=task.owner_id)
    rows.compare(task, expected_versions=expected_versions)
    [(task.label_ids, task.assignee_ids)] = _LINKS.rows({"task_id": task.id})
    return task
