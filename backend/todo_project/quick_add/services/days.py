"""Functions that return the days that a phrase can mean, for the language files."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator
from contextlib import suppress

from todo_project.quick_add.services.meanings import Days

# how far to look for a day that not every month has, such as 29 February
_MONTHS_MAX = 12 * 8 + 1
FRIDAY = 4
SATURDAY = 5
SUNDAY = 6
WEEKDAY_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WORKDAYS = "MO,TU,WE,TH,FR"
WEEKEND = "SA,SU"


def later(number: int, unit: str) -> Days:
    """Return the day that is a number of days, weeks, months or years later."""

    def days(today: dt.date) -> Iterator[dt.date]:
        # none after the year 9999
        with suppress(OverflowError, ValueError):
            if unit in ("day", "week"):
                yield today + dt.timedelta(days=number * (7 if unit == "week" else 1))
            else:
                yield _months_later(today, number * (12 if unit == "year" else 1))

    return days


def _months_later(day: dt.date, number: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + number, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def coming(weekday: int, *, from_today: bool = False) -> Days:
    """Return the next such weekday, with Monday as 0; not today, unless `from_today`."""

    def days(today: dt.date) -> Iterator[dt.date]:
        first = today if from_today else today + dt.timedelta(days=1)
        first += dt.timedelta(days=(weekday - first.weekday()) % 7)
        yield first
        yield first + dt.timedelta(days=7)

    return days


def next_workday(today: dt.date) -> Iterator[dt.date]:
    """Yield the first day after today that is not Saturday or Sunday."""
    yield today + dt.timedelta(days=7 - today.weekday() if today.weekday() >= FRIDAY else 1)


def in_week(number: int, weekday: int) -> Days:
    """Return the weekday of this week (0), the next (1) and so on; weeks begin on Monday."""

    def days(today: dt.date) -> Iterator[dt.date]:
        yield today + dt.timedelta(days=7 * number + weekday - today.weekday())

    return days


def on(year: int | None, month: int, day: int) -> Days:
    """Return a date. Without a year, it is the next one from today."""

    def days(today: dt.date) -> Iterator[dt.date]:
        for each in range(today.year, today.year + 9) if year is None else [year]:
            with suppress(ValueError):
                date = dt.date(each, month, day)
                if year is not None or date >= today:
                    yield date

    return days


def on_day(day: int) -> Days:
    """Return the next such day of a month from today."""

    def days(today: dt.date) -> Iterator[dt.date]:
        for each in range(_MONTHS_MAX):
            with suppress(ValueError):
                date = _months_later(today.replace(day=1), each).replace(day=day)
                if date >= today:
                    yield date

    return days


def in_month(number: int, day: int) -> Days:
    """Return a day of this month (0), the next (1) and so on; -1 is the last."""

    def days(today: dt.date) -> Iterator[dt.date]:
        with suppress(ValueError):
            first = _months_later(today.replace(day=1), number)
            length = calendar.monthrange(first.year, first.month)[1]
            yield first.replace(day=length if day == -1 else day)

    return days


def in_year(number: int, month: int, day: int) -> Days:
    """Return a date of this year (0), the next (1) and so on."""
    return lambda today: on(today.year + number, month, day)(today)


def by_weekdays(weekdays: list[int]) -> str:
    """Return BYDAY of an RRULE for weekdays, with Monday as 0."""
    return "BYDAY=" + ",".join(WEEKDAY_CODES[each] for each in sorted(set(weekdays)))


def by_month_days(days: list[int]) -> str:
    """Return BYMONTHDAY of an RRULE."""
    return "BYMONTHDAY=" + ",".join(str(each) for each in sorted(set(days)))


def by_date(month: int, day: int) -> str:
    """Return the RRULE parts for a date of every year."""
    return f"BYMONTH={month};BYMONTHDAY={day}"
