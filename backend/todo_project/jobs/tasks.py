"""Background jobs that maintain the queue itself."""

from __future__ import annotations

import logging

from todo_project.jobs.queue import ATTEMPTS, job

logger = logging.getLogger(__name__)

# A worker without a heartbeat for so long is considered dead: by the periodic job, and by a worker that starts,
# which may be its replacement.
_DEAD_AFTER_SECONDS = 60
_DEAD_AT_START_SECONDS = 5
_FINISHED_JOB_HOURS = 72
_FAILED_JOB_HOURS = 30 * 24
# Does what procrastinate's retry_job does, but in one statement: otherwise two concurrent runs could requeue a job
# twice, after a living worker has taken it in between. A job that ends its worker each time, for example because it
# needs too much memory, fails after as many attempts as one that raises errors.
_REQUEUE = """
UPDATE procrastinate_jobs
SET status = CASE WHEN abort_requested OR attempts >= %(attempts)s THEN 'failed' ELSE 'todo'
        END::procrastinate_job_status,
    attempts = attempts + 1, scheduled_at = now()
WHERE status = 'doing' AND (worker_id IS NULL OR worker_id IN (
  SELECT id FROM procrastinate_workers WHERE last_heartbeat < now() - %(silence)s * interval '1 second'
))
RETURNING id, task_name, status::text
"""


@job("jobs.tend_queue", cron="* * * * *")
async def tend_queue(timestamp: int | None = None) -> None:
    """Requeue the jobs of dead workers, each up to ATTEMPTS times, and delete old jobs.

    Finished jobs are deleted after three days, failed ones after a month.

    Without a timestamp it was deferred by a worker that has just started.
    https://procrastinate.readthedocs.io/en/stable/howto/production/retry_stalled_jobs.html
    """
    from procrastinate.contrib.django import app  # noqa: PLC0415 - installed on PostgreSQL only

    silence = _DEAD_AFTER_SECONDS if timestamp else _DEAD_AT_START_SECONDS
    for each in await app.connector.execute_query_all_async(_REQUEUE, silence=silence, attempts=ATTEMPTS):
        if each["status"] == "failed":
            logger.error(
                "job_failed: its worker died each time", extra={"job": each["task_name"], "job_id": each["id"]}
            )
    await app.job_manager.delete_old_jobs(nb_hours=_FINISHED_JOB_HOURS)
    await app.job_manager.delete_old_jobs(nb_hours=_FAILED_JOB_HOURS, include_failed=True)
