"""Creates notifications, each once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from todo_project.accounts.models import User
from todo_project.notifications.models import MailStatus, Notification, NotificationKind

# a mail is of no use later than this
LATEST: Final = dt.timedelta(days=1)


def add(notifications: Iterable[Notification]) -> None:
    """Insert the notifications that do not exist yet."""
    Notification.objects.bulk_create(notifications, 500, ignore_conflicts=True)


def new(user: User, kind: NotificationKind, key: str, *, at: dt.datetime, now: dt.datetime) -> Notification:
    """Return a notification that is not inserted yet, with a mail if the user wants mails of this kind.

    A mail that would come more than a day late is not sent.
    """
    row = Notification(user=user, kind=kind, key=key, at=at, created_at=now)
    if user.wants_mail(kind) and at < now - LATEST:
        row.mail_status = MailStatus.MISSED
    elif user.wants_mail(kind):
        row.mail_status, row.mail_at = MailStatus.PENDING, now
    return row
