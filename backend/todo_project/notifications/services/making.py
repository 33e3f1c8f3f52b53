"""Makes all notifications that are due, for the worker and, where none runs, for `manage.py notify`."""

from __future__ import annotations

import datetime as dt

from todo_project.notifications.services import digests, log, notifying


def make_due(*, now: dt.datetime) -> None:
    """Note what others did, the reminders that are due, and the digests of the day."""
    log.follow(now=now)
    notifying.remind(now=now)
    digests.make(now=now)
