"""Background jobs by name: `queue.defer("todos.purge_trash")`.

Services refer to jobs by name, so they never import tasks.py. On PostgreSQL a deferred job is a row for
procrastinate's worker, inserted in the caller's transaction, so it exists only if that transaction commits. On
SQLite, which has no worker, the job runs in this process after the commit. A job carries the id of the request that
deferred it, so that one search in the logs finds both, and the person, so that the log of changes names them.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.db import close_old_connections, connection, transaction
from structlog.contextvars import bound_contextvars, get_contextvars

from todo_project.db.changes import actor

if TYPE_CHECKING:
    from procrastinate import App
    from procrastinate.job_context import JobContext
    from procrastinate.middleware import AsyncCallNext
    from procrastinate.worker import Worker

logger = logging.getLogger(__name__)

ATTEMPTS = 5
# shorter than the silence after which tasks.tend_queue considers a worker dead
_HEARTBEAT_SECONDS = 1.0
# stored with the job's own arguments, where ops/observability/logs.py reads it
REQUEST_ID = "_request_id"
_ACTOR_ID = "_actor_id"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A function that runs in the background; `cron` (in UTC) makes it periodic."""

    name: str
    run: Callable[..., Any]
    cron: str | None


registry: dict[str, Job] = {}


def job(name: str, *, cron: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function of an app's tasks.py as the job `name`, such as `todos.purge_trash`.

    Jobs must be idempotent, because the job of a worker that dies runs again. A periodic job gets the time it was
    scheduled for as `timestamp`, in seconds since the epoch.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        registry[name] = Job(name=name, run=function, cron=cron)
        return function

    return register


def defer(name: str, *, lock: str | None = None, **arguments: Any) -> None:
    """Run the job in the background after the current transaction commits; arguments must be JSON values.

    Jobs with the same lock run one at a time. Raises KeyError for a name that no tasks.py registers.
    """
    known, who = registry[name], actor.current()
    if connection.vendor == "postgresql":
        from procrastinate.contrib.django import app  # noqa: PLC0415 - installed on PostgreSQL only

        carried = {REQUEST_ID: get_contextvars().get("request_id"), _ACTOR_ID: str(who.user_id) if who else None}
        arguments |= {key: value for key, value in carried.items() if value}
        app.configure_task(name, lock=lock).defer(**arguments)
    else:
        transaction.on_commit(lambda: _run(known, arguments, who))


def _run(known: Job, arguments: dict[str, Any], who: actor.Actor | None) -> None:
    run = async_to_sync(known.run) if inspect.iscoroutinefunction(known.run) else known.run
    try:
        with actor.acting(who), bound_contextvars(job=known.name):
            run(**arguments)
    except Exception:
        # the change is committed, so a failed job must not turn the response into an error
        logger.exception("job_failed", extra={"job": known.name})


def register_all(app: App) -> None:
    """Register every job with procrastinate, with exponential backoff between retries."""
    from procrastinate import RetryStrategy  # noqa: PLC0415 - imported with the worker only

    for known in registry.values():
        retry = RetryStrategy(max_attempts=ATTEMPTS, exponential_wait=4)
        task = app.task(name=known.name, retry=retry)(in_context(known))
        if known.cron:
            app.periodic(cron=known.cron, periodic_id=known.name)(task)
    app.worker_defaults["worker_middleware"] = [beat_beside]


async def beat_beside(run: AsyncCallNext, context: JobContext, worker: Worker) -> Any:
    """Send heartbeats while a job runs, so that tend_queue does not give the job to another worker.

    The worker's own heartbeats end when it is told to stop, while it still finishes its jobs, and when the database
    is unreachable.
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
        with contextlib.suppress(ConnectorException):  # try again at the next beat
            await worker.app.job_manager.update_heartbeat(worker.worker_id)


def in_context(known: Job) -> Callable[..., Any]:
    """Wrap the job's function so that it runs in the context of the request that deferred it.

    Its log lines have the job's name and the request's id, and its writes name the person.
    """
    if inspect.iscoroutinefunction(known.run):

        @functools.wraps(known.run)
        async def run_async(**arguments: Any) -> Any:
            with actor.acting(_actor(arguments)), bound_contextvars(**_context(known, arguments)):
                return await known.run(**arguments)

        return run_async

    @functools.wraps(known.run)
    def run(**arguments: Any) -> Any:
        close_old_connections()  # no request does this in a worker's thread, and the database may have restarted
        with actor.acting(_actor(arguments)), bound_contextvars(**_context(known, arguments)):
            return known.run(**arguments)

    return run


def _actor(arguments: dict[str, Any]) -> actor.Actor | None:
    user_id = arguments.get(_ACTOR_ID)
    return actor.Actor(uuid.UUID(user_id)) if user_id else None


def _context(known: Job, arguments: dict[str, Any]) -> dict[str, Any]:
    """Remove the arguments that begin with an underscore and return what goes into the log.

    After a rollback there may be jobs of the newer release, with underscore arguments that this one does not know.
    """
    extra = {name: arguments.pop(name) for name in list(arguments) if name.startswith("_")}
    request_id = extra.get(REQUEST_ID)
    return {"job": known.name} | ({"request_id": request_id} if request_id else {})
