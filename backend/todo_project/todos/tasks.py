"""Background jobs of todos."""

from __future__ import annotations

import datetime as dt
import time
import uuid

from django.conf import settings
from django.utils import timezone

from todo_project.jobs.queue import job
from todo_project.todos.services import changes, filters, invitation_mail, invitations, purge, repair


@job("todos.send_invitation")
def send_invitation(invitation_id: str) -> None:
    """Send the mail of an invitation, once."""
    invitation_mail.send_invitation(invitation_id=uuid.UUID(invitation_id), now=timezone.now())


@job("todos.purge_invitations", cron="51 3 * * *")
def purge_invitations(timestamp: int | None = None) -> None:
    """Delete invitations that are older than 30 days, whether they were answered or not."""
    invitations.purge_invitations(now=timezone.now())


@job("todos.purge_trash", cron="43 3 * * *")
def purge_trash(timestamp: int | None = None) -> None:
    """Permanently delete what has been in the trash for TRASH_RETENTION_DAYS."""
    scheduled_at = dt.datetime.fromtimestamp(timestamp or time.time(), tz=dt.UTC)
    purge.purge_trash(before=scheduled_at - dt.timedelta(days=settings.TRASH_RETENTION_DAYS), now=timezone.now())


@job("todos.repair_sharing", cron="3 4 * * *")
def repair_sharing(timestamp: int | None = None) -> None:
    """Repair what earlier releases leave behind in memberships, assignees and next tasks."""
    repair.repair_sharing(now=timezone.now())


@job("todos.add_filters", cron="23 4 * * *")
def add_filters(timestamp: int | None = None) -> None:
    """Give the usual filters to accounts that the release before these filters has made."""
    filters.add_missing(now=timezone.now())


@job("todos.purge_changes", cron="13 4 * * *")
def purge_changes(timestamp: int | None = None) -> None:
    """Delete the rows of the log of changes that are older than CHANGES_RETENTION_DAYS."""
    scheduled_at = dt.datetime.fromtimestamp(timestamp or time.time(), tz=dt.UTC)
    changes.purge_changes(before=scheduled_at - dt.timedelta(days=settings.CHANGES_RETENTION_DAYS))
