"""Skipping an occurrence of a recurring task, and the list of those that follow."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from tests.conftest import Person
from tests.todos.stories import post_task
from tests.todos.test_undo import undo

pytestmark = pytest.mark.django_db(transaction=True)
NOON = "2026-12-01T12:00:00Z"


def recurring(who: Person, rule: str = "FREQ=DAILY", **values: Any) -> dict[str, Any]:
    mode = values.pop("mode", "schedule")
    return post_task(who, **{"due": {"date": "2026-12-01"}} | values, recurrence={"rule": rule, "mode": mode})


def skip(who: Person, task: dict[str, Any], at: str = NOON, **headers: str) -> Any:
    with time_machine.travel(at, tick=False):
        return who.api.post(f"/tasks/{task['id']}/skip", headers=headers)


def occurrences(who: Person, task: dict[str, Any], at: str = NOON, n: int = 5) -> Any:
    with time_machine.travel(at, tick=False):
        answer = who.api.get(f"/tasks/{task['id']}/occurrences?n={n}")
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_a_skipped_task_has_the_dates_of_the_next_one(alice: Person) -> None:
    task = recurring(
        alice,
        "FREQ=WEEKLY;COUNT=3",
        due={"at": "2026-12-01T18:00:00Z", "time_zone": "Europe/Berlin"},
        start={"at": "2026-12-01T08:00:00Z", "time_zone": "Europe/Berlin"},
        deadline={"date": "2026-12-04"},
        reminders=[{"at": "2026-12-01T07:00:00Z"}, {"offset_seconds": -900, "relative_to": "due"}],
    )
    skipped = skip(alice, task).json()
    assert skipped["due"]["at"] == "2026-12-08T18:00:00Z"
    assert skipped["start"]["at"] == "2026-12-08T08:00:00Z"
    assert skipped["deadline"] == {"date": "2026-12-11"}
    assert skipped["reminders"] == [
        {"at": "2026-12-08T07:00:00Z"},
        {"offset_seconds": -900, "relative_to": "due"},
    ]
    assert skipped["recurrence"]["rule"] == "FREQ=WEEKLY;COUNT=2"
    same = ("id", "title", "position", "completed_at", "next_task_id", "created_at")
    assert [skipped[name] for name in same] == [task[name] for name in same]


@pytest.mark.parametrize("mode", ["schedule", "completion"])
@pytest.mark.parametrize(
    ("at", "completed"),
    [
        ("2026-11-20T12:00:00Z", "2026-12-01T00:00:00Z"),
        (NOON, NOON),
        ("2026-12-09T12:00:00Z", "2026-12-09T12:00:00Z"),
    ],
)
def test_it_goes_where_a_completion_on_time_goes(alice: Person, mode: str, at: str, completed: str) -> None:
    one, other = (recurring(alice, "FREQ=WEEKLY;BYDAY=TU,TH", mode=mode) for _ in range(2))
    with time_machine.travel(completed, tick=False):
        done = alice.api.post(f"/tasks/{other['id']}/complete").json()
    following = alice.api.get(f"/tasks/{done['next_task_id']}").json()
    (listed,) = occurrences(alice, one, at, n=1)
    assert skip(alice, one, at).json()["due"] == following["due"] == listed["due"]


@pytest.mark.parametrize("mode", ["schedule", "completion"])
def test_each_skip_goes_on(alice: Person, mode: str) -> None:
    task = recurring(alice, "FREQ=WEEKLY", mode=mode)
    days = [skip(alice, task).json()["due"]["date"] for _ in range(3)]
    assert days == ["2026-12-08", "2026-12-15", "2026-12-22"]


def test_subtasks_move_along_and_stay_as_done_as_they_are(alice: Person) -> None:
    task = recurring(alice)
    done, open_ = (post_task(alice, parent_id=task["id"], due={"date": "2026-11-30"}) for _ in range(2))
    alice.api.post(f"/tasks/{done['id']}/complete")
    undated = post_task(alice, parent_id=open_["id"])
    skip(alice, task)
    rows = [alice.api.get(f"/tasks/{each['id']}").json() for each in (done, open_, undated)]
    assert [row["due"] for row in rows] == [{"date": "2026-12-01"}, {"date": "2026-12-01"}, None]
    assert [row["completed_at"] is not None for row in rows] == [True, False, False]
    assert rows[2]["updated_at"] == undated["updated_at"]


def test_a_skip_is_undone(alice: Person) -> None:
    task = recurring(alice, "FREQ=DAILY;COUNT=4")
    subtask = post_task(alice, parent_id=task["id"], due={"date": "2026-11-30"})
    request = skip(alice, task)["X-Request-ID"]
    undone = {each["id"]: each["data"] for each in undo(alice, request_id=request)}
    for row in (task, subtask):
        assert [undone[row["id"]][name] for name in ("due", "recurrence")] == [row["due"], row["recurrence"]]


def test_a_series_keeps_its_time_when_a_skip_is_undone(alice: Person) -> None:
    # 02:30, which the clocks skip on 28 March
    task = recurring(alice, due={"at": "2027-03-27T01:30:00Z", "time_zone": "Europe/Berlin"})
    skip(alice, task)
    undo(alice, request_id=skip(alice, task)["X-Request-ID"])
    times = [each["due"]["at"] for each in occurrences(alice, task, n=2)]
    assert times == ["2027-03-29T00:30:00Z", "2027-03-30T00:30:00Z"]


def test_a_task_whose_next_one_was_changed_is_not_skipped(alice: Person) -> None:
    task = recurring(alice)
    next_id = alice.api.post(f"/tasks/{task['id']}/complete").json()["next_task_id"]
    alice.api.patch(f"/tasks/{next_id}", {"title": "Changed"})
    alice.api.post(f"/tasks/{task['id']}/reopen")
    assert skip(alice, task).json()["type"] == "urn:todo:problem:not_recurring"


def test_what_cannot_be_skipped_says_so(alice: Person) -> None:
    once, last, done = post_task(alice), recurring(alice, "FREQ=DAILY;COUNT=1"), recurring(alice)
    alice.api.post(f"/tasks/{done['id']}/complete")
    for task, problem in ((once, "not_recurring"), (done, "not_recurring"), (last, "series_is_over")):
        answer = skip(alice, task)
        assert (answer.status_code, answer.json()["type"]) == (409, f"urn:todo:problem:{problem}")
        assert occurrences(alice, task, n=3) == [] or task is done
    stale = alice.api.get(f"/tasks/{(task := recurring(alice))['id']}")["ETag"]
    assert skip(alice, task, **{"If-Match": stale}).status_code == 200
    assert skip(alice, task, **{"If-Match": stale}).status_code == 412


def test_occurrences_are_those_of_completions_on_time(alice: Person) -> None:
    monthly = recurring(alice, "FREQ=MONTHLY;BYMONTHDAY=-1", due={"date": "2026-12-31"})
    days = [each["due"]["date"] for each in occurrences(alice, monthly, n=3)]
    assert days == ["2027-01-31", "2027-02-28", "2027-03-31"]
    after = recurring(alice, "FREQ=DAILY;INTERVAL=3", mode="completion")
    days = [each["due"]["date"] for each in occurrences(alice, after, n=3)]
    assert days == ["2026-12-04", "2026-12-07", "2026-12-10"]
    counted = recurring(alice, "FREQ=DAILY;COUNT=3")
    assert len(occurrences(alice, counted, n=50)) == 2
    # one a day, at a time that the clocks skip on 28 March
    timed = recurring(alice, due={"at": "2027-03-27T01:30:00Z", "time_zone": "Europe/Berlin"})
    times = [each["due"]["at"] for each in occurrences(alice, timed, n=3)]
    assert times == ["2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z", "2027-03-30T00:30:00Z"]


@pytest.mark.parametrize("n", ["0", "51", "x", "-1"])
def test_the_number_of_occurrences_is_limited(alice: Person, n: str) -> None:
    answer = alice.api.get(f"/tasks/{recurring(alice)['id']}/occurrences?n={n}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/n"
