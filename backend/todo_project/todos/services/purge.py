"""Permanently deletes what has been in the trash for too long, in batches."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from todo_project.todos.models import Label, OwnedQuerySet, Project, Section, Task
from todo_project.todos.services import rows

BATCH = 500


def purge_trash(*, before: dt.datetime, now: dt.datetime, batch: int = BATCH) -> dict[str, int]:
    """Delete what was moved to the trash before this time; return how many rows of each model were deleted.

    Each batch is a separate transaction, so that locks are short and an interruption loses no work.
    """
    purged = {kind.__name__: 0 for kind in (Task, Section, Project, Label)}
    alive = Task.objects.alive()
    tables: tuple[OwnedQuerySet[Any], ...] = (
        # By the invariant in placement.py, nothing in the trash contains a live task. This makes sure of it,
        # because the deletion cascades.
        Task.objects.exclude(Exists(alive.filter(parent_id=OuterRef("id")))),
        Section.objects.all(),
        Project.objects.exclude(Exists(alive.filter(project_id=OuterRef("id")))),
        Label.objects.all(),
    )
    for table in tables:
        while ids := _next(table.trashed_before(before), batch):
            for name, count in _delete(table.trashed_before(before), ids, now).items():
                purged[name] = purged.get(name, 0) + count
    return purged


def _next(trashed: OwnedQuerySet[Any], batch: int) -> list[uuid.UUID]:
    return list(trashed.order_by("deleted_at").values_list("id", flat=True)[:batch])


def _delete(trashed: OwnedQuerySet[Any], ids: list[uuid.UUID], now: dt.datetime) -> dict[str, int]:
    with transaction.atomic():
        # select again with locks, to keep what was restored meanwhile
        chosen = trashed.filter(id__in=ids).order_by("id").select_for_update(of=("self",))
        ids = list(chosen.values_list("id", flat=True))
        # completed tasks that refer to deleted ones change, so clients must see a new version of them
        rows.update_all(Task.objects.filter(next_task_id__in=ids), now=now, next_task=None)
        _, deleted = type(trashed)(model=trashed.model).filter(id__in=ids).delete()
    return {label.rpartition(".")[2]: count for label, count in deleted.items()}
