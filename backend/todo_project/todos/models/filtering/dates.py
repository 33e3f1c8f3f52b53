"""Dates in filters: `today`, `now`, `2026-11-30`, and arithmetic such as `today+7d`, in the caller's time zone."""

from __future__ import annotations

import calendar
import datetime as dt
import functools
import re
import zoneinfo

from todo_project.todos.models.filtering.syntax import invalid

_DATE = re.compile(
    r"(?P<base>today|tomorrow|yesterday|now|\d{4}-\d\d-\d\d(?:t\d\d:\d\d(?::\d\d)?)?)(?P<steps>(?:[+-]\d{1,4}[hdwmy])*)",
    re.IGNORECASE,
)
_STEP = re.compile(r"([+-])(\d+)([hdwmy])", re.IGNORECASE)
_DAYS = {"today": 0, "tomorrow": 1, "yesterday": -1}
_MONTHS_OF_A_YEAR = 12


def parse(text: str, *, now: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.date | dt.datetime:
    """Return a day, or a time in UTC; raise InvalidInput for anything else."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise invalid(
            f"{text!r} is not a date. Use today, tomorrow, yesterday, now, a date such as 2026-11-30, or a time in "
            'quotes such as "2026-11-30T09:00", and add or subtract h, d, w, m or y: today+7d.',
            "invalid_date",
        )
    try:
        moment = _base(found["base"].lower(), now.astimezone(zone).replace(tzinfo=None))
        for sign, count, unit in _STEP.findall(found["steps"]):
            moment = _moved(moment, int(sign + count), unit.lower())
        if isinstance(moment, dt.datetime):
            return moment.replace(tzinfo=zone).astimezone(dt.UTC)
        day_start(moment, zone)
    except (ValueError, OverflowError) as error:
        raise invalid(
            f"{text!r} is out of range. Use a date that exists, in the years 1 to 9999.", "invalid_date"
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
        if not isinstance(moment, dt.datetime):
            raise invalid(
                "Hours can be added to a time only. Use now, or a time, instead of a day.", "invalid_date"
            )
        return moment + dt.timedelta(hours=count)
    if unit in "dw":
        return moment + dt.timedelta(days=count * (7 if unit == "w" else 1))
    months = moment.year * _MONTHS_OF_A_YEAR + moment.month - 1 + count * (_MONTHS_OF_A_YEAR if unit == "y" else 1)
    year, month = divmod(months, _MONTHS_OF_A_YEAR)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


@functools.lru_cache(maxsize=1000)
def day_start(day: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return the time at which a day begins in the zone, or the first time that there is."""
    try:
        return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
    except OverflowError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)


def day_end(day: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return the time at which the next day begins in the zone, or the last time that there is."""
    try:
        return day_start(day + dt.timedelta(days=1), zone)
    except OverflowError:
        return dt.datetime.max.replace(tzinfo=dt.UTC)
