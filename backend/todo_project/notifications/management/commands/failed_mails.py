"""`manage.py failed_mails`: the mails that could not be delivered, and `--repeat` to try again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from todo_project.notifications.models import Notification
from todo_project.notifications.services import sending


class Command(BaseCommand):
    """Shows the mails of notifications that failed or will be tried again, without addresses and titles."""

    help = "Show the mails of notifications that could not be delivered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repeat", action="store_true", help="try again to send those that failed for good")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per mail."""
        if options["repeat"]:
            count = sending.repeat_failed(now=timezone.now())
            self.stdout.write(f"Mails that will be sent again within a minute: {count}")
            return
        rows = Notification.objects.troubled().order_by("mail_at")
        for row in rows.iterator():
            then = (
                "failed"
                if row.mail_status == "failed"
                else f"to be sent again at {row.mail_at:%Y-%m-%d %H:%M:%S} UTC"
            )
            self.stdout.write(f"{row.id} {row.kind}: {row.mail_error}, {row.mail_attempts} attempts, {then}")
        if not rows:
            self.stdout.write("No mail has failed.")
