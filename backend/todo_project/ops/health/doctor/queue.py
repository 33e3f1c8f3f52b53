"""Checks of background jobs and workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import connection

from todo_project.ops.health.diagnosis import Diagnosis, failure, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

WAITING_WARNING_SECONDS: Final = 120  # a job that is due starts within seconds
WAITING_FAILURE_SECONDS: Final = 900
SILENT_SECONDS: Final = 60  # a worker's heartbeat comes more often
_JOBS: Final = """
    SELECT count(*) FILTER (WHERE job.status = 'todo'),
           coalesce(extract(epoch FROM now() - min(greatest(job.scheduled_at, deferred.at))
               FILTER (WHERE job.status = 'todo'))::int, 0),
           count(*) FILTER (WHERE job.status = 'doing' AND (worker.id IS NULL
               OR worker.last_heartbeat < now() - make_interval(secs => %s)))
    FROM procrastinate_jobs job
    LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
    LEFT JOIN LATERAL (SELECT min(at) AS at FROM procrastinate_events
        WHERE job_id = job.id AND type = 'deferred') deferred ON true
    WHERE job.status IN ('todo', 'doing') AND coalesce(job.scheduled_at <= now(), true)
"""
_WORKERS: Final = """
    SELECT count(*) FILTER (WHERE last_heartbeat >= now() - make_interval(secs => %s))
    FROM procrastinate_workers
"""
_HINT: Final = "see `docker compose logs worker`; `manage.py procrastinate shell` shows the jobs"


def jobs() -> Iterator[Diagnosis]:
    """Find jobs that are due and not started, and started ones whose worker is gone."""
    if connection.vendor != "postgresql":
        return
    due, seconds, stalled = _row(_JOBS, SILENT_SECONDS)
    yield waiting(due, seconds)
    if stalled:
        yield warning(
            f"jobs whose worker is gone: {stalled}",
            f"they are retried automatically; {_HINT}",
        )


def waiting(due: int, seconds: int) -> Diagnosis:
    message = f"jobs that are due: {due}, the oldest for {seconds} s" if due else "no job is waiting"
    if seconds > WAITING_FAILURE_SECONDS:
        return failure(message, _HINT)
    if seconds > WAITING_WARNING_SECONDS:
        return warning(message, f"raise WORKER_CONCURRENCY; {_HINT}")
    return ok(message)


def workers() -> Iterator[Diagnosis]:
    """Count the workers with a recent heartbeat."""
    if connection.vendor != "postgresql":
        return
    (alive,) = _row(_WORKERS, SILENT_SECONDS)
    if alive:
        yield ok("1 worker is alive" if alive == 1 else f"{alive} workers are alive")
    else:
        yield failure(
            f"no worker has sent a heartbeat for {SILENT_SECONDS} s",
            "start it: `docker compose --env-file envs/….env up -d worker`, or wait if it has just started; "
            "nothing is purged, sent or repeated without it",
        )


def _row(statement: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()
