"""Background jobs of notifications."""

from __future__ import annotations

from django.utils import timezone

from todo_project.jobs.queue import defer, job
from todo_project.notifications.services import due, retention, sending


@job("notifications.notify", cron="* * * * *")
def notify(timestamp: int | None = None) -> None:
    """Notify people of the reminders that are due and of what others did."""
    now = timezone.now()
    due.create(now=now)
    for _ in range(sending.jobs_needed(now=now)):
        defer("notifications.send_mails")


@job("notifications.send_mails")
def send_mails() -> None:
    """Send the mails of notifications that are waiting."""
    sending.send_waiting(clock=timezone.now)


@job("notifications.purge", cron="33 3 * * *")
def purge(timestamp: int | None = None) -> None:
    """Delete the notifications that are older than NOTIFICATIONS_RETENTION_DAYS, and those of deleted tasks."""
    retention.purge(now=timezone.now())
