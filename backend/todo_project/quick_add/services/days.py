"""Functions that return the days that a phrase can mean, for the language files."""

from __future__ import annotations

import calendar
import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
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
    return lambda today: _from_today(today, (_day_of(first, day) for first in months(today)))


def in_month(number: int, day: int) -> Days:
    """Return a day of this month (0), the next (1) and so on; -1 is the last."""
    return lambda today: _existing(_day_of(first, day) for first in the_month(number)(today))


def on_last_of(month: int, year: int | None = None) -> Days:
    """Return the last day of a month; without a year, the next one from today."""
    return lambda today: _from_today(today, (_day_of(first, -1) for first in the_months(month, year)(today)))


def on_nth_weekday(nth: int, weekday: int, of: Days) -> Days:
    """Return the nth weekday, or the last one (-1), of months given by their first days, from today."""
    return lambda today: _from_today(today, (_nth_weekday_of(first, nth, weekday) for first in of(today)))


def after(first: Days, then: Days) -> Days:
    """Return the days counted from other days."""
    return lambda today: (day for base in first(today) for day in itertools.islice(then(base), 1))


def months(today: dt.date) -> Iterator[dt.date]:
    """Yield the first days of this month and the next ones."""
    with suppress(ValueError):
        for each in range(_MONTHS_MAX):
            yield _months_later(today.replace(day=1), each)


def the_month(number: int) -> Days:
    """Return the first day of this month (0), the next (1) and so on."""
    return lambda today: itertools.islice(months(today), number, number + 1)


def the_months(month: int, year: int | None = None) -> Days:
    """Return the first days of the months of this name."""
    return lambda today: (first for first in months(today) if first.month == month and year in (None, first.year))


def _day_of(first: dt.date, day: int) -> dt.date | None:
    """Return a day of a month, or None if it has no such day; -1 is the last."""
    length = calendar.monthrange(first.year, first.month)[1]
    return first.replace(day=length if day == -1 else day) if day <= length else None


def _nth_weekday_of(first: dt.date, nth: int, weekday: int) -> dt.date | None:
    length = calendar.monthrange(first.year, first.month)[1]
    found = range(1 + (weekday - first.weekday()) % 7, length + 1, 7)
    return first.replace(day=found[nth if nth < 0 else nth - 1]) if nth <= len(found) else None


def _from_today(today: dt.date, found: Iterable[dt.date | None]) -> Iterator[dt.date]:
    return (day for day in _existing(found) if day >= today)


def _existing(found: Iterable[dt.date | None]) -> Iterator[dt.date]:
    return (day for day in found if day is not None)


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
