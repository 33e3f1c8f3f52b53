"""`manage.py notify`: does now what the worker does every minute."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.utils import timezone

from todo_project.notifications.services import due, sending


class Command(BaseCommand):
    """Creates the notifications that are due and sends their mails, where no worker runs."""

    help = "Create the notifications that are due now, and send their mails."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--every-minute",
            action="store_true",
            help="repeat it every minute, on SQLite only, which has no worker",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run once, or until the process ends."""
        if not options["every_minute"]:
            self._notify()
        while options["every_minute"] and connection.vendor == "sqlite":
            try:
                self._notify()
            except Exception as error:  # noqa: BLE001 - such as a locked database; the next minute may do better
                self.stderr.write(f"Notifications were not created: {error}. The next attempt is in a minute.")
            connection.close()
            time.sleep(60)

    def _notify(self) -> None:
        due.create(now=timezone.now())
        sending.send_waiting(clock=timezone.now)
