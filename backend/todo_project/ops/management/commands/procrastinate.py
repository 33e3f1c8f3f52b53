"""procrastinate's command, such as its worker, whose output goes to the log."""

from __future__ import annotations

import contextlib
import logging
from typing import Any, Final

from django.conf import settings
from django.db import connection
from procrastinate import cli, exceptions
from procrastinate.contrib.django import app
from procrastinate.contrib.django.management.commands import procrastinate

logger = logging.getLogger("procrastinate")

SILENCE_SECONDS: Final = 5


class Command(procrastinate.Command):
    """procrastinate's command. If LOG_FORMAT is json, each line that it prints is an object.

    A worker first defers the job that requeues the jobs of dead workers.
    """

    def handle(self, *args: Any, **kwargs: Any) -> None:
        if settings.LOG_FORMAT == "json":
            cli.print_stderr = _log
        if kwargs.get("command") == "worker":
            _requeue_jobs_of_dead_workers()
        super().handle(*args, **kwargs)


def _log(*words: Any) -> None:
    logger.info(" ".join(str(word) for word in words))


def _requeue_jobs_of_dead_workers() -> None:
    with contextlib.suppress(exceptions.ConnectorException):  # the worker itself reports an unreachable database
        app.configure_task("jobs.tend_queue", schedule_in={"seconds": SILENCE_SECONDS}).defer()
    connection.close()  # the worker has its own
