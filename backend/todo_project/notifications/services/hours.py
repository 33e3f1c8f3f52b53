"""Times of day in people's time zones: quiet hours, and when the digest is due."""

from __future__ import annotations

import datetime as dt
from typing import Final

from todo_project.accounts.models import User
from todo_project.db import time_zones

_DAY: Final = dt.timedelta(days=1)


def quiet_until(user: User, now: dt.datetime) -> dt.datetime | None:
    """Return when the user's quiet hours end, or None if it is not quiet now."""
    start, end = user.quiet_start, user.quiet_end
    if start is None or end is None:
        return None
    local = now.astimezone(time_zones.zone(user.time_zone))
    clock = local.time().replace(fold=0)
    is_quiet = start <= clock < end if start < end else not end <= clock < start
    if not is_quiet:
        return None
    day = local.date() + (_DAY if clock >= end else dt.timedelta())
    return next((at for at in _times(day, end, user.time_zone) if at > now), now + _DAY)


def day_of_digest(time_zone: str, clock: dt.time, now: dt.datetime, *, latest: dt.timedelta) -> dt.date | None:
    """Return the day whose digest is due now, and has been due for less than `latest`, or None."""
    today = now.astimezone(time_zones.zone(time_zone)).date()
    for day in (today, today - _DAY):
        due, _ = _times(day, clock, time_zone)
        if due <= now < due + latest:
            return day
    return None


def _times(day: dt.date, clock: dt.time, time_zone: str) -> tuple[dt.datetime, dt.datetime]:
    """Return the two times that a local time can mean; they differ only where the clock is set back or forward."""
    wall = dt.datetime.combine(day, clock, time_zones.zone(time_zone))
    first, second = sorted(wall.replace(fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    return first, second
