"""GET /stats: what was completed by day and project, streaks, and what is overdue."""

from __future__ import annotations

import datetime as dt
import random
import zoneinfo
from collections import Counter
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Person
from tests.todos.stories import make_project, post_task, share
from todo_project.todos.models import Task
from todo_project.todos.services.statistics import DAYS_MAX, streaks

pytestmark = pytest.mark.django_db
ZONE = zoneinfo.ZoneInfo("Europe/Berlin")
# the 27th in Berlin; the clocks were put back two days before
NOW = dt.datetime(2026, 10, 26, 23, 30, tzinfo=dt.UTC)
TODAY = dt.date(2026, 10, 27)


def stats(who: Person, days: int = 30) -> dict[str, Any]:
    with time_machine.travel(NOW, tick=False):
        answer = who.api.get(f"/stats?days={days}")
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def complete(task: dict[str, Any], at: dt.datetime) -> None:
    Task.objects.filter(id=task["id"]).update(completed_at=at)


def test_it_counts_what_was_completed_in_the_zone_of_the_caller(alice: Person, bob: Person) -> None:
    for who in (alice, bob):
        who.api.patch("/me", {"time_zone": "Europe/Berlin"})
    shared, own = make_project(alice)["id"], make_project(alice, name="Own")["id"]
    share({"id": shared}, bob)
    chance = random.Random(7)
    completed = []
    for number in range(60):
        project = chance.choice([shared, own])
        task = post_task(alice, project_id=project)
        at = NOW - dt.timedelta(minutes=30 * chance.randrange(48 * 40))
        complete(task, at)
        if number % 10 == 0:
            alice.api.delete(f"/tasks/{task['id']}")
        else:
            completed.append((project, at.astimezone(ZONE).date()))
    post_task(alice, project_id=shared, due={"date": "2026-10-26"})
    post_task(alice, project_id=own, due={"date": "2026-10-27"})
    for who, seen in ((alice, {shared, own}), (bob, {shared})):
        found = stats(who, 30)
        first = TODAY - dt.timedelta(days=29)
        expected = [each for each in completed if each[0] in seen and each[1] >= first]
        by_day = Counter(day for _, day in expected)
        dates = [str(first + dt.timedelta(days=number)) for number in range(30)]
        assert found["days"] == [{"date": date, "completed": by_day[dt.date.fromisoformat(date)]} for date in dates]
        by_project = Counter(project for project, _ in expected)
        assert found["projects"] == [{"id": each, "completed": by_project[each]} for each in sorted(by_project)]
        assert found["completed"] == len(expected) > 0
        assert found["overdue"] == 1
        every = {day for project, day in completed if project in seen}
        assert (found["current_streak"], found["longest_streak"]) == streaks(every, TODAY)


@pytest.mark.parametrize(
    ("ages", "current", "longest"),
    [
        ([], 0, 0),
        ([0], 1, 1),
        ([1], 1, 1),
        ([2], 0, 1),
        ([0, 1, 2, 4, 5, 6, 7], 3, 4),
        ([1, 2, 9], 2, 2),
        ([*range(365)], 365, 365),
    ],
)
def test_a_streak_is_of_days_in_a_row(ages: list[int], current: int, longest: int) -> None:
    assert streaks({TODAY - dt.timedelta(days=age) for age in ages}, TODAY) == (current, longest)


def test_it_is_empty_for_a_new_account(mallory: Person, alice: Person) -> None:
    complete(post_task(alice), NOW)
    assert stats(mallory, 2) == {
        "days": [{"date": "2026-10-25", "completed": 0}, {"date": "2026-10-26", "completed": 0}],
        "projects": [],
        **dict.fromkeys(("completed", "overdue", "current_streak", "longest_streak"), 0),
    }


@pytest.mark.parametrize("days", ["0", "-1", str(DAYS_MAX + 1), "many", ""])
def test_the_number_of_days_is_limited(alice: Person, days: str) -> None:
    answer = alice.api.get(f"/stats?days={days}")
    assert answer.status_code == 400
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/days"]


def test_the_number_of_statements_is_constant(alice: Person, bob: Person) -> None:
    def statements() -> int:
        stats(bob)
        with CaptureQueriesContext(connection) as sent:
            stats(bob, DAYS_MAX)
        return len(sent)

    share(make_project(alice), bob)
    before = statements()
    for number in range(5):
        project = make_project(alice)
        share(project, bob)
        complete(post_task(alice, project_id=project["id"]), NOW - dt.timedelta(days=number))
    assert statements() == before <= 5  # the token, and two for each of own and shared tasks
