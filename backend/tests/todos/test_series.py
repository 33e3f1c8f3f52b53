"""A series over many completions: what it counts from, the change of clocks, reminders, excluded days."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from tests.conftest import Person
from tests.todos.stories import pointers, post_task
from todo_project.todos.models import Task

BERLIN = "Europe/Berlin"


def complete(who: Person, task: dict[str, Any], at: str) -> dict[str, Any] | None:
    """Complete the task at this time and give the next one; None when the series is over."""
    with time_machine.travel(at, tick=False):
        done = who.api.post(f"/tasks/{task['id']}/complete")
    assert done.status_code == 200, done.content
    next_id = done.json()["next_task_id"]
    return who.api.get(f"/tasks/{next_id}").json() if next_id else None


def series(who: Person, length: int, **values: Any) -> list[dict[str, Any]]:
    """Complete a task and what follows it, each an hour after its due or start, and give them all."""
    found: list[dict[str, Any]] = [post_task(who, **values)]
    while len(found) < length:
        moment = found[-1]["due"] or found[-1]["start"]
        following = complete(who, found[-1], moment.get("at") or f"{moment['date']}T01:00:00Z")
        if following is None:
            break
        found.append(following)
    return found


def berlin(*times: str) -> list[dict[str, str]]:
    return [{"at": time, "time_zone": BERLIN} for time in times]


@pytest.mark.parametrize(
    ("rule", "start", "due", "following"),
    [
        ("FREQ=WEEKLY;BYDAY=MO", "2026-11-30", "2026-12-02", [("2026-12-07", "2026-12-09")]),
        ("FREQ=MONTHLY;BYMONTHDAY=1", "2026-12-01", "2026-12-05", [("2027-01-01", "2027-01-05")]),
        ("FREQ=WEEKLY;UNTIL=20261208", "2026-12-01", "2026-12-03", [("2026-12-08", "2026-12-10")]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2027-01-31", "2027-02-02", [("2027-02-28", "2027-03-02")]),
    ],
)
def test_the_rule_counts_from_the_start_and_the_due_date_keeps_its_distance(
    alice: Person, rule: str, start: str, due: str, following: list[tuple[str, str]]
) -> None:
    rows = series(
        alice,
        len(following) + 1 + ("UNTIL" in rule),
        start={"date": start},
        due={"date": due},
        recurrence={"rule": rule},
    )
    assert [(row["start"]["date"], row["due"]["date"]) for row in rows[1:]] == following


def test_the_last_start_can_be_the_very_end_of_the_series(alice: Person) -> None:
    rows = series(
        alice,
        9,
        start={"at": "2026-12-01T06:00:00Z"},
        due={"at": "2026-12-01T07:00:00Z"},
        recurrence={"rule": "FREQ=DAILY;UNTIL=20261202T060000Z"},
    )
    assert [row["start"]["at"] for row in rows] == ["2026-12-01T06:00:00Z", "2026-12-02T06:00:00Z"]


def test_a_local_end_is_in_the_zone_of_the_start(alice: Person) -> None:
    alice.api.patch("/me", {"time_zone": "Asia/Tokyo"})
    new_york = "America/New_York"
    rows = series(
        alice,
        9,
        start={"at": "2026-12-02T01:00:00Z", "time_zone": new_york},
        due={"at": "2026-12-02T01:30:00Z", "time_zone": new_york},
        recurrence={"rule": "FREQ=DAILY;UNTIL=20261202T200000"},
    )
    assert [row["start"]["at"] for row in rows] == ["2026-12-02T01:00:00Z", "2026-12-03T01:00:00Z"]


def test_in_a_zone_that_is_unknown_here_a_series_continues_in_utc(alice: Person) -> None:
    """As after going back to a release with older time zone data."""
    task = post_task(alice, due=berlin("2027-03-27T01:30:00Z")[0], recurrence={"rule": "FREQ=DAILY"})
    Task.objects.update(due_time_zone="Europe/Atlantis")
    (following,) = alice.api.get(f"/tasks/{task['id']}/occurrences?n=1").json()["results"]
    wanted = {"at": "2027-03-28T01:30:00Z", "time_zone": "Europe/Atlantis"}
    assert following["due"] == wanted
    assert (
        alice.api.patch(f"/tasks/{task['id']}", {"recurrence": {"rule": "FREQ=DAILY;INTERVAL=1"}}).status_code
        == 200
    )
    second = complete(alice, task, "2027-03-27T02:00:00Z")
    assert second is not None
    assert second["due"] == wanted
    assert alice.api.post(f"/tasks/{second['id']}/skip").status_code == 200


@pytest.mark.parametrize(
    "path", ["/overview", "/stats", "/tasks?filter=due:today&sort=due", "/search?q=dig&filter=overdue"]
)
def test_an_account_in_a_zone_that_is_unknown_here_lives_in_utc(alice: Person, path: str) -> None:
    post_task(alice, title="dig", due={"at": "2027-03-27T01:30:00Z"})
    shown = [alice.api.get(path).json()]
    alice.user.time_zone = "Europe/Atlantis"
    alice.user.save()
    shown.append(alice.api.get(path).json())
    assert shown[0] == shown[1]
    assert alice.api.post("/tasks/quick", {"text": "water every day at 9"}).status_code == 201


def test_a_clock_time_that_is_skipped_moves_one_occurrence_only(alice: Person) -> None:
    due = {"at": "2027-03-27T01:30:00Z", "time_zone": BERLIN}  # 02:30
    rows = series(alice, 4, due=due, recurrence={"rule": "FREQ=DAILY"})
    # 02:30, then 03:30 as there is no 02:30 on the 28th, then 02:30 by summer time
    times = ["2027-03-27T01:30:00Z", "2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z", "2027-03-30T00:30:00Z"]
    assert [row["due"] for row in rows] == berlin(*times)


@pytest.mark.parametrize("mode", ["schedule", "completion"])
def test_a_skipped_time_is_remembered_for_every_moment_and_in_both_modes(alice: Person, mode: str) -> None:
    task = post_task(
        alice,
        start={"at": "2027-03-27T00:30:00Z", "time_zone": BERLIN},  # 01:30
        due={"at": "2027-03-27T01:15:00Z", "time_zone": BERLIN},  # 02:15
        deadline={"at": "2027-03-27T01:45:00Z", "time_zone": BERLIN},  # 02:45
        reminders=[{"at": "2027-03-27T01:10:00Z"}],  # 02:10
        recurrence={"rule": "FREQ=DAILY", "mode": mode},
    )
    skipped = complete(alice, task, "2027-03-27T02:00:00Z")
    assert skipped is not None
    after = complete(alice, skipped, "2027-03-28T02:00:00Z")
    assert after is not None
    assert [skipped[name]["at"][11:16] for name in ("start", "due", "deadline")] == ["00:30", "01:15", "01:45"]
    assert [after[name]["at"][11:16] for name in ("start", "due", "deadline")] == ["23:30", "00:15", "00:45"]
    assert skipped["reminders"] == [{"at": "2027-03-28T01:10:00Z"}]
    assert after["reminders"] == [{"at": "2027-03-29T00:10:00Z"}]


def test_a_time_that_is_skipped_into_the_next_day_keeps_its_weekday(alice: Person) -> None:
    nuuk = "America/Nuuk"  # in 2027 the clocks go from 23:00 on Saturday to 00:00 on Sunday
    due = {"at": "2027-03-21T01:30:00Z", "time_zone": nuuk}  # Saturday, 23:30
    rows = series(alice, 3, due=due, recurrence={"rule": "FREQ=WEEKLY"})
    times = ["2027-03-21T01:30:00Z", "2027-03-28T01:30:00Z", "2027-04-04T00:30:00Z"]
    assert [row["due"]["at"] for row in rows] == times


def test_a_moved_time_that_somebody_changed_is_what_the_series_goes_on_with(alice: Person) -> None:
    due = {"at": "2027-03-27T01:30:00Z", "time_zone": BERLIN}
    _, skipped = series(alice, 2, due=due, recurrence={"rule": "FREQ=DAILY"})
    alice.api.patch(f"/tasks/{skipped['id']}", {"due": {"at": "2027-03-28T02:30:00Z"}})  # 04:30
    following = complete(alice, skipped, "2027-03-28T08:00:00Z")
    assert following is not None
    assert following["due"]["at"] == "2027-03-29T02:30:00Z"


def test_of_a_time_that_comes_twice_the_first_is_taken(alice: Person) -> None:
    due = {"at": "2026-10-24T00:30:00Z", "time_zone": BERLIN}  # 02:30, which the 25th has twice
    rows = series(alice, 3, due=due, recurrence={"rule": "FREQ=DAILY"})
    times = ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    assert [row["due"]["at"] for row in rows] == times


@pytest.mark.parametrize(
    ("due", "reminder", "next_due", "next_reminder"),
    [
        # weekly at 09:00, and half an hour before
        ("2027-03-26T08:00:00Z", "2027-03-26T07:30:00Z", "2027-04-02T07:00:00Z", "2027-04-02T06:30:00Z"),
        ("2026-10-23T07:00:00Z", "2026-10-23T06:30:00Z", "2026-10-30T08:00:00Z", "2026-10-30T07:30:00Z"),
        # at 20:00 on the evening before, by the clock
        ("2027-03-21T08:00:00Z", "2027-03-20T19:00:00Z", "2027-03-28T07:00:00Z", "2027-03-27T19:00:00Z"),
        # 03:15 and 02:45, which is skipped
        ("2027-03-21T02:15:00Z", "2027-03-21T01:45:00Z", "2027-03-28T01:15:00Z", "2027-03-28T00:45:00Z"),
        # 03:15 and 02:45, which comes twice
        ("2026-10-18T01:15:00Z", "2026-10-18T00:45:00Z", "2026-10-25T02:15:00Z", "2026-10-25T01:45:00Z"),
    ],
)
@pytest.mark.parametrize("zone", [BERLIN, None])
def test_a_reminder_keeps_its_distance_over_a_change_of_clocks(
    alice: Person, zone: str | None, due: str, reminder: str, next_due: str, next_reminder: str
) -> None:
    alice.api.patch("/me", {"time_zone": BERLIN})
    rows = series(
        alice,
        2,
        due={"at": due, "time_zone": zone},
        reminders=[{"at": reminder}],
        recurrence={"rule": "FREQ=WEEKLY"},
    )
    assert (rows[1]["due"]["at"], rows[1]["reminders"]) == (next_due, [{"at": next_reminder}])


def test_the_reminder_of_a_whole_day_is_by_the_accounts_clock(alice: Person) -> None:
    alice.api.patch("/me", {"time_zone": BERLIN})
    rows = series(
        alice,
        2,
        due={"date": "2027-03-26"},
        reminders=[{"at": "2027-03-26T08:00:00Z"}],
        recurrence={"rule": "FREQ=WEEKLY"},
    )
    assert rows[1]["reminders"] == [{"at": "2027-04-02T07:00:00Z"}]


def test_excluded_days_are_left_out_for_the_whole_series(alice: Person) -> None:
    recurrence = {"rule": "FREQ=DAILY", "excluded_dates": ["2026-12-03", "2026-12-01"]}
    rows = series(alice, 3, due={"date": "2026-11-30"}, recurrence=recurrence)
    assert [row["due"]["date"] for row in rows] == ["2026-11-30", "2026-12-02", "2026-12-04"]
    kept = {"rule": "FREQ=DAILY", "mode": "schedule", "excluded_dates": ["2026-12-01", "2026-12-03"]}
    assert all(row["recurrence"] == kept for row in rows)


def test_excluded_days_can_be_changed_and_cleared(alice: Person) -> None:
    recurrence = {"rule": "FREQ=DAILY", "excluded_dates": ["2026-12-01"]}
    task = post_task(alice, due={"date": "2026-11-30"}, recurrence=recurrence)
    path = f"/tasks/{task['id']}"

    def patched(**change: Any) -> Any:
        answer = alice.api.patch(path, {"recurrence": change})
        assert answer.status_code == 200, answer.content
        return answer.json()["recurrence"].get("excluded_dates")

    assert patched(rule="FREQ=WEEKLY") == ["2026-12-01"]
    assert patched(excluded_dates=["2026-12-08", "2026-12-08"]) == ["2026-12-08"]
    assert patched(excluded_dates=None) is None
    patched(excluded_dates=["2026-12-08"])
    alice.api.patch(path, {"recurrence": None})
    alice.api.patch(path, {"recurrence": {"rule": "FREQ=DAILY"}})
    assert "excluded_dates" not in alice.api.get(path).json()["recurrence"]
    bad = {"recurrence": {"rule": "FREQ=DAILY", "excluded_dates": ["2026-12-01", "tomorrow"]}}
    assert pointers(alice.api.patch(path, bad)) == ["/recurrence/excluded_dates/1"]


def test_a_series_costs_the_same_statements_however_long_it_is(
    alice: Person, django_assert_max_num_queries: Any
) -> None:
    task = post_task(alice, due={"date": "1900-01-01"}, recurrence={"rule": "FREQ=DAILY"})
    with django_assert_max_num_queries(20):
        following = complete(alice, task, "2026-11-30T12:00:00Z")
    assert following is not None
    assert following["due"] == {"date": "2026-11-30"}
    assert Task.objects.count() == 2
