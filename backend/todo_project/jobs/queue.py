"""Background work by name: `jobs.defer("todos.purge_trash")`.

A service names the job, so it never imports tasks.py. On PostgreSQL the job is a row that procrastinate's worker
takes, written in the caller's transaction: it exists exactly if the change does. On SQLite, which has no worker,
it runs in this process after the commit. A job carries the id of the request that wanted it, so that one search in
the logs finds both.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.db import close_old_connections, connection, transaction
from structlog.contextvars import bound_contextvars, get_contextvars

if TYPE_CHECKING:
    from procrastinate import App
    from procrastinate.job_context import JobContext
    from procrastinate.middleware import AsyncCallNext
    from procrastinate.worker import Worker

logger = logging.getLogger(__name__)

_ATTEMPTS = 5
# less than a worker may be silent for (tasks.tend_queue)
_HEARTBEAT_SECONDS = 1.0
# beside a job's own arguments in its row; ops.logs reads it there
REQUEST_ID = "_request_id"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A function that runs in the background under a name, and when, if it is periodic (cron, UTC)."""

    name: str
    run: Callable[..., Any]
    cron: str | None


registry: dict[str, Job] = {}


def job(name: str, *, cron: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function of an app's tasks.py as the job `name`, such as `todos.purge_trash`.

    A job may run twice (a worker that dies is followed by another), so running it again must change nothing.
    A periodic job gets the time it was due as `timestamp`, in seconds since the epoch.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        registry[name] = Job(name=name, run=function, cron=cron)
        return function

    return register


def defer(name: str, *, lock: str | None = None, **arguments: Any) -> None:
    """Have the job done after the current transaction commits; arguments must be JSON values.

    Jobs with the same lock run one after the other. Raises KeyError for a name that no tasks.py registers.
    """
    known = registry[name]
    if connection.vendor == "postgresql":
        from procrastinate.contrib.django import app  # noqa: PLC0415 - installed on PostgreSQL only

        request_id = get_contextvars().get("request_id")
        app.configure_task(name, lock=lock).defer(**arguments, **({REQUEST_ID: request_id} if request_id else {}))
    else:
        transaction.on_commit(lambda: _run(known, arguments))


def _run(known: Job, arguments: dict[str, Any]) -> None:
    run = async_to_sync(known.run) if inspect.iscoroutinefunction(known.run) else known.run
    try:
        with bound_contextvars(job=known.name):
            run(**arguments)
    except Exception:
        # The change is committed; a failed job must not turn its answer into an error.
        logger.exception("job_failed", extra={"job": known.name})


def register_all(app: App) -> None:
    """Give procrastinate every registered job, with retries that wait longer each time."""
    from procrastinate import RetryStrategy  # noqa: PLC0415 - imported with the worker only

    for known in registry.values():
        retry = RetryStrategy(max_attempts=_ATTEMPTS, exponential_wait=4)
        task = app.task(name=known.name, retry=retry)(in_context(known))
        if known.cron:
            app.periodic(cron=known.cron, periodic_id=known.name)(task)
    app.worker_defaults["worker_middleware"] = [beat_beside]


async def beat_beside(run: AsyncCallNext, context: JobContext, worker: Worker) -> Any:
    """Write the worker's heartbeat for as long as a job runs, so that nobody else takes the job.

    The worker's own one ends when it is asked to stop, while it finishes its jobs, and when the database is away.
    """
    beating = asyncio.create_task(_beat(worker))
    try:
        return await run()
    finally:
        beating.cancel()
        await asyncio.wait([beating])


async def _beat(worker: Worker) -> None:
    from procrastinate.exceptions import ConnectorException  # noqa: PLC0415 - imported with the worker only

    while worker.worker_id is not None:
        await asyncio.sleep(_HEARTBEAT_SECONDS)
        with contextlib.suppress(ConnectorException):  # once more, then
            await worker.app.job_manager.update_heartbeat(worker.worker_id)


def in_context(known: Job) -> Callable[..., Any]:
    """Give the job's function with its name and its request's id on each line that it logs."""
    if inspect.iscoroutinefunction(known.run):

        @functools.wraps(known.run)
        async def run_async(**arguments: Any) -> Any:
            with bound_contextvars(**_context(known, arguments)):
                return await known.run(**arguments)

        return run_async

    @functools.wraps(known.run)
    def run(**arguments: Any) -> Any:
        close_old_connections()  # of this thread, which no request closes: the database may have restarted
        with bound_contextvars(**_context(known, arguments)):
            return known.run(**arguments)

    return run


def _context(known: Job, arguments: dict[str, Any]) -> dict[str, Any]:
    """Take what is no argument of the job's own; a later release, whose jobs a rollback leaves, may add others."""
    beside = {name: arguments.pop(name) for name in list(arguments) if name.startswith("_")}
    request_id = beside.get(REQUEST_ID)
    return {"job": known.name} | ({"request_id": request_id} if request_id else {})
