"""When a recurring task comes again.

Rules are RRULEs of RFC 5545, from an allow-list: a rule that a client wrote must not keep a worker busy, and
dateutil's own parser takes more lines than one. What is let through is built from its parsed parts.
"""

from __future__ import annotations

import calendar
import datetime as dt
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dateutil import rrule

from todo_project.errors import InvalidInput
from todo_project.todos.services import moments
from todo_project.todos.services.moments import Moment

POINTER = "/recurrence/rule"
INTERVAL_MAX = 366
COUNT_MAX = 1000
SCHEDULE, COMPLETION = "schedule", "completion"
MODES = (SCHEDULE, COMPLETION)

_FREQUENCIES: dict[str, Any] = {
    "DAILY": rrule.DAILY,
    "WEEKLY": rrule.WEEKLY,
    "MONTHLY": rrule.MONTHLY,
    "YEARLY": rrule.YEARLY,
}
_WEEKDAYS = {
    "MO": rrule.MO,
    "TU": rrule.TU,
    "WE": rrule.WE,
    "TH": rrule.TH,
    "FR": rrule.FR,
    "SA": rrule.SA,
    "SU": rrule.SU,
}
_WEEKDAY = re.compile(r"(?P<nth>[+-]?[1-9][0-9]?)?(?P<day>MO|TU|WE|TH|FR|SA|SU)")
_NTH_MAX = {"MONTHLY": 5, "YEARLY": 53}
_UNTIL = re.compile(r"(?P<date>[0-9]{8})(?P<time>T[0-9]{6}Z)?")
_PARTS = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "COUNT", "UNTIL", "WKST")
# A daily rule's days pass through here one by one; after so many without a match there is none.
_MISSES_MAX = 1500


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A parsed rule; `until` is a day, or an instant."""

    text: str
    frequency: str
    interval: int = 1
    weekdays: tuple[rrule.weekday, ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    count: int | None = None
    until: dt.date | dt.datetime | None = None
    week_start: rrule.weekday = rrule.MO


@dataclass(frozen=True, kw_only=True)
class Next:
    """Where the series goes on: the moment, by how much its calendar moved, and what is left of the rule."""

    moment: Moment
    shift: dt.timedelta
    rule: str


def parse(text: str) -> Rule:
    """Read a rule; raises InvalidInput at /recurrence/rule that says what to write instead."""
    parts = _split(text)
    frequency = parts.pop("FREQ", "")
    if frequency not in _FREQUENCIES:
        raise _invalid(f"Begin with FREQ= and one of {', '.join(_FREQUENCIES)}.")
    if "COUNT" in parts and "UNTIL" in parts:
        raise _invalid("Give COUNT or UNTIL, not both.")
    rule = Rule(
        text=text,
        frequency=frequency,
        interval=_number(parts, "INTERVAL", INTERVAL_MAX) or 1,
        weekdays=_weekdays(parts.get("BYDAY"), frequency),
        month_days=_numbers(parts.get("BYMONTHDAY"), "BYMONTHDAY", -31, 31),
        months=_numbers(parts.get("BYMONTH"), "BYMONTH", 1, 12),
        count=_number(parts, "COUNT", COUNT_MAX),
        until=_until(parts.get("UNTIL")),
        week_start=_week_start(parts.get("WKST", "MO")),
    )
    _check_combination(rule)
    return rule


def next_of(rule: Rule, *, mode: str, moment: Moment, now: dt.datetime, default_zone: str) -> Next | None:
    """Give the occurrence after the one at `moment`, which is completed now; None when the series is over.

    By schedule it is the first that the rule gives after `moment` and that is not past: of days today is not past.
    By completion it is the first that the rule gives counted from today, at the same clock time. Clock times are
    those of the moment's own zone, or of `default_zone`.
    """
    try:
        return _next_of(rule, mode, moment, (now, default_zone))
    except (OverflowError, ValueError):  # beyond the year 9999, or before the year 1 in some zone
        return None


def _next_of(rule: Rule, mode: str, moment: Moment, today: tuple[dt.datetime, str]) -> Next | None:
    now, zone = today
    here: Moment = {"at": now, "time_zone": None if "date" in moment else moment["time_zone"]}
    last, wall_now = moments.local(moment, default_zone=zone), moments.local(here, default_zone=zone)
    if "date" in moment:
        wall_now = dt.datetime.combine(wall_now.date(), dt.time())
    if mode == COMPLETION:
        start = dt.datetime.combine(wall_now.date(), last.time())
        found = next(((1, wall) for wall in _after(rule, start, start)), None)
    else:
        found = _first_not_past(rule, last, wall_now)
    if found is None:
        return None
    passed, wall = found
    again = moments.at_local(moment, wall, default_zone=zone)
    if _is_over(rule, passed, wall, again):
        return None
    return Next(moment=again, shift=wall - last, rule=_remaining(rule, passed))


def _first_not_past(rule: Rule, last: dt.datetime, now: dt.datetime) -> tuple[int, dt.datetime] | None:
    """Give the first occurrence from now on, and how many the series has gone on by with it."""
    for passed, wall in enumerate(_after(rule, last, max(last, now)), start=1):
        if wall >= now:
            return passed, wall
        if rule.count is not None and passed >= rule.count:
            break
    return None


def _after(rule: Rule, start: dt.datetime, wanted: dt.datetime) -> Iterator[dt.datetime]:
    """Give the occurrences after `start`; those long before `wanted` may be left out when nobody counts them."""
    search_from = _closer(rule, start, wanted) if rule.count is None else start
    return (wall for wall in _occurrences(rule, search_from) if wall > start)


def _closer(rule: Rule, start: dt.datetime, wanted: dt.datetime) -> dt.datetime:
    """Give a start nearer to what is wanted, by whole intervals, with the same occurrences from there on."""
    days = {"DAILY": 1, "WEEKLY": 7}.get(rule.frequency)
    if days is not None:
        period = days * rule.interval
        return start + dt.timedelta(days=max(0, (wanted - start).days // period - 1) * period)
    # an interval of months divides as many years
    years = max(0, (wanted.year - start.year - 1) // rule.interval) * rule.interval
    try:
        return start.replace(year=start.year + years)
    except ValueError:  # the 29th of February
        return start


def _occurrences(rule: Rule, start: dt.datetime) -> Iterator[dt.datetime]:
    narrowed = rule.frequency != "DAILY"
    # dateutil would look for a day that never comes through eight thousand years, so daily ones are narrowed here
    every = rrule.rrule(
        _FREQUENCIES[rule.frequency],
        dtstart=start,
        interval=rule.interval,
        wkst=rule.week_start,
        byweekday=(rule.weekdays or None) if narrowed else None,
        bymonthday=(rule.month_days or None) if narrowed else None,
        bymonth=(rule.months or None) if narrowed else None,
    )
    return iter(every) if narrowed else _matching(every, rule)


def _matching(days: Iterator[dt.datetime] | rrule.rrule, rule: Rule) -> Iterator[dt.datetime]:
    weekdays = {weekday.weekday for weekday in rule.weekdays}
    misses = 0
    for wall in days:
        from_the_end = wall.day - 1 - calendar.monthrange(wall.year, wall.month)[1]
        if (not weekdays or wall.weekday() in weekdays) and (
            not rule.month_days or wall.day in rule.month_days or from_the_end in rule.month_days
        ):
            misses = 0
            yield wall
        elif (misses := misses + 1) > _MISSES_MAX:
            return


def _is_over(rule: Rule, passed: int, wall: dt.datetime, again: Moment) -> bool:
    if rule.count is not None:
        return passed >= rule.count
    if isinstance(rule.until, dt.datetime) and "date" not in again:
        return again["at"] > rule.until
    if isinstance(rule.until, dt.datetime):
        return wall.date() > rule.until.date()
    return rule.until is not None and wall.date() > rule.until


def _remaining(rule: Rule, passed: int) -> str:
    if rule.count is None:
        return rule.text
    return re.sub(r"COUNT=[0-9]+", f"COUNT={rule.count - passed}", rule.text)


def _invalid(detail: str) -> InvalidInput:
    return InvalidInput(detail, pointer=POINTER, code="invalid_rule")


def _split(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise _invalid("Write NAME=VALUE pairs with ; between them, such as FREQ=WEEKLY;BYDAY=MO,TH.")
        if name not in _PARTS:
            raise _invalid(f"{name[:20]!r} is not supported. These are: {', '.join(_PARTS)}.")
        if name in parts:
            raise _invalid(f"{name} is given twice.")
        parts[name] = value
    return parts


def _number(parts: dict[str, str], name: str, maximum: int) -> int | None:
    if name not in parts:
        return None
    (number,) = _numbers(parts[name], name, 1, maximum)[:1]
    if not parts[name].isdecimal():
        raise _invalid(f"{name} is one whole number.")
    return number


def _numbers(text: str | None, name: str, minimum: int, maximum: int) -> tuple[int, ...]:
    if text is None:
        return ()
    numbers = text.split(",")
    if not all(re.fullmatch(r"[+-]?[0-9]{1,4}", number, re.ASCII) for number in numbers):
        raise _invalid(f"{name} is made of whole numbers.")
    values = tuple(dict.fromkeys(int(number) for number in numbers))
    if not all(minimum <= value <= maximum and value for value in values):
        raise _invalid(f"{name} goes from {minimum} to {maximum}" + (", without 0." if minimum < 0 else "."))
    return values


def _weekdays(text: str | None, frequency: str) -> tuple[rrule.weekday, ...]:
    found: list[rrule.weekday] = []
    for day in text.split(",") if text is not None else []:
        match = _WEEKDAY.fullmatch(day)
        if match is None:
            raise _invalid("BYDAY is made of MO TU WE TH FR SA SU, such as MO,TH or, of a month, -1FR.")
        nth = int(match["nth"] or 0)
        if abs(nth) > _NTH_MAX.get(frequency, 0):
            raise _invalid(f"BYDAY={day} is not possible with FREQ={frequency}.")
        found.append(_WEEKDAYS[match["day"]](nth) if nth else _WEEKDAYS[match["day"]])
    return tuple(found)


def _until(text: str | None) -> dt.date | dt.datetime | None:
    if text is None:
        return None
    match = _UNTIL.fullmatch(text)
    if match is not None:
        try:
            if match["time"]:
                return dt.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
            return dt.datetime.strptime(text, "%Y%m%d").replace(tzinfo=dt.UTC).date()
        except ValueError:
            pass
    raise _invalid("UNTIL is a day, such as 20271231, or a time in UTC, such as 20271231T170000Z.")


def _week_start(text: str) -> rrule.weekday:
    if text not in _WEEKDAYS:
        raise _invalid("WKST is one of MO TU WE TH FR SA SU.")
    return _WEEKDAYS[text]


_Check = Callable[[Rule], bool]
_IMPOSSIBLE: tuple[tuple[_Check, str], ...] = (
    (lambda rule: bool(rule.months) and rule.frequency != "YEARLY", "BYMONTH goes with FREQ=YEARLY only."),
    (
        lambda rule: bool(rule.month_days) and rule.frequency == "WEEKLY",
        "BYMONTHDAY does not go with FREQ=WEEKLY (RFC 5545, section 3.3.10).",
    ),
    (
        lambda rule: bool(rule.month_days) and any(weekday.n for weekday in rule.weekdays),
        "BYMONTHDAY does not go with a numbered BYDAY.",
    ),
    (
        lambda rule: (
            bool(rule.months) and any(abs(weekday.n or 0) > _NTH_MAX["MONTHLY"] for weekday in rule.weekdays)
        ),
        "BYDAY counts within the months of BYMONTH, which have no day more than five times.",
    ),
    (lambda rule: not _has_days(rule), "There is no such day in these months."),
)


def _check_combination(rule: Rule) -> None:
    for is_impossible, detail in _IMPOSSIBLE:
        if is_impossible(rule):
            raise _invalid(detail)


def _has_days(rule: Rule) -> bool:
    if not rule.months or not rule.month_days:
        return True
    longest = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
    pairs = itertools.product(rule.months, rule.month_days)
    return any(abs(day) <= longest.get(month, 31) for month, day in pairs)
