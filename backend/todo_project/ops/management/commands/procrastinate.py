"""The queue's own command, the worker among its parts: what it says to a terminal is in the log instead."""

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
    """As `manage.py procrastinate` is; where LOG_FORMAT is json, every line of the worker is one object.

    A worker first asks for the jobs of one that died, for when that one has been silent for long enough.
    """

    def handle(self, *args: Any, **kwargs: Any) -> None:
        """Run it."""
        if settings.LOG_FORMAT == "json":
            cli.print_stderr = _log
        if kwargs.get("command") == "worker":
            _ask_for_jobs_of_the_dead()
        super().handle(*args, **kwargs)


def _log(*words: Any) -> None:
    logger.info(" ".join(str(word) for word in words))


def _ask_for_jobs_of_the_dead() -> None:
    with contextlib.suppress(exceptions.ConnectorException):  # the worker itself tells that there is no database
        app.configure_task("jobs.tend_queue", schedule_in={"seconds": SILENCE_SECONDS}).defer()
    connection.close()  # the worker has its own
