"""Delete for good what has been in the trash too long, a batch at a time."""

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
    """Delete what has been in the trash since before the moment; returns how many of each kind there were.

    Every batch is a transaction of its own, so that no lock is held for long and an interruption loses nothing.
    """
    purged = {kind.__name__: 0 for kind in (Task, Section, Project, Label)}
    alive = Task.objects.alive()
    tables: tuple[OwnedQuerySet[Any], ...] = (
        # Below what is in the trash nothing is alive (placement.py). Deleting would take it along, so ask again.
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
        # again, with locks: what was restored since the batch was chosen stays
        chosen = trashed.filter(id__in=ids).order_by("id").select_for_update(of=("self",))
        ids = list(chosen.values_list("id", flat=True))
        # a completed task whose next one goes changes, and those who hold a copy of it have to learn that
        rows.update_all(Task.objects.filter(next_task_id__in=ids), now=now, next_task=None)
        _, deleted = type(trashed)(model=trashed.model).filter(id__in=ids).delete()
    return {label.rpartition(".")[2]: count for label, count in deleted.items()}
