"""The days that a rule gives: those that dateutil gives, at a bounded cost."""

from __future__ import annotations

import datetime as dt
import itertools
import sys
from collections.abc import Callable
from typing import Any

import pytest
from dateutil import rrule
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.todos.rules import WEEKDAYS, rules
from todo_project.errors import InvalidInput
from todo_project.todos.services import occurrences, recurrence

# dateutil looks for a day that never comes until the year 9999; both stop here.
HORIZON = dt.date(2150, 1, 1)


def parsed(text: str) -> occurrences.Rule | None:
    try:
        return recurrence.parse(text)
    except InvalidInput:
        return None


@settings(max_examples=400)
@given(rules(), st.dates(dt.date(1990, 1, 1), dt.date(2050, 1, 1)), st.sampled_from((0, 1, 100, 3000, 9000)))
def test_the_days_are_those_of_dateutil(text: str, first: dt.date, later: int) -> None:
    rule = parsed(text)
    assume(rule is not None)
    assert rule is not None
    earliest = first + dt.timedelta(days=later)
    found = (day for day in occurrences.after(rule, first, earliest=earliest) if day >= earliest)
    start = dt.datetime.combine(first, dt.time())
    reference: Any = rrule.rrulestr(text, dtstart=start)
    until_horizon = reference.replace(until=dt.datetime.combine(HORIZON, dt.time()))
    expected = (time.date() for time in until_horizon if time > start and time.date() >= earliest)
    ours = list(itertools.takewhile(lambda day: day <= HORIZON, itertools.islice(found, 8)))
    assert ours == list(itertools.islice(expected, 8))


def test_a_weekday_with_and_one_without_a_number_are_both_meant() -> None:
    days = occurrences.after(
        recurrence.parse("FREQ=MONTHLY;BYDAY=MO,-1FR"), dt.date(2026, 12, 1), earliest=dt.date.min
    )
    assert [day.day for day in itertools.islice(days, 5)] == [7, 14, 21, 25, 28]


def lines_executed(call: Callable[[], object]) -> int:
    """Count the lines of Python that a call executes, which is the same on every machine."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


ALL_MONTH_DAYS = ",".join(str(day) for day in range(-31, 32) if day)
EVERY_DAY = ",".join(WEEKDAYS)
COSTLY = (
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=7;BYDAY=TU",  # never, from a Monday
    "FREQ=DAILY;INTERVAL=366;BYMONTHDAY=31;BYDAY=MO",
    f"FREQ=DAILY;INTERVAL=364;BYMONTHDAY={ALL_MONTH_DAYS};BYDAY=TU",
    "FREQ=DAILY;BYMONTHDAY=13;BYDAY=FR;COUNT=1000",
    "FREQ=DAILY;BYDAY=MO;COUNT=1000",
    "FREQ=DAILY;UNTIL=99991231",
    f"FREQ=WEEKLY;INTERVAL=366;BYDAY={EVERY_DAY};COUNT=1000",
    "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=30",  # never, from a February
    "FREQ=MONTHLY;BYMONTHDAY=31;BYDAY=FR;COUNT=1000",
    "FREQ=MONTHLY;BYDAY=5MO;COUNT=1000",
    f"FREQ=MONTHLY;BYDAY={EVERY_DAY};BYSETPOS=-31,31;COUNT=1000",
    "FREQ=YEARLY;INTERVAL=366;BYDAY=53SU",
    "FREQ=YEARLY;INTERVAL=366;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;COUNT=1000",
    f"FREQ=YEARLY;BYMONTHDAY={ALL_MONTH_DAYS};BYDAY={EVERY_DAY};BYSETPOS=366;COUNT=1000",
    "FREQ=YEARLY;BYDAY=" + ",".join(f"{n}MO" for n in range(1, 54)) + ";BYSETPOS=53;COUNT=1000",
    "FREQ=YEARLY;BYMONTH=2,4,6,9,11;BYMONTHDAY=31,-31",  # refused
)


@pytest.mark.parametrize("first", ["0001-02-05", "1900-01-01", "2026-02-02", "9999-12-20"])
@pytest.mark.parametrize("text", COSTLY)
def test_no_rule_is_costly_wherever_it_begins(text: str, first: str) -> None:
    def look_for_the_next() -> None:
        rule, day = parsed(text), dt.date.fromisoformat(first)
        if rule is not None:
            today = max(day, dt.date(2026, 11, 23))
            days = occurrences.after(rule, day, earliest=day if rule.count else today)
            next((found for found in days if found >= today), None)

    # about 20,000 lines take a millisecond
    assert lines_executed(look_for_the_next) < 150_000
