"""Notifies people of the reminders that are due."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction

from todo_project.accounts.models import User
from todo_project.notifications.models import Notification, NotificationKind, Scheduled
from todo_project.notifications.services import creating, people, schedule
from todo_project.todos.models import Task

BATCH: Final = 500


def remind(*, now: dt.datetime, batch: int = BATCH) -> None:
    """Notify everybody of the reminders that are due now.

    Each batch is one transaction, which creates the notifications and schedules the next reminders of the tasks. So
    whenever a worker dies, a reminder is either noted or still scheduled.
    """
    while _remind(now, batch):
        pass


@transaction.atomic
def _remind(now: dt.datetime, batch: int) -> bool:
    """Handle some tasks with reminders that are due; return whether there were any."""
    rows = list(Scheduled.objects.due(now)[:batch])
    ids = [row.task_id for row in rows]
    found = Task.objects.filter(id__in=ids).alive().open().select_related("owner", "project")
    tasks = list(found.defer("description", "ical").order_by())
    people_of = people.to_remind(tasks) if tasks else {}
    next_rows, notifications = [], []
    since = {row.task_id: row.next_at for row in rows}
    for task in tasks:
        times = [at for at in schedule.of_task(task) if since[task.id] <= at <= now]
        if not task.project.is_archived:
            notifications += [_reminder(user, task, at, now=now) for at in times for user in people_of[task.id]]
        next_rows.append(schedule.after(task, now))
    creating.add(notifications)
    kept = [row for row in next_rows if row is not None]
    Scheduled.objects.of_tasks({*ids} - {row.task_id for row in kept}).delete()
    schedule.save(kept)
    return bool(rows)


def _reminder(user: User, task: Task, at: dt.datetime, *, now: dt.datetime) -> Notification:
    row = creating.new(user, NotificationKind.REMINDER, f"{task.id} {at.isoformat()}", at=at, now=now)
    row.task = task
    return row
