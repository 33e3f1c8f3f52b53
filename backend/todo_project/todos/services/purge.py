"""Permanently deletes what has been in the trash for too long, in batches.

Only rows that contain nothing are deleted: first subtasks, then the tasks above them, then sections, then projects.
Therefore no deletion cascades to another task, section or project, whatever state the rows are in.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from todo_project.todos.models import Label, OwnedQuerySet, Project, SavedFilter, Section, Task
from todo_project.todos.services import rows

BATCH = 500
_logger = logging.getLogger(__name__)
_Kind = type[Task] | type[Section] | type[Project] | type[Label] | type[SavedFilter]
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

    Each batch is a separate transaction, so that locks are short and an interruption loses no work. By the
    invariant in placement.py, nothing in the trash contains a live row; a row that does is kept, and logged.
    """
    purged = {kind.__name__: 0 for kind in _KINDS}
    for kind in _KINDS:
        while ids := _next(kind, before, batch):
            purged[kind.__name__] += _delete(kind, ids, before, now)
    kept = {kind.__name__: count for kind in _KINDS if (count := _trashed(kind, before).count())}
    if kept:
        _logger.warning("todos.trash_kept", extra={"kept": kept})
    return purged


def _trashed(kind: _Kind, before: dt.datetime) -> OwnedQuerySet[Any]:
    return kind.objects.trashed_before(before)


def _empty(kind: _Kind, before: dt.datetime) -> OwnedQuerySet[Any]:
    """Return the trashed rows that contain nothing, not even something that is in the trash too."""
    found = _trashed(kind, before)
    for held, column in _CONTENTS[kind]:
        found = found.exclude(Exists(held.objects.filter(**{column: OuterRef("id")})))
    return found


def _next(kind: _Kind, before: dt.datetime, batch: int) -> list[uuid.UUID]:
    return list(_empty(kind, before).order_by("deleted_at").values_list("id", flat=True)[:batch])


def _delete(kind: _Kind, ids: list[uuid.UUID], before: dt.datetime, now: dt.datetime) -> int:
    with transaction.atomic():
        projects = _lock_projects(kind, ids)
        list(kind.objects.filter(id__in=ids).order_by("id").select_for_update().values_list("id"))
        # Select again what is still in the trash and empty. Nothing can be added to a row while it is locked.
        still = _empty(kind, before).filter(id__in=ids)
        if kind in (Task, Section):
            still = still.filter(project_id__in=projects)
        ids = list(still.values_list("id", flat=True))
        if kind is Task:
            # completed tasks that refer to deleted ones change, so clients must see a new version of them
            rows.update_all(Task.objects.filter(next_task_id__in=ids), now=now, next_task=None)
        _, deleted = kind.objects.filter(id__in=ids).delete()
    return deleted.get(f"todos.{kind.__name__}", 0)


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
