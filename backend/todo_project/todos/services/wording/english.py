"""Describes recurrence rules in English: `every 2 weeks on Monday and Thursday, until 2026-12-31`."""

from __future__ import annotations

import calendar
from collections.abc import Iterable

from todo_project.todos.services.occurrences import Rule
from todo_project.todos.services.wording.order import (
    EVERY_DAY,
    WORKING_DAYS,
    from_the_start,
    is_by_weekdays_alone,
    is_in_every_month,
    other_positions,
    picks_working_days,
    sorted_weekdays,
)

_UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_TEENS = range(11, 14)


def describe(rule: Rule) -> str:
    """Return the rule in words."""
    return "".join([_begin(rule), _positions(rule), _end(rule)])


def _begin(rule: Rule) -> str:
    if is_by_weekdays_alone(rule):
        return f"every {_weekdays(rule)}"
    unit = _UNITS[rule.frequency]
    every = f"every {unit}" if rule.interval == 1 else f"every {rule.interval} {unit}s"
    return f"{every}{_months(rule)}{_days(rule)}"


def _months(rule: Rule) -> str:
    if is_in_every_month(rule):
        return " in every month"
    return f" in {_joined(calendar.month_name[month] for month in sorted(rule.months))}" if rule.months else ""


def _days(rule: Rule) -> str:
    last = "or" if rule.weekdays else "and"
    month_days = _joined((_month_day(day) for day in from_the_start(rule.month_days)), last=last)
    if not rule.weekdays:
        return f" on {month_days}" if month_days else ""
    if rule.month_days or rule.frequency == "DAILY":
        return f"{' on ' if month_days else ''}{month_days} if that is a {_weekdays(rule, last='or a')}"
    if picks_working_days(rule):
        return f" on the {_joined(map(_nth, from_the_start(rule.set_positions)))} weekday"
    if rule.weekdays in (WORKING_DAYS, EVERY_DAY):
        return f" on every {_weekdays(rule)}"
    if rule.frequency == "WEEKLY":
        return f" on {_weekdays(rule)}"
    weekdays = (("" if nth else "every ") + _weekday(nth, day) for nth, day in sorted_weekdays(rule))
    return f" on {_joined(weekdays)}"


def _weekdays(rule: Rule, *, last: str = "and") -> str:
    if rule.weekdays == WORKING_DAYS:
        return "weekday"
    if rule.weekdays == EVERY_DAY:
        return "day"
    return _joined((_weekday(nth, day) for nth, day in sorted_weekdays(rule)), last=last)


def _weekday(nth: int, day: int) -> str:
    name = calendar.day_name[day]
    return f"the {_nth(nth)} {name}" if nth else name


def _month_day(day: int) -> str:
    return f"the {_number(day)}" if day > 0 else f"the {_nth(day)} day"


def _nth(position: int) -> str:
    """Return `first`, `20th`, `last`, `third to last`."""
    if position > 0:
        return _ORDINALS[position - 1] if position <= len(_ORDINALS) else _number(position)
    return "last" if position == -1 else f"{_nth(-position)} to last"


def _number(number: int) -> str:
    """Return `1st`, `22nd`, `13th`."""
    ending = "th" if number % 100 in _TEENS else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _positions(rule: Rule) -> str:
    found = other_positions(rule)
    return f", only the {_joined(map(_nth, found))} of these days" if found else ""


def _end(rule: Rule) -> str:
    if rule.count is not None:
        return ", once" if rule.count == 1 else f", {rule.count} times"
    return f", until {rule.until:%Y-%m-%d}" if rule.until else ""


def _joined(words: Iterable[str], *, last: str = "and") -> str:
    *others, final = [*words] or [""]
    return f"{', '.join(others)} {last} {final}" if others else final
