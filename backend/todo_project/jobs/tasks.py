"""Background jobs that tend the queue itself."""

from __future__ import annotations

from todo_project.jobs.queue import job

# Silent for so long, a worker counts as dead: to all others, and to one that starts, perhaps in its place.
_DEAD_TO_ALL_SECONDS = 60
_DEAD_TO_THE_NEXT_SECONDS = 5
_FINISHED_JOB_HOURS = 72
_FAILED_JOB_HOURS = 30 * 24
# As the library's retry_job does it, in one statement: two that tend at once do not put back, one after the other,
# what a living worker has taken in between.
_PUT_BACK = """
UPDATE procrastinate_jobs
SET status = CASE WHEN abort_requested THEN 'failed' ELSE 'todo' END::procrastinate_job_status,
    attempts = attempts + 1, scheduled_at = now()
WHERE status = 'doing' AND (worker_id IS NULL OR worker_id IN (
  SELECT id FROM procrastinate_workers WHERE last_heartbeat < now() - %(silence)s * interval '1 second'
))
"""


@job("jobs.tend_queue", cron="* * * * *")
async def tend_queue(timestamp: int | None = None) -> None:
    """Put jobs of dead workers back into the queue; delete the finished ones, and in a month those that failed.

    Without a timestamp it is wanted by a worker that has just started, perhaps after one that died.
    https://procrastinate.readthedocs.io/en/stable/howto/production/retry_stalled_jobs.html
    """
    from procrastinate.contrib.django import app  # noqa: PLC0415 - installed on PostgreSQL only

    silence = _DEAD_TO_ALL_SECONDS if timestamp else _DEAD_TO_THE_NEXT_SECONDS
    await app.connector.execute_query_async(_PUT_BACK, silence=silence)
    await app.job_manager.delete_old_jobs(nb_hours=_FINISHED_JOB_HOURS)
    await app.job_manager.delete_old_jobs(nb_hours=_FAILED_JOB_HOURS, include_failed=True)
