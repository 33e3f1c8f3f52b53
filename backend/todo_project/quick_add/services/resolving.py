"""Turns the phrases of a schedule into a due date and a recurrence rule, at a given time."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable
from dataclasses import replace

from todo_project.errors import InvalidInput
from todo_project.quick_add.services.days import WEEKDAY_CODES, by_weekdays
from todo_project.quick_add.services.meanings import DAWN, NIGHT, After, Day, DayPart, Days, Lasting, Repeat, Times
from todo_project.quick_add.services.schedule import Schedule
from todo_project.todos.services import moments, occurrences, recurrence, series
from todo_project.todos.services.fields import Recurrence
from todo_project.todos.services.moments import Moment

_DAY_HOURS = 24
# of the days that a phrase can mean
_DAYS_TRIED = 50
_YEAR_MAX = 9998  # so that the time is within the calendar in every time zone


class NotPossible(Exception):
    """There is no such date, or the rule never occurs, so the phrases mean nothing."""


def resolve(schedule: Schedule, *, now: dt.datetime, zone: str) -> tuple[Moment | None, Recurrence | None]:
    """Return the due date and the recurrence; raise NotPossible."""
    here = moments.wall_time({"at": now, "time_zone": zone}, default_zone=zone)
    try:
        if isinstance(schedule.day, After):
            return _minute(now + schedule.day.delay, zone), None
        if schedule.repeat is not None:
            return _recurring(schedule, schedule.repeat, here=here, zone=zone)
        return _once(schedule, here=here, zone=zone), None
    except (OverflowError, ValueError, InvalidInput) as error:
        raise NotPossible from error


def _minute(at: dt.datetime, zone: str) -> Moment:
    """Return the time, or the next full minute after it."""
    full = at.replace(second=0, microsecond=0)
    return {"at": full if full == at else full + dt.timedelta(minutes=1), "time_zone": zone}


def _once(schedule: Schedule, *, here: dt.datetime, zone: str) -> Moment | None:
    time = _time(schedule, schedule.day.part if isinstance(schedule.day, Day) else None)
    if schedule.day is None and time is None:
        return None
    days = schedule.day.days if isinstance(schedule.day, Day) else _from_today
    return _moment(_first(days(here.date()), here=here, time=time), time, zone)


def _from_today(today: dt.date) -> Iterable[dt.date]:
    return (today, today + dt.timedelta(days=1))


def _first(days: Iterable[dt.date], *, here: dt.datetime, time: dt.timedelta | None) -> dt.date:
    """Return the first day on which the task would not be overdue, or else the first day."""
    tried = list(itertools.islice(days, _DAYS_TRIED))
    if not tried or tried[0].year > _YEAR_MAX:
        raise NotPossible
    return next((day for day in tried if not _is_past(day, time, here)), tried[0])


def _is_past(day: dt.date, time: dt.timedelta | None, here: dt.datetime) -> bool:
    return day < here.date() if time is None else dt.datetime.combine(day, dt.time()) + time < here


def _moment(day: dt.date, time: dt.timedelta | None, zone: str) -> Moment:
    if time is None:
        return {"date": day}
    wall = dt.datetime.combine(day, dt.time()) + time
    in_zone: Moment = {"at": wall.replace(tzinfo=dt.UTC), "time_zone": zone}
    return moments.at_wall_time(in_zone, wall, default_zone=zone)


def _time(schedule: Schedule, default: DayPart | None) -> dt.timedelta | None:
    """Return the time since midnight; an hour such as 8 is in the part of the day that the text names."""
    clock = schedule.clock
    part = (clock.part if clock else None) or schedule.part or default
    if clock is None:
        return None if part is None else dt.timedelta(hours=part.hour)
    hour = clock.hour
    if not clock.is_exact:
        first = (part or clock.usual).first
        hour = first + (hour - first) % 12
    elif part is NIGHT and hour < DAWN.hour:
        hour += _DAY_HOURS  # "tonight at 00:30" is in the next day
    return dt.timedelta(hours=hour, minutes=clock.minute)


# --- recurrence


def _recurring(
    schedule: Schedule, repeat: Repeat, *, here: dt.datetime, zone: str
) -> tuple[Moment, Recurrence | None]:
    """Return the first date and the recurrence, which is None if it gives no other date until its end."""
    day = schedule.day if isinstance(schedule.day, Day) else None
    time = _time(schedule, repeat.part or (day.part if day else None))
    if time is not None:
        time %= dt.timedelta(hours=_DAY_HOURS)
    if schedule.excluded is not None:
        repeat = _without(repeat, schedule.excluded.weekdays)
    start = schedule.starts or day
    earliest = here.date() if start is None else _first(start.days(here.date()), here=here, time=time)
    first = _first(_days_of(repeat, earliest), here=here, time=time)
    rule = _rule(schedule, repeat, first)
    parsed = recurrence.parse(rule)
    recurrence.check_recurs(parsed, first)
    is_from_completion = repeat.is_from_completion or schedule.completion is not None
    mode = recurrence.COMPLETION if is_from_completion else recurrence.SCHEDULE
    moment = _moment(first, time, zone)
    is_once = mode == recurrence.SCHEDULE and series.ends_at_once(parsed, moment, zone=zone)
    return moment, None if is_once else {"rule": rule, "mode": mode}


def _without(repeat: Repeat, weekdays: frozenset[int]) -> Repeat:
    """Return the recurrence on its other weekdays."""
    named = re.fullmatch(r"BYDAY=([A-Z,]+)", repeat.by)
    is_daily = repeat.frequency == "DAILY" and repeat.interval == 1
    if not is_daily and not (named and repeat.frequency == "WEEKLY"):
        raise NotPossible
    codes = named[1].split(",") if named else WEEKDAY_CODES
    kept = [number for number, code in enumerate(WEEKDAY_CODES) if code in codes and number not in weekdays]
    if not kept:
        raise NotPossible
    return replace(repeat, frequency="WEEKLY", by=by_weekdays(kept))


def _days_of(repeat: Repeat, earliest: dt.date) -> Iterable[dt.date]:
    """Return the days on which the recurrence can begin."""
    if not repeat.by:
        return (earliest, earliest + dt.timedelta(days=1))
    # not every interval: the first occurrence decides from when it counts
    rule = recurrence.parse(f"FREQ={repeat.frequency};{repeat.by}")
    return occurrences.after(rule, earliest - dt.timedelta(days=1), earliest=earliest)


def _rule(schedule: Schedule, repeat: Repeat, first: dt.date) -> str:
    parts = [f"FREQ={repeat.frequency}"]
    parts += [f"INTERVAL={repeat.interval}"] if repeat.interval != 1 else []
    parts += [repeat.by] if repeat.by else []
    match schedule.limit:
        case Times(count):
            parts.append(f"COUNT={count}")
        case Lasting(days):
            parts.append(f"UNTIL={_last(_day_before(days), first):%Y%m%d}")
        case Day(days):
            parts.append(f"UNTIL={_last(days, first):%Y%m%d}")
    return ";".join(parts)


def _day_before(days: Days) -> Days:
    return lambda first: (day - dt.timedelta(days=1) for day in days(first))


def _last(days: Days, first: dt.date) -> dt.date:
    """Return the day that limits a recurrence, counted from its first day."""
    day = next(iter(days(first)), None)
    if day is None or day < first:
        raise NotPossible
    return day
