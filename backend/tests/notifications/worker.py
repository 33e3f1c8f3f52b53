"""What the jobs of a worker do, in a process that can be killed: until nothing is left to do, in small batches."""

from __future__ import annotations

import datetime as dt
import sys

import django

django.setup()

from django.utils import timezone  # noqa: E402 - needs the setup

from todo_project.notifications.services import log, reminders, sending  # noqa: E402 - as above


def main(now: dt.datetime) -> None:
    """Do all that is due at this time."""
    log.follow(now=now, batch=10)
    reminders.remind(now=now, batch=10)
    sending.send_waiting(clock=timezone.now, batch=10)


if __name__ == "__main__":
    main(dt.datetime.fromisoformat(sys.argv[1]))
