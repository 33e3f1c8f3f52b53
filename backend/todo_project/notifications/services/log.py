"""Reads the log of changes, which has every write of everybody, and notes what follows from it.

So no service needs to know of notifications, and what the release before this one writes is noticed, too.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from todo_project.db.changes.position import Horizon, Position, horizon
from todo_project.notifications.models import LogReader, Scheduled
from todo_project.notifications.services import events, invited, schedule
from todo_project.todos.models import Change, Task

BATCH = 2_000
_KINDS = ("task", "comment")


def follow(*, now: dt.datetime, batch: int = BATCH) -> None:
    """Bring the schedule up to date with all changes that can be read now."""
    while _follow(now, batch):
        pass
    reschedule_zones(now=now)
    invited.note(now=now)


@transaction.atomic
def _follow(now: dt.datetime, batch: int) -> bool:
    """Read one batch of the log; return whether there is more. If another worker is reading, do nothing."""
    LogReader.objects.bulk_create([LogReader(pk=1)], ignore_conflicts=True)
    reader = LogReader.objects.select_for_update(skip_locked=True).filter(pk=1).first()
    if reader is None:
        return False
    end = horizon()
    if _has_lost_its_place(reader, end, now):
        _begin_again(since=reader.at or now)
        _advance(reader, end.end, end.epoch, now)
        return False
    rows = Change.objects.between(Position(reader.xid, reader.row_id), end.end)
    found = list(rows.filter(kind__in=_KINDS)[:batch])
    _note(found, now)
    is_full = len(found) == batch
    _advance(reader, Position(found[-1].xid, found[-1].id + 1) if is_full else end.end, end.epoch, now)
    return is_full


def _has_lost_its_place(reader: LogReader, end: Horizon, now: dt.datetime) -> bool:
    """Return whether unread rows may be missing, because they are purged or the database was restored."""
    purged_before = now - dt.timedelta(days=settings.CHANGES_RETENTION_DAYS)
    return reader.at is None or reader.epoch != end.epoch or reader.at < purged_before


def _begin_again(*, since: dt.datetime) -> None:
    """Compute the whole schedule from the tasks."""
    with_reminders = Task.objects.exclude(reminders=[]).order_by().values_list("id", flat=True)
    ids = {*with_reminders.iterator(), *Scheduled.objects.values_list("task_id", flat=True).iterator()}
    ordered = sorted(ids)
    for start in range(0, len(ordered), BATCH):
        schedule.reschedule(dict.fromkeys(ordered[start : start + BATCH], since))


def _advance(reader: LogReader, place: Position, epoch: str, now: dt.datetime) -> None:
    reader.xid, reader.row_id, reader.epoch, reader.at = *place, epoch, now
    reader.save()


def _note(found: Sequence[Change], now: dt.datetime) -> None:
    changed: dict[uuid.UUID, dt.datetime] = {}
    for row in found:
        if row.kind == "task":
            changed[row.object_id] = min(row.at, changed.get(row.object_id, row.at))
    schedule.reschedule(changed)
    events.note(found, now=now)


@transaction.atomic
def reschedule_zones(*, now: dt.datetime) -> None:
    """Compute the reminders again whose owners have changed their time zones."""
    schedule.reschedule(dict.fromkeys(Scheduled.objects.in_another_zone().values_list("task_id", flat=True), now))
