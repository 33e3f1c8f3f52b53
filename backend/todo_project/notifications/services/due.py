"""Creates all notifications that are due, for the worker and, where none runs, for `manage.py notify`."""

from __future__ import annotations

import datetime as dt

from todo_project.notifications.services import digests, log, reminders


def create(*, now: dt.datetime) -> None:
    """Note what others did, the reminders that are due, and the digests of the day."""
    log.follow(now=now)
    reminders.remind(now=now)
    digests.create(now=now)
