"""What the commands of the start sequence have in common: their errors are log lines."""

from __future__ import annotations

import logging
import sys

from django.core.management.base import BaseCommand, CommandError

logger = logging.getLogger(__name__)


class StartCommand(BaseCommand):
    """A command that logs its error, so that it has the form of LOG_FORMAT; Django's would print it."""

    def run_from_argv(self, argv: list[str]) -> None:
        """Run the command; a failure exits with its status."""
        if "--traceback" in argv:
            super().run_from_argv(argv)
            return
        try:
            super().run_from_argv([*argv, "--traceback"])  # which raises the error
        except CommandError as error:
            logger.error("%s", error)
            sys.exit(error.returncode)
