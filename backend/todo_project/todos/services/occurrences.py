"""Computes the days of a recurrence rule (RFC 5545, section 3.3.10), at a bounded cost.

A rule has at most one occurrence a day, so this module computes days only; the caller adds the time of day. Days
are numbered as by `date.toordinal()`. The cost is bounded by the number of periods visited: the search begins in
the period of the wanted day, and the days of a month or a year are computed once for each kind of month (its length
and its first weekday, 28 kinds) or of year (14 kinds).
"""

from __future__ import annotations

import calendar
import datetime as dt
import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

# 400 years of months. The calendar repeats after that, so a rule without an occurrence by then never has one.
PERIODS_MAX = 4800
_LAST_DAY = dt.date.max.toordinal()

# Returns the days of the rule, numbered from 1, in a month or year of this length that begins on this weekday.
_DaysOfSpan = Callable[[int, int], Sequence[int]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A parsed RRULE.

    A weekday is (n, weekday), with Monday as 0. n is 0 for every such weekday; otherwise it means the nth of the
    month or year, counted from the end if negative. `until` is a day, a time in UTC, or a local time in the zone of
    the first occurrence.
    """

    text: str
    frequency: str
    interval: int = 1
    weekdays: frozenset[tuple[int, int]] = frozenset()
    month_days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    set_positions: frozenset[int] = frozenset()
    count: int | None = None
    until: dt.date | dt.datetime | None = None
    week_start: int = 0


def after(rule: Rule, first: dt.date, *, earliest: dt.date, periods_max: int = PERIODS_MAX) -> Iterator[dt.date]:
    """Yield the days of the series that begins on `first` in order, without `first` itself.

    Days before `earliest` may be missing. The caller applies COUNT and UNTIL. The iterator ends after the year 9999
    or after `periods_max` periods.
    """
    begin, wanted = first.toordinal(), max(first, earliest).toordinal()
    periods = _PERIODS[rule.frequency](rule, begin, wanted)
    for days in itertools.islice(periods, periods_max):
        for day in days:
            if day > _LAST_DAY:
                return
            if day > begin:
                yield dt.date.fromordinal(day)


def can_occur(rule: Rule) -> bool:
    """Return whether any month or year has a day that matches the rule."""
    spans = {"MONTHLY": range(28, 32), "DAILY": range(28, 32), "YEARLY": range(365, 367)}
    days = _days_of_year(rule, dt.date.min) if rule.frequency == "YEARLY" else _days_of_month(rule, dt.date.min)
    return rule.frequency == "WEEKLY" or any(
        days(length, weekday) for length in spans[rule.frequency] for weekday in range(7)
    )


def _daily(rule: Rule, begin: int, wanted: int) -> Iterator[Sequence[int]]:
    """Yield seven occurrences at a time, which include every weekday that the rule ever falls on."""
    if rule.month_days:
        yield from _daily_by_month(rule, begin, wanted)
        return
    weekdays = {weekday for _, weekday in rule.weekdays} or set(range(7))
    step = 7 * rule.interval
    offsets = [n * rule.interval for n in range(7) if _weekday(begin + n * rule.interval) in weekdays]
    for start in itertools.count(_jump(begin, wanted, step), step):
        yield [start + offset for offset in offsets]


def _daily_by_month(rule: Rule, begin: int, wanted: int) -> Iterator[Sequence[int]]:
    days = _days_of_month(rule, dt.date.fromordinal(begin))
    for first, length in _months(_month_number(wanted), 1):
        # empty for most months when the interval is long
        offsets = range((begin - first) % rule.interval, length, rule.interval)
        yield [first + day - 1 for day in days(length, _weekday(first)) if day - 1 in offsets] if offsets else ()


def _weekly(rule: Rule, begin: int, wanted: int) -> Iterator[Sequence[int]]:
    weekdays = {weekday for _, weekday in rule.weekdays} or {_weekday(begin)}
    offsets = sorted((weekday - rule.week_start) % 7 for weekday in weekdays)
    week = begin - (_weekday(begin) - rule.week_start) % 7
    step = 7 * rule.interval
    for start in itertools.count(_jump(week, wanted, step), step):
        yield [start + offset for offset in offsets]


def _monthly(rule: Rule, begin: int, wanted: int) -> Iterator[Sequence[int]]:
    days = _days_of_month(rule, dt.date.fromordinal(begin))
    start = _jump(_month_number(begin), _month_number(wanted), rule.interval)
    for first, length in _months(start, rule.interval):
        yield [first + day - 1 for day in days(length, _weekday(first))]


def _yearly(rule: Rule, begin: int, wanted: int) -> Iterator[Sequence[int]]:
    days = _days_of_year(rule, dt.date.fromordinal(begin))
    begin_year, wanted_year = (dt.date.fromordinal(day).year for day in (begin, wanted))
    for year in range(_jump(begin_year, wanted_year, rule.interval), dt.MAXYEAR + 1, rule.interval):
        first = dt.date(year, 1, 1).toordinal()
        yield [first + day - 1 for day in days(365 + calendar.isleap(year), _weekday(first))]


_PERIODS: dict[str, Callable[[Rule, int, int], Iterator[Sequence[int]]]] = {
    "DAILY": _daily,
    "WEEKLY": _weekly,
    "MONTHLY": _monthly,
    "YEARLY": _yearly,
}
FREQUENCIES = tuple(_PERIODS)


def _jump(begin: int, wanted: int, step: int) -> int:
    """Return the last number not after `wanted` that is a whole number of steps after `begin`."""
    return begin + (wanted - begin) // step * step


def _weekday(day: int) -> int:
    return (day + 6) % 7


def _month_number(day: int) -> int:
    date = dt.date.fromordinal(day)
    return date.year * 12 + date.month - 1


def _months(start: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield the first day and the length of each month, from the month with this number."""
    for number in range(start, (dt.MAXYEAR + 1) * 12, step):
        year, month = divmod(number, 12)
        yield dt.date(year, month + 1, 1).toordinal(), _length(month + 1, is_leap=calendar.isleap(year))


def _length(month: int, *, is_leap: bool) -> int:
    return 28 + is_leap if month == 2 else 30 + (month + month // 8) % 2


def _days_of_month(rule: Rule, first: dt.date) -> _DaysOfSpan:
    month_days = rule.month_days or ({first.day} if rule.frequency == "MONTHLY" and not rule.weekdays else set())

    @functools.cache
    def days(length: int, weekday: int) -> Sequence[int]:
        return _at_positions(_matching(rule, month_days, length, weekday), rule.set_positions)

    return days


def _days_of_year(rule: Rule, first: dt.date) -> _DaysOfSpan:
    """Return the days of a year: those of its months, or the nth weekdays of the year if no month is given."""
    names_days = bool(rule.month_days or rule.weekdays)
    month_days = rule.month_days or (set() if rule.weekdays else {first.day})
    months = sorted(rule.months) or (range(1, 13) if names_days else [first.month])
    counts_in_year = not rule.months and not rule.month_days and bool(rule.weekdays)

    @functools.cache
    def of_month(length: int, weekday: int) -> Sequence[int]:
        return _matching(rule, month_days, length, weekday)

    @functools.cache
    def days(length: int, weekday: int) -> Sequence[int]:
        if counts_in_year:
            return _at_positions(_matching(rule, month_days, length, weekday), rule.set_positions)
        found, before = [], 0
        for month in range(1, 13):
            month_length = _length(month, is_leap=length == 366)
            if month in months:
                found += [before + day for day in of_month(month_length, (weekday + before) % 7)]
            before += month_length
        return _at_positions(found, rule.set_positions)

    return days


def _matching(rule: Rule, month_days: frozenset[int] | set[int], length: int, weekday: int) -> Sequence[int]:
    """Return the days, numbered from 1, of a month or year that match BYDAY and BYMONTHDAY."""
    return [
        day
        for day in range(1, length + 1)
        if (not month_days or day in month_days or day - 1 - length in month_days)
        and (not rule.weekdays or not rule.weekdays.isdisjoint(_names(day, length, (weekday + day - 1) % 7)))
    ]


def _names(day: int, length: int, weekday: int) -> tuple[tuple[int, int], ...]:
    """Return the BYDAY values that match the day: any Monday, the second Monday, the third from the end."""
    return (0, weekday), (1 + (day - 1) // 7, weekday), (-1 - (length - day) // 7, weekday)


def _at_positions(days: Sequence[int], positions: frozenset[int]) -> Sequence[int]:
    """Return the days that BYSETPOS selects; all of them if there is no BYSETPOS."""
    if not positions:
        return days
    size = len(days)
    return [day for index, day in enumerate(days) if index + 1 in positions or index - size in positions]
