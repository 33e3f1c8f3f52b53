"""Background jobs of the API's own tables."""

from __future__ import annotations

import datetime as dt
import time

from todo_project.api.models import IdempotencyRecord, RateCounter
from todo_project.jobs.queue import job

IDEMPOTENCY_HOURS = 48


@job("api.purge_expired", cron="17 * * * *")
def purge_expired(timestamp: int | None = None) -> None:
    """Delete stored responses and rate counters that are no longer needed."""
    now = dt.datetime.fromtimestamp(timestamp or time.time(), tz=dt.UTC)
    IdempotencyRecord.objects.filter(created_at__lt=now - dt.timedelta(hours=IDEMPOTENCY_HOURS)).delete()
    RateCounter.objects.filter(window_end__lt=now.timestamp()).delete()
