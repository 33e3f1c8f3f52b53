"""Background jobs of notifications."""

from __future__ import annotations

from django.utils import timezone

from todo_project.jobs.queue import job
from todo_project.notifications.services import log, notifying, retention


@job("notifications.notify", cron="* * * * *")
def notify(timestamp: int | None = None) -> None:
    """Notify people of the reminders that are due and of what others did."""
    now = timezone.now()
    log.follow(now=now)
    notifying.remind(now=now)


@job("notifications.purge", cron="33 3 * * *")
def purge(timestamp: int | None = None) -> None:
    """Delete the notifications that are older than NOTIFICATIONS_RETENTION_DAYS, and those of deleted tasks."""
    retention.purge(now=timezone.now())
