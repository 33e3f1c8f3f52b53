"""Deletes old notifications."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from todo_project.notifications.models import Notification

BATCH = 5_000


def purge(*, now: dt.datetime, batch: int = BATCH) -> int:
    """Delete old notifications and those of tasks that are gone, in batches; return how many."""
    before = now - dt.timedelta(days=settings.NOTIFICATIONS_RETENTION_DAYS)
    purged = 0
    for found in (Notification.objects.made_before(before), Notification.objects.of_nothing()):
        while ids := list(found.order_by("created_at").values_list("id", flat=True)[:batch]):
            purged += Notification.objects.filter(id__in=ids).delete()[0]
    return purged
