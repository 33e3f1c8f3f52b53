"""The order in which descriptions name the parts of a rule, whatever the language."""

from __future__ import annotations

from collections.abc import Iterable

from todo_project.todos.services.occurrences import Rule

# from Monday to Friday
WORKING_DAYS = frozenset((0, day) for day in range(5))


def picks_working_days(rule: Rule) -> bool:
    """Return whether the rule is such as `the last weekday of the month`."""
    return bool(rule.set_positions) and rule.weekdays == WORKING_DAYS and not rule.month_days


def from_the_start(numbers: Iterable[int]) -> list[int]:
    """Sort numbers that count from the start before those that count from the end."""
    return sorted(numbers, key=lambda number: (number < 0, abs(number)))


def sorted_weekdays(rule: Rule) -> list[tuple[int, int]]:
    """Sort the weekdays of a rule by their number in the month or year, and then from Monday to Sunday."""
    return sorted(rule.weekdays, key=lambda weekday: (weekday[0] < 0, abs(weekday[0]), weekday[1]))
