"""Permanently deletes what has been in the trash for too long, or what an account owns, in batches.

Only rows that contain nothing are deleted: first subtasks, then the tasks above them, then sections, then projects.
Therefore no deletion cascades to another task, section or project, whatever state the rows are in.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from todo_project.todos.models import Label, OwnedQuerySet, Project, SavedFilter, Section, Task
from todo_project.todos.services import rows

BATCH = 500
_logger = logging.getLogger(__name__)
# Functions with which other apps delete what tasks hold; called with task_ids= in the transaction that deletes the
# tasks, and before it if nobody can restore them. Django would name each of these rows in one statement, and
# PostgreSQL allows 65,535 parameters.
before_tasks: list[Callable[..., object]] = []
_Kind = type[Task] | type[Section] | type[Project] | type[Label] | type[SavedFilter]
# Returns the rows of a kind that are to be deleted, in an order that has an index.
_Wanted = Callable[[_Kind], OwnedQuerySet[Any]]
_KINDS: tuple[_Kind, ...] = (Task, Section, Project, Label, SavedFilter)
# For each kind, the rows that it may contain, and the column that refers to it.
_CONTENTS: dict[_Kind, tuple[tuple[_Kind, str], ...]] = {
    Task: ((Task, "parent_id"),),
    Section: ((Task, "section_id"),),
    Project: ((Task, "project_id"), (Section, "project_id"), (Project, "parent_id")),
    Label: (),
    SavedFilter: (),
}


def purge_trash(*, before: dt.datetime, now: dt.datetime, batch: int = BATCH) -> dict[str, int]:
    """Delete what was moved to the trash before this time; return how many rows of each kind were deleted.

    By the invariant in placement.py, nothing in the trash contains a live row; a row that does is kept, and logged.
    """

    def wanted(kind: _Kind) -> OwnedQuerySet[Any]:
        return kind.objects.trashed_before(before).order_by("deleted_at")

    purged = _delete_all(wanted, now=now, batch=batch, may_be_restored=True)
    kept = {kind.__name__: count for kind in _KINDS if (count := wanted(kind).count())}
    if kept:
        _logger.warning("todos.trash_kept", extra={"kept": kept})
    return purged


def delete_owned(*, user_id: uuid.UUID, now: dt.datetime, batch: int = BATCH) -> dict[str, int]:
    """Delete what a closed account owns; return how many rows of each kind were deleted."""

    def wanted(kind: _Kind) -> OwnedQuerySet[Any]:
        return kind.objects.filter(owner_id=user_id).order_by("id")

    return _delete_all(wanted, now=now, batch=batch, may_be_restored=False)


def _delete_all(wanted: _Wanted, *, now: dt.datetime, batch: int, may_be_restored: bool) -> dict[str, int]:
    """Delete the wanted rows, as far as they contain no others; return how many rows of each kind were deleted.

    Each batch is a separate transaction, so that an interruption loses no work. Locks are short: what other apps
    keep with the tasks goes before the transaction. If the tasks may be restored until they are locked, it can only
    go in the transaction, which then takes as long as that.
    """
    deleted = {kind.__name__: 0 for kind in _KINDS}
    for kind in _KINDS:
        while ids := list(_empty(kind, wanted).values_list("id", flat=True)[:batch]):
            if kind is Task and not may_be_restored:
                _delete_held(ids)
            deleted[kind.__name__] += _delete(kind, ids, wanted, now)
    return deleted


def _empty(kind: _Kind, wanted: _Wanted) -> OwnedQuerySet[Any]:
    """Return the wanted rows that contain nothing, not even something that is wanted too."""
    found = wanted(kind)
    for held, column in _CONTENTS[kind]:
        found = found.exclude(Exists(held.objects.filter(**{column: OuterRef("id")})))
    return found


def _delete(kind: _Kind, ids: list[uuid.UUID], wanted: _Wanted, now: dt.datetime) -> int:
    with transaction.atomic():
        projects = _lock_projects(kind, ids)
        list(kind.objects.filter(id__in=ids).order_by("id").select_for_update().values_list("id"))
        # Select again what is still wanted and empty. Nothing can be added to a row while it is locked.
        still = _empty(kind, wanted).filter(id__in=ids)
        if kind in (Task, Section):
            still = still.filter(project_id__in=projects)
        ids = list(still.values_list("id", flat=True))
        if kind is Task:
            # completed tasks that refer to deleted ones change, so clients must see a new version of them
            preceding = Task.objects.filter(next_task_id__in=ids)
            rows.update_all(preceding, now=now, next_task=None, is_next_elsewhere=False)
            _delete_held(ids)
        _, deleted = kind.objects.filter(id__in=ids).delete()
    return deleted.get(f"todos.{kind.__name__}", 0)


def _delete_held(task_ids: list[uuid.UUID]) -> None:
    for delete in before_tasks:
        delete(task_ids=task_ids)


def _lock_projects(kind: _Kind, ids: list[uuid.UUID]) -> list[uuid.UUID]:
    """Lock the projects of these rows and return their ids; see placement.py."""
    wanted = {
        Task: Q(id__in=Task.objects.filter(Q(id__in=ids) | Q(next_task_id__in=ids)).values("project_id")),
        Section: Q(id__in=Section.objects.filter(id__in=ids).values("project_id")),
        Project: Q(id__in=ids),
        Label: Q(pk__in=[]),
        SavedFilter: Q(pk__in=[]),
    }
    locked = Project.objects.filter(wanted[kind]).locked()
    return list(locked.values_list("id", flat=True))
