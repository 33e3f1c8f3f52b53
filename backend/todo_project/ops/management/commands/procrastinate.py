"""The queue's own command, the worker among its parts, with what it says to a terminal in the log instead."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from procrastinate import cli
from procrastinate.contrib.django.management.commands import procrastinate

logger = logging.getLogger("procrastinate")


class Command(procrastinate.Command):
    """As `manage.py procrastinate` is; where LOG_FORMAT is json, every line of the worker is one object."""

    def handle(self, *args: Any, **kwargs: Any) -> None:
        """Run it."""
        if settings.LOG_FORMAT == "json":
            cli.print_stderr = _log
        super().handle(*args, **kwargs)


def _log(*words: Any) -> None:
    logger.info(" ".join(str(word) for word in words))
