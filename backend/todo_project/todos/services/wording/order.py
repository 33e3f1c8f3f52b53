"""The order in which descriptions name the parts of a rule, whatever the language."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from todo_project.todos.services.occurrences import Rule

# from Monday to Friday
WORKING_DAYS = frozenset((0, day) for day in range(5))
EVERY_DAY = frozenset((0, day) for day in range(7))


def simplified(rule: Rule) -> Rule:
    """Return a rule with the same days that names how often they occur: each month rather than each year, say."""
    if rule.weekdays >= EVERY_DAY:
        says_nothing = bool(rule.month_days) or rule.frequency == "DAILY"
        rule = dataclasses.replace(rule, weekdays=frozenset() if says_nothing else EVERY_DAY)
    if rule.interval > 1 or rule.set_positions or rule.months:
        return rule
    if rule.weekdays == EVERY_DAY:
        return dataclasses.replace(rule, frequency="DAILY", weekdays=frozenset())
    return dataclasses.replace(rule, frequency="MONTHLY") if rule.month_days else rule


def is_in_every_month(rule: Rule) -> bool:
    """Return whether a yearly rule has days of the month in all months."""
    return rule.frequency == "YEARLY" and bool(rule.month_days) and not rule.months


def is_by_weekdays_alone(rule: Rule) -> bool:
    """Return whether naming the weekdays says everything, as in `every Monday`."""
    is_each = rule.frequency in ("DAILY", "WEEKLY") and rule.interval == 1
    return is_each and bool(rule.weekdays) and not rule.month_days


def picks_working_days(rule: Rule) -> bool:
    """Return whether the rule is such as `the last weekday of the month`."""
    return bool(rule.set_positions) and rule.weekdays == WORKING_DAYS and not rule.month_days


def from_the_start(numbers: Iterable[int]) -> list[int]:
    """Sort numbers that count from the start before those that count from the end."""
    return sorted(numbers, key=lambda number: (number < 0, abs(number)))


def other_positions(rule: Rule) -> list[int]:
    """Return the positions that a description names last: those of a rule that does not only pick working days."""
    return [] if picks_working_days(rule) else from_the_start(rule.set_positions)


def sorted_weekdays(rule: Rule) -> list[tuple[int, int]]:
    """Sort the weekdays of a rule by their number in the month or year, and then from Monday to Sunday."""
    return sorted(rule.weekdays, key=lambda weekday: (weekday[0] < 0, abs(weekday[0]), weekday[1]))
