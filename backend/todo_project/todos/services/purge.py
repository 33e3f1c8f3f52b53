"""What stays in the trash too long is deleted for good, a batch at a time."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import transaction

from todo_project.todos.models import Label, OwnedQuerySet, Project, Section, Task
from todo_project.todos.services import rows

BATCH = 500


def purge_trash(*, before: dt.datetime, now: dt.datetime, batch: int = BATCH) -> dict[str, int]:
    """Delete what has been in the trash since before the moment; gives how many of each kind there were.

    Children go before what holds them. Every batch is a transaction of its own, so nobody waits long for a lock
    and an interruption loses nothing.
    """
    purged = {kind.__name__: 0 for kind in (Task, Section, Project, Label)}
    tables: tuple[OwnedQuerySet[Any], ...] = (
        Task.objects.all(),
        Section.objects.all(),
        Project.objects.all(),
        Label.objects.all(),
    )
    for table in tables:
        while ids := _next(table.trashed_before(before), batch):
            for name, count in _delete(table.trashed_before(before), ids, now).items():
                purged[name] = purged.get(name, 0) + count
    return purged


def _next(trashed: OwnedQuerySet[Any], batch: int) -> list[uuid.UUID]:
    # by id: what was made first is more likely to hold than to be held, so the newest go first
    return list(trashed.order_by("-id").values_list("id", flat=True)[:batch])


def _delete(trashed: OwnedQuerySet[Any], ids: list[uuid.UUID], now: dt.datetime) -> dict[str, int]:
    with transaction.atomic():
        # once more and locked: whoever brought one back since the batch was chosen keeps it
        chosen = trashed.filter(id__in=ids).order_by("id").select_for_update(of=("self",))
        ids = list(chosen.values_list("id", flat=True))
        # a completed task forgets the next one that it made, and those who hold a copy have to hear of it
        rows.update_all(Task.objects.filter(next_task_id__in=ids), now=now, next_task=None)
        _, deleted = trashed.filter(id__in=ids).delete()
    return {label.rpartition(".")[2]: count for label, count in deleted.items()}
