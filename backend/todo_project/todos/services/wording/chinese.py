"""Describes recurrence rules in Chinese: `每2周的周一和周四，直到2026-12-31`."""

from __future__ import annotations

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

_UNITS = {"DAILY": "天", "WEEKLY": "周", "MONTHLY": "个月", "YEARLY": "年"}
_WEEKDAYS = "一二三四五六日"


def describe(rule: Rule) -> str:
    """Return the rule in words."""
    return "".join([_begin(rule), _positions(rule), _end(rule)])


def _begin(rule: Rule) -> str:
    if is_by_weekdays_alone(rule):
        return f"每{'个' if rule.weekdays == WORKING_DAYS else ''}{_weekdays(rule)}"
    unit = _UNITS[rule.frequency]
    every = f"每{unit.removeprefix('个')}" if rule.interval == 1 else f"每{rule.interval}{unit}"
    months = "每个月" if is_in_every_month(rule) else _joined(f"{month}月" for month in sorted(rule.months))
    days = months + _days(rule)
    return f"{every}的{days}" if days and rule.interval > 1 and days[0] != "，" else f"{every}{days}"


def _days(rule: Rule) -> str:
    month_days = _joined(_month_day(day) for day in from_the_start(rule.month_days))
    if not rule.weekdays:
        return month_days
    if rule.month_days or rule.frequency == "DAILY":
        return f"{month_days}，仅限{_weekdays(rule)}"
    if picks_working_days(rule):
        return f"{_joined(map(_nth, from_the_start(rule.set_positions)))}个工作日"
    if rule.weekdays == EVERY_DAY:
        return "每一天"
    if rule.weekdays == WORKING_DAYS or rule.frequency == "WEEKLY":
        return f"{'每个' if rule.frequency != 'WEEKLY' else ''}{_weekdays(rule)}"
    return _joined(f"{'' if nth else '每个'}{_weekday(nth, day)}" for nth, day in sorted_weekdays(rule))


def _weekdays(rule: Rule) -> str:
    if rule.weekdays == WORKING_DAYS:
        return "工作日"
    return _joined(_weekday(nth, day) for nth, day in sorted_weekdays(rule))


def _weekday(nth: int, day: int) -> str:
    name = f"周{_WEEKDAYS[day]}"
    return f"{_nth(nth)}个{name}" if nth else name


def _month_day(day: int) -> str:
    return f"{day}日" if day > 0 else f"{_nth(day)}天"


def _nth(position: int) -> str:
    """Return `第1`, `最后一`, `倒数第3`."""
    if position > 0:
        return f"第{position}"
    return "最后一" if position == -1 else f"倒数第{-position}"


def _positions(rule: Rule) -> str:
    found = other_positions(rule)
    return f"，只取其中{_joined(f'{_nth(each)}个' for each in found)}" if found else ""


def _end(rule: Rule) -> str:
    if rule.count is not None:
        return f"，共{rule.count}次"
    return f"，直到{rule.until:%Y-%m-%d}" if rule.until else ""


def _joined(words: Iterable[str]) -> str:
    *others, final = [*words] or [""]
    return f"{'、'.join(others)}和{final}" if others else final
