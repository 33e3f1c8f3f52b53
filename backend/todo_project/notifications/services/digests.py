"""The digest: a mail in the morning with the tasks of the day and those that are overdue."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable
from typing import Final, NamedTuple, cast

from django.db.models import Exists, OuterRef, Q, QuerySet

from todo_project.accounts.models import User
from todo_project.db import time_zones
from todo_project.notifications.models import MailStatus, Notification, NotificationKind
from todo_project.notifications.services import creating, hours
from todo_project.todos.models import Task, TaskAssignee
from todo_project.todos.models.filtering.dates import day_end, day_start
from todo_project.todos.services import moments

BATCH: Final = 500
# a digest is of no use later than this
LATEST: Final = dt.timedelta(hours=3)
# tasks in one mail
MOST: Final = 100


def create(*, now: dt.datetime) -> None:
    """Create the digests that are due now, each once. What is in them is read when they are sent."""
    wanting = User.objects.filter(is_active=True).exclude(digest_at=None)
    for time_zone, clock in wanting.order_by().values_list("time_zone", "digest_at").distinct():
        day = hours.day_of_digest(time_zone, cast(dt.time, clock), now, latest=LATEST)
        if day is not None:
            existing = Notification.objects.filter(
                user=OuterRef("pk"), kind=NotificationKind.DIGEST, key=day.isoformat()
            )
            users = wanting.filter(time_zone=time_zone, digest_at=clock).exclude(Exists(existing))
            _create(users.iterator(), day, now)


def _create(users: Iterable[User], day: dt.date, now: dt.datetime) -> None:
    rows = (
        Notification(
            user=user,
            kind=NotificationKind.DIGEST,
            key=day.isoformat(),
            at=now,
            created_at=now,
            mail_status=MailStatus.PENDING,
            mail_at=now,
        )
        for user in users
    )
    while batch := list(itertools.islice(rows, BATCH)):
        creating.add(batch)


def day_of(row: Notification) -> dt.date:
    """Return the day of a digest."""
    return dt.date.fromisoformat(row.key)


class Digest(NamedTuple):
    """The contents of a digest: how many tasks, and the first of them, the most overdue first."""

    total: int
    overdue: list[Task]
    today: list[Task]


def tasks_of(user: User, day: dt.date) -> QuerySet[Task]:
    """Filter to the open tasks that are due on this day or before: assigned to the user, or the user's own.

    Own tasks that are assigned to others are theirs.
    """
    midnight = day_end(day, time_zones.zone(user.time_zone))
    assigned = TaskAssignee.objects.filter(task_id=OuterRef("id"))
    is_theirs = Exists(assigned.filter(user_id=user.pk)) | (Q(owner_id=user.pk) & ~Exists(assigned))
    open_tasks = Task.objects.visible_to(user.pk).alive().open().filter(is_theirs, project__is_archived=False)
    return open_tasks.filter(Q(due_date__lte=day) | Q(due_at__lt=midnight))


def content(user: User, day: dt.date) -> Digest:
    """Return the contents of the digest of this day."""
    due = tasks_of(user, day)
    rows = due.select_related("owner").defer("description", "ical")
    # the first of those with a day and of those with a time, because no column has both
    found = [*rows.filter(due_at=None).order_by("due_date", "id")[:MOST]]
    found += rows.exclude(due_at=None).order_by("due_at", "id")[:MOST]
    tasks = sorted(found, key=lambda task: _start(task, user))[:MOST]
    midnight = day_start(day, time_zones.zone(user.time_zone))
    overdue = [task for task in tasks if _start(task, user) < midnight]
    total = due.count() if len(tasks) == MOST else len(tasks)
    return Digest(total, overdue, tasks[len(overdue) :])


def _start(task: Task, user: User) -> dt.datetime:
    return moments.start_of(cast(moments.Moment, moments.of(task, "due")), default_zone=user.time_zone)
