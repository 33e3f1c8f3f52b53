"""`manage.py notify`: does now what the worker does every minute."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from todo_project.notifications.services import making, sending


class Command(BaseCommand):
    """Makes the notifications that are due and sends their mails, where no worker runs."""

    help = "Make the notifications that are due now, and send their mails."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run once."""
        making.make_due(now=timezone.now())
        sending.send_waiting(clock=timezone.now)
