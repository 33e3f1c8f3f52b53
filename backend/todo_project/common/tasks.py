"""Background doors of the shared tables and of the queue itself."""

from __future__ import annotations

import datetime as dt
import time

from todo_project.common.jobs import job
from todo_project.common.models import IdempotencyRecord, RateCounter

IDEMPOTENCY_HOURS = 48
# Silent for so long, a worker counts as dead: to all others, and to one that starts, perhaps in its place.
_DEAD_TO_ALL_SECONDS = 60
_DEAD_TO_THE_NEXT_SECONDS = 5
_FINISHED_JOB_HOURS = 72
_FAILED_JOB_HOURS = 30 * 24


@job("common.purge_expired", cron="17 * * * *")
def purge_expired(timestamp: int | None = None) -> None:
    """Delete kept answers and counters that nothing asks for any more."""
    now = dt.datetime.fromtimestamp(timestamp or time.time(), tz=dt.UTC)
    IdempotencyRecord.objects.filter(created_at__lt=now - dt.timedelta(hours=IDEMPOTENCY_HOURS)).delete()
    RateCounter.objects.filter(window_end__lt=now.timestamp()).delete()


@job("common.tend_queue", cron="* * * * *")
async def tend_queue(timestamp: int | None = None) -> None:
    """Put jobs of dead workers back into the queue; delete the finished ones, and in a month those that failed.

    Without a timestamp it is wanted by a worker that has just started, perhaps after one that died.
    https://procrastinate.readthedocs.io/en/stable/howto/production/retry_stalled_jobs.html
    """
    from procrastinate.contrib.django import app  # noqa: PLC0415 - installed on PostgreSQL only

    silence = _DEAD_TO_ALL_SECONDS if timestamp else _DEAD_TO_THE_NEXT_SECONDS
    for stalled in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=silence):
        await app.job_manager.retry_job(stalled)
    await app.job_manager.delete_old_jobs(nb_hours=_FINISHED_JOB_HOURS)
    await app.job_manager.delete_old_jobs(nb_hours=_FAILED_JOB_HOURS, include_failed=True)
