"""Dates in filters: `today`, `now`, `2026-11-30`, and arithmetic such as `today+7d`, in the caller's time zone."""

from __future__ import annotations

import calendar
import datetime as dt
import functools
import re
import zoneinfo

from todo_project.todos.models.filtering import hints
from todo_project.todos.models.filtering.syntax import Condition, narrow, refused

_DATE = re.compile(
    r"(?P<base>today|tomorrow|yesterday|now|\d{4}-\d\d-\d\d(?:t\d\d:\d\d(?::\d\d)?)?)(?P<steps>(?:[+-]\d{1,4}[hdwmy])*)",
    re.IGNORECASE | re.ASCII,
)
_STEP = re.compile(r"([+-])(\d+)([hdwmy])", re.IGNORECASE)
_DAYS = {"today": 0, "tomorrow": 1, "yesterday": -1}
_MONTHS_OF_A_YEAR = 12


def parse(condition: Condition, *, now: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.date | dt.datetime:
    """Return the value of a condition as a day, or a time in UTC; raise InvalidInput for anything else."""
    value = narrow(condition.value)
    found = _DATE.fullmatch(value)
    if found is None:
        hint = hints.for_date(value.lower())
        raise refused(condition, f"{condition.value!r} is not a date. {hint}", "invalid_date")
    try:
        moment = _base(found["base"].lower(), now.astimezone(zone).replace(tzinfo=None))
        if "h" in found["steps"].lower() and not isinstance(moment, dt.datetime):
            raise refused(
                condition, "hours are added to a day. Use now, or a time, instead of the day.", "invalid_date"
            )
        for sign, count, unit in _STEP.findall(found["steps"]):
            moment = _moved(moment, int(sign + count), unit.lower())
        if isinstance(moment, dt.datetime):
            moment = moment.replace(tzinfo=zone).astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise refused(
            condition,
            f"{condition.value!r} is out of range. Use a date that exists, in the years 1 to 9999 "
            "(for a time, in UTC).",
            "invalid_date",
        ) from error
    return moment


def _base(text: str, local_now: dt.datetime) -> dt.date | dt.datetime:
    if text in _DAYS:
        return local_now.date() + dt.timedelta(days=_DAYS[text])
    if text == "now":
        return local_now
    return dt.datetime.fromisoformat(text.upper()) if "t" in text else dt.date.fromisoformat(text)


def _moved(moment: dt.date | dt.datetime, count: int, unit: str) -> dt.date | dt.datetime:
    if unit == "h":
        return moment + dt.timedelta(hours=count)
    if unit in "dw":
        return moment + dt.timedelta(days=count * (7 if unit == "w" else 1))
    months = moment.year * _MONTHS_OF_A_YEAR + moment.month - 1 + count * (_MONTHS_OF_A_YEAR if unit == "y" else 1)
    year, month = divmod(months, _MONTHS_OF_A_YEAR)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


@functools.lru_cache(maxsize=1000)
def day_start(day: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return the time at which a day begins in the zone, or the first possible time."""
    try:
        return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
    except OverflowError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)


def day_end(day: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return the time at which the next day begins in the zone, or the last possible time."""
    try:
        return day_start(day + dt.timedelta(days=1), zone)
    except OverflowError:
        return dt.datetime.max.replace(tzinfo=dt.UTC)
