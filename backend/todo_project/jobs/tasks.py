"""Background jobs that maintain the queue itself."""

from __future__ import annotations

from todo_project.jobs.queue import job

# A worker without a heartbeat for so long is considered dead: by the periodic job, and by a worker that starts,
# which may be its replacement.
_DEAD_AFTER_SECONDS = 60
_DEAD_AT_START_SECONDS = 5
_FINISHED_JOB_HOURS = 72
_FAILED_JOB_HOURS = 30 * 24
# Does what procrastinate's retry_job does, but in one statement: otherwise two concurrent runs could requeue a job
# twice, after a living worker has taken it in between.
_REQUEUE = """
UPDATE procrastinate_jobs
SET status = CASE WHEN abort_requested THEN 'failed' ELSE 'todo' END::procrastinate_job_status,
    attempts = attempts + 1, scheduled_at = now()
WHERE status = 'doing' AND (worker_id IS NULL OR worker_id IN (
  SELECT id FROM procrastinate_workers WHERE last_heartbeat < now() - %(silence)s * interval '1 second'
))
"""


@job("jobs.tend_queue", cron="* * * * *")
async def tend_queue(timestamp: int | None = None) -> None:
    """Requeue the jobs of dead workers; delete finished jobs after three days and failed ones after a month.

    Without a timestamp it was deferred by a worker that has just started.
    https://procrastinate.readthedocs.io/en/stable/howto/production/retry_stalled_jobs.html
    """
    from procrastinate.contrib.django import app  # noqa: PLC0415 - installed on PostgreSQL only

    silence = _DEAD_AFTER_SECONDS if timestamp else _DEAD_AT_START_SECONDS
    await app.connector.execute_query_async(_REQUEUE, silence=silence)
    await app.job_manager.delete_old_jobs(nb_hours=_FINISHED_JOB_HOURS)
    await app.job_manager.delete_old_jobs(nb_hours=_FAILED_JOB_HOURS, include_failed=True)
