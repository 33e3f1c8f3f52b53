"""Marks notifications as read."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from todo_project.notifications.models import Notification


def mark_read(
    *,
    user_id: uuid.UUID,
    now: dt.datetime,
    ids: Collection[uuid.UUID] | None = None,
    until: dt.datetime | None = None,
) -> None:
    """Mark the user's notifications with these ids as read, or those that were made until a time, or all.

    Ids that the user has no notification with are ignored.
    """
    rows = Notification.objects.filter(user_id=user_id).unread()
    if ids is not None:
        rows = rows.filter(id__in=ids)
    if until is not None:
        rows = rows.until(until)
    rows.update(read_at=now)
