"""What stories about notifications begin with."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import post_task
from todo_project.notifications.models import Notification
from todo_project.notifications.services import log, reminders

HOUR = dt.timedelta(hours=1)
# when the tasks of these stories are due, unless they say otherwise
DUE = timezone.now().replace(microsecond=0) + 6 * HOUR


def tick(now: dt.datetime | None = None) -> None:
    """Do what the periodic job does every minute."""
    now = now or timezone.now()
    log.follow(now=now)
    reminders.remind(now=now)


def text(at: dt.datetime) -> str:
    """Return a time as the API has it."""
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def due(at: dt.datetime = DUE, zone: str | None = None) -> dict[str, Any]:
    """Return a due time as the API has it."""
    return {"at": text(at), "time_zone": zone}


def before(hours: float = 1, moment: str = "due") -> dict[str, Any]:
    """Return a reminder some hours before the task is due."""
    return {"offset_seconds": int(-3600 * hours), "relative_to": moment}


def post_due(who: Person, **values: Any) -> dict[str, Any]:
    """Make a task that is due, with a reminder an hour before."""
    return post_task(who, **{"due": due(), "reminders": [before()]} | values)


def made(who: Person, task: dict[str, Any] | None = None) -> list[dt.datetime]:
    """Return the times of the reminders that somebody has got, of one task or of all, sorted."""
    rows = Notification.objects.filter(user=who.user, kind="reminder")
    return sorted((rows.filter(task_id=task["id"]) if task else rows).values_list("at", flat=True))


def tell(who: Person, task: dict[str, Any], **values: Any) -> Notification:
    """Make a notification of a task, past the services."""
    at = values.get("at", DUE)
    defaults = {"kind": "reminder", "key": str(uuid.uuid4()), "at": at, "created_at": at, "task_id": task["id"]}
    return Notification.objects.create(user=who.user, **defaults | values)
