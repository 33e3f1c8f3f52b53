"""Recurrence rules in words."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.conftest import Person
from tests.todos.rules import rules
from tests.todos.stories import post_task
from todo_project.errors import InvalidInput
from todo_project.todos.services import occurrences, recurrence, wording
from todo_project.todos.services.wording.order import simplified

DESCRIPTIONS = {
    "FREQ=DAILY": ("every day", "每天"),
    "FREQ=DAILY;INTERVAL=3;COUNT=1": ("every 3 days, once", "每3天，共1次"),
    "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR": ("every weekday", "每个工作日"),
    "FREQ=DAILY;INTERVAL=2;BYDAY=SU,SA": (
        "every 2 days if that is a Saturday or a Sunday",
        "每2天，仅限周六和周日",
    ),
    "FREQ=DAILY;BYMONTHDAY=1,15": ("every month on the 1st and the 15th", "每月1日和15日"),
    "FREQ=DAILY;BYMONTHDAY=13;BYDAY=FR": ("every month on the 13th if that is a Friday", "每月13日，仅限周五"),
    "FREQ=DAILY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR,SA,SU": ("every 2 days", "每2天"),
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU": ("every day", "每天"),
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR,SA,SU": ("every 2 weeks on every day", "每2周的每一天"),
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR": ("every 2 weeks on every weekday", "每2周的工作日"),
    "FREQ=WEEKLY": ("every week", "每周"),
    "FREQ=WEEKLY;BYDAY=FR,MO,WE": ("every Monday, Wednesday and Friday", "每周一、周三和周五"),
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;UNTIL=20261231": (
        *("every 2 weeks on Monday and Thursday, until 2026-12-31", "每2周的周一和周四，直到2026-12-31"),
    ),
    "FREQ=WEEKLY;UNTIL=20261231T170000Z": ("every week, until 2026-12-31", "每周，直到2026-12-31"),
    "FREQ=MONTHLY;BYMONTHDAY=-1,15,1": (
        *("every month on the 1st, the 15th and the last day", "每月1日、15日和最后一天"),
    ),
    "FREQ=MONTHLY;BYMONTHDAY=22,-2": ("every month on the 22nd and the second to last day", "每月22日和倒数第2天"),
    "FREQ=MONTHLY;BYDAY=-1FR,1MO": (
        *("every month on the first Monday and the last Friday", "每月第1个周一和最后一个周五"),
    ),
    "FREQ=MONTHLY;BYDAY=MO,-1FR": ("every month on every Monday and the last Friday", "每月每个周一和最后一个周五"),
    "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR": ("every month on the 13th if that is a Friday", "每月13日，仅限周五"),
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1": ("every month on the last weekday", "每月最后一个工作日"),
    "FREQ=MONTHLY;INTERVAL=3;BYDAY=MO,TU;BYSETPOS=1,-2": (
        "every 3 months on every Monday and every Tuesday, only the first and second to last of these days",
        "每3个月的每个周一和每个周二，只取其中第1个和倒数第2个",
    ),
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU": ("every day", "每天"),
    "FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=MO,TU,WE,TH,FR,SA,SU": ("every month on the 1st", "每月1日"),
    "FREQ=YEARLY;BYMONTHDAY=1": ("every month on the 1st", "每月1日"),
    "FREQ=YEARLY;INTERVAL=2;BYMONTHDAY=1": ("every 2 years in every month on the 1st", "每2年的每个月1日"),
    "FREQ=YEARLY;BYMONTHDAY=1;BYSETPOS=-1": (
        *("every year in every month on the 1st, only the last of these days", "每年每个月1日，只取其中最后一个"),
    ),
    "FREQ=YEARLY;BYMONTH=3;BYDAY=MO,TU,WE,TH,FR,SA,SU": ("every year in March on every day", "每年3月每一天"),
    "FREQ=YEARLY": ("every year", "每年"),
    "FREQ=YEARLY;BYMONTH=7,1;BYMONTHDAY=5": ("every year in January and July on the 5th", "每年1月和7月5日"),
    "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH": ("every year in November on the fourth Thursday", "每年11月第4个周四"),
    "FREQ=YEARLY;BYDAY=20MO;COUNT=10": ("every year on the 20th Monday, 10 times", "每年第20个周一，共10次"),
    "FREQ=YEARLY;INTERVAL=2;BYMONTH=3": ("every 2 years in March", "每2年的3月"),
}


@pytest.mark.parametrize("rule", DESCRIPTIONS)
def test_a_rule_is_described_in_each_language(rule: str) -> None:
    assert tuple(wording.describe(rule, recurrence.SCHEDULE).values()) == DESCRIPTIONS[rule]


def test_a_rule_that_counts_from_completion_says_so() -> None:
    assert wording.describe("FREQ=DAILY;INTERVAL=3", recurrence.COMPLETION) == {
        "en": "every 3 days, counted from completion",
        "zh": "每3天，从完成之日算起",
    }


def days(rule: str) -> list[dt.date]:
    first = dt.date(2026, 11, 30)
    return [*itertools.islice(occurrences.after(recurrence.parse(rule), first, earliest=first), 30)]


@given(rules())
def test_a_simplified_rule_has_the_same_days(rule: str) -> None:
    first = dt.date(2026, 11, 30)
    try:
        parsed = recurrence.parse(rule)
    except InvalidInput:
        assume(False)
    found = occurrences.after(simplified(parsed), first, earliest=first)
    assert [*itertools.islice(found, 30)] == days(rule)


@settings(max_examples=200)
@given(rules(), st.integers(0, 5))
def test_rules_with_different_days_are_described_differently(rule: str, index: int) -> None:
    """Compare a rule with the same one without one of its parts. Where a week starts is not described."""
    parts = [part for part in rule.split(";") if not part.startswith("WKST")]
    assume(1 + index < len(parts))
    other = ";".join([*parts[: 1 + index], *parts[2 + index :]])
    try:
        differ = days(";".join(parts)) != days(other)
    except InvalidInput:
        assume(False)
    one, two = (wording.describe(each, recurrence.SCHEDULE) for each in (";".join(parts), other))
    if differ:
        assert one["en"] != two["en"]
        assert one["zh"] != two["zh"]


@pytest.mark.django_db
def test_the_occurrences_of_a_task_say_how_it_recurs(alice: Person) -> None:
    recurring = post_task(
        alice, due={"date": "2026-12-01"}, recurrence={"rule": "FREQ=DAILY", "mode": "completion"}
    )
    answer = alice.api.get(f"/tasks/{recurring['id']}/occurrences").json()
    assert answer["description"] == {"en": "every day, counted from completion", "zh": "每天，从完成之日算起"}
    once = post_task(alice)
    assert alice.api.get(f"/tasks/{once['id']}/occurrences").json() == {"description": None, "results": []}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("due", "until", "day"),
    [
        ({"at": "2026-12-01T14:00:00Z", "time_zone": "America/New_York"}, "20261204T045959Z", "2026-12-03"),
        ({"at": "2026-12-01T14:00:00Z"}, "20261203T160000Z", "2026-12-04"),  # in the account's zone
        ({"at": "2026-12-01T14:00:00Z", "time_zone": "America/New_York"}, "20261204T040000", "2026-12-04"),
        ({"date": "2026-12-01"}, "20261204T045959Z", "2026-12-04"),
        ({"at": "2026-12-01T14:00:00Z", "time_zone": "Asia/Tokyo"}, "99991231T235959Z", "9999-12-31"),
    ],
)
def test_until_is_described_as_the_day_in_the_zone_of_the_series(
    alice: Person, due: dict[str, str], until: str, day: str
) -> None:
    alice.api.patch("/me", {"time_zone": "Asia/Shanghai"})
    task = post_task(alice, due=due, recurrence={"rule": f"FREQ=DAILY;UNTIL={until}"})
    assert alice.api.get(f"/tasks/{task['id']}/occurrences").json()["description"] == {
        "en": f"every day, until {day}",
        "zh": f"每天，直到{day}",
    }
