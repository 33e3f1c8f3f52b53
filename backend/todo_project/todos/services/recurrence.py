"""Parses recurrence rules: RRULEs of RFC 5545, section 3.3.10, with an allow-list of parts and values."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from todo_project.errors import InvalidInput
from todo_project.todos.services import occurrences
from todo_project.todos.services.occurrences import FREQUENCIES, Rule

POINTER = "/recurrence/rule"
INTERVAL_MAX = 366
COUNT_MAX = 1000
EXCLUDED_DATES_MAX = 500
# as RECURRENCE_MODES; no models here, because rules are also parsed where Django is not set up
MODES = SCHEDULE, COMPLETION = "schedule", "completion"

_WEEKDAYS = {name: number for number, name in enumerate(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))}
_WEEKDAY = re.compile(r"(?P<nth>[+-]?[1-9][0-9]?)?(?P<day>MO|TU|WE|TH|FR|SA|SU)")
_NTH_MAX = {"MONTHLY": 5, "YEARLY": 53}
_UNTIL = re.compile(r"[0-9]{8}(?P<time>T[0-9]{6}(?P<utc>Z)?)?")
# Months enough for every date: a 29 February on a certain weekday can be 40 years away.
_PERIODS_CHECKED = 500
_PARTS = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "COUNT", "UNTIL", "WKST")


def parse(text: str) -> Rule:
    """Return the parsed rule; raise InvalidInput for /recurrence/rule, which says what to write instead."""
    parts = _split(text)
    frequency = parts.pop("FREQ", "")
    if frequency not in FREQUENCIES:
        raise _invalid(f"FREQ must be one of {', '.join(FREQUENCIES)}.")
    if "COUNT" in parts and "UNTIL" in parts:
        raise _invalid("Use COUNT or UNTIL, not both.")
    rule = Rule(
        text=text,
        frequency=frequency,
        interval=_number(parts, "INTERVAL", INTERVAL_MAX) or 1,
        weekdays=_weekdays(parts.get("BYDAY"), frequency),
        month_days=_numbers(parts.get("BYMONTHDAY"), "BYMONTHDAY", -31, 31),
        months=_numbers(parts.get("BYMONTH"), "BYMONTH", 1, 12),
        set_positions=_numbers(parts.get("BYSETPOS"), "BYSETPOS", -366, 366),
        count=_number(parts, "COUNT", COUNT_MAX),
        until=_until(parts.get("UNTIL")),
        week_start=_week_start(parts.get("WKST", "MO")),
    )
    for is_impossible, detail in _IMPOSSIBLE:
        if is_impossible(rule):
            raise _invalid(detail)
    return rule


def check_recurs(rule: Rule, first: dt.date) -> None:
    """Raise InvalidInput if the rule, counted from `first`, gives no later day. COUNT and UNTIL are ignored."""
    if next(occurrences.after(rule, first, earliest=first, periods_max=_PERIODS_CHECKED), None) is None:
        raise never_again(first)


def never_again(first: dt.date) -> InvalidInput:
    """Return the error of a rule that, counted from `first`, gives no later day."""
    return _invalid(
        f"Counted from the task's date {first}, this rule never occurs again. Change the rule or the date."
    )


def with_count(text: str, count: int) -> str:
    """Return the rule with its COUNT replaced."""
    return re.sub(r"COUNT=[0-9]+", f"COUNT={count}", text)


def _invalid(detail: str) -> InvalidInput:
    return InvalidInput(detail, pointer=POINTER, code="invalid_rule")


def _split(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise _invalid("Write NAME=VALUE pairs separated by semicolons, such as FREQ=WEEKLY;BYDAY=MO,TH.")
        if name not in _PARTS:
            raise _invalid(f"{name[:20]!r} is not supported. Use only {', '.join(_PARTS)}.")
        if name in parts:
            raise _invalid(f"{name} occurs twice. Write it once.")
        parts[name] = value
    return parts


def _number(parts: dict[str, str], name: str, maximum: int) -> int | None:
    if name not in parts:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", parts[name], re.ASCII):
        raise _invalid(f"{name} must be one whole number from 1 to {maximum}.")
    (number,) = _numbers(parts[name], name, 1, maximum)
    return number


def _numbers(text: str | None, name: str, minimum: int, maximum: int) -> frozenset[int]:
    if text is None:
        return frozenset()
    numbers = text.split(",")
    if not all(re.fullmatch(r"[+-]?[0-9]{1,4}", number, re.ASCII) for number in numbers):
        raise _invalid(f"{name} must be whole numbers separated by commas.")
    values = frozenset(int(number) for number in numbers)
    if not all(minimum <= value <= maximum and value for value in values):
        raise _invalid(f"{name} must be from {minimum} to {maximum}" + (", but not 0." if minimum < 0 else "."))
    return values


def _weekdays(text: str | None, frequency: str) -> frozenset[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    for day in text.split(",") if text is not None else []:
        match = _WEEKDAY.fullmatch(day)
        if match is None:
            raise _invalid("BYDAY must be some of MO TU WE TH FR SA SU, such as MO,TH or, in a month, -1FR.")
        nth = int(match["nth"] or 0)
        if abs(nth) > _NTH_MAX.get(frequency, 0):
            raise _invalid(f"BYDAY={day} is not possible with FREQ={frequency}.")
        found.add((nth, _WEEKDAYS[match["day"]]))
    return frozenset(found)


def _until(text: str | None) -> dt.date | dt.datetime | None:
    if text is None:
        return None
    match = _UNTIL.fullmatch(text)
    if match is not None:
        try:
            if not match["time"]:
                return dt.datetime.strptime(text, "%Y%m%d").replace(tzinfo=dt.UTC).date()
            until = dt.datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - local without the Z
            return until.replace(tzinfo=dt.UTC) if match["utc"] else until
        except ValueError:
            pass
    raise _invalid(
        "UNTIL must be a day such as 20271231, a time in UTC such as 20271231T170000Z, or a local time such as "
        "20271231T180000."
    )


def _week_start(text: str) -> int:
    if text not in _WEEKDAYS:
        raise _invalid("WKST must be one of MO TU WE TH FR SA SU.")
    return _WEEKDAYS[text]


def _has_numbered_weekday(rule: Rule, *, above: int = 0) -> bool:
    return any(abs(nth) > above for nth, _ in rule.weekdays)


_Check = Callable[[Rule], bool]
_IMPOSSIBLE: tuple[tuple[_Check, str], ...] = (
    (lambda rule: bool(rule.months) and rule.frequency != "YEARLY", "Use BYMONTH only with FREQ=YEARLY."),
    (
        lambda rule: bool(rule.set_positions) and rule.frequency not in ("MONTHLY", "YEARLY"),
        "Use BYSETPOS only with FREQ=MONTHLY or FREQ=YEARLY.",
    ),
    (
        lambda rule: bool(rule.set_positions) and not (rule.weekdays or rule.month_days or rule.months),
        "BYSETPOS needs BYDAY, BYMONTHDAY or BYMONTH to select from (RFC 5545, section 3.3.10).",
    ),
    (
        lambda rule: bool(rule.month_days) and rule.frequency == "WEEKLY",
        "BYMONTHDAY cannot be used with FREQ=WEEKLY (RFC 5545, section 3.3.10).",
    ),
    (
        lambda rule: bool(rule.month_days) and _has_numbered_weekday(rule),
        "BYMONTHDAY cannot be used with a numbered BYDAY.",
    ),
    (
        lambda rule: bool(rule.months) and _has_numbered_weekday(rule, above=_NTH_MAX["MONTHLY"]),
        "With BYMONTH, BYDAY counts within the month, where no weekday occurs more than five times.",
    ),
    (lambda rule: not occurrences.can_occur(rule), "No month or year has a day that matches this rule."),
)
