"""When the reminders of tasks are due."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping

from todo_project.notifications.models import Scheduled
from todo_project.todos.models import Task
from todo_project.todos.services import moments


def of_task(task: Task) -> list[dt.datetime]:
    """Return the times of the task's reminders, sorted and without duplicates.

    A reminder relative to something that the task does not have, or beyond the years of a datetime, has none.
    """
    found = (_time_of(task, reminder) for reminder in task.reminders)
    return sorted({at for at in found if at is not None})


def depends_on_zone(task: Task) -> bool:
    """Return whether a reminder is relative to a date without a time, which begins in the owner's time zone."""
    names = {reminder.get("relative_to") for reminder in task.reminders}
    return any(getattr(task, f"{name}_date") is not None for name in names if name)


def reschedule(changed: Mapping[uuid.UUID, dt.datetime]) -> None:
    """Compute when the next reminder of each of these tasks is due; the values say since when they have changed.

    A reminder before that is none: it was in the past when it was set. But what was scheduled before and is not
    yet sent stays, as far as the task still has it.
    """
    known = dict(Scheduled.objects.of_tasks(changed.keys()).values_list("task_id", "next_at"))
    tasks = Task.objects.filter(id__in=changed).alive().open().exclude(reminders=[]).select_related("owner")
    rows = []
    for task in tasks.defer("title", "description", "ical").order_by():
        since = min(changed[task.id], known.get(task.id, changed[task.id]))
        row = _row(task, since)
        if row is not None:
            rows.append(row)
    Scheduled.objects.of_tasks(changed.keys() - {row.task_id for row in rows}).delete()
    save(rows)


def after(task: Task, moment: dt.datetime) -> Scheduled | None:
    """Return the row of the first reminder after this time, or None if there is none."""
    return _row(task, moment + dt.timedelta(microseconds=1))


def save(rows: list[Scheduled]) -> None:
    """Insert the rows, or replace those of the same tasks."""
    Scheduled.objects.bulk_create(
        rows, 500, update_conflicts=True, unique_fields=["task"], update_fields=["next_at", "time_zone"]
    )


def _row(task: Task, since: dt.datetime) -> Scheduled | None:
    next_at = next((at for at in of_task(task) if at >= since), None)
    if next_at is None:
        return None
    zone = task.owner.time_zone if depends_on_zone(task) else ""
    return Scheduled(task_id=task.id, next_at=next_at, time_zone=zone)


def _time_of(task: Task, reminder: Mapping[str, str | int]) -> dt.datetime | None:
    try:
        if "at" in reminder:
            return dt.datetime.fromisoformat(str(reminder["at"])).astimezone(dt.UTC)
        moment = moments.of(task, str(reminder["relative_to"]))
        if moment is None:
            return None
        start = moments.start_of(moment, default_zone=task.owner.time_zone)
        return start + dt.timedelta(seconds=int(reminder["offset_seconds"]))
    except OverflowError:
        return None
