"""A file that is imported again: what was changed here stays as far as it fits to the new dates."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Person
from tests.imports.calendars import alarm, calendar, todo
from tests.imports.stories import counts, imported, task
from tests.todos.stories import make
from todo_project.todos.models import Task

pytestmark = pytest.mark.django_db

BEFORE_DUE = {"offset_seconds": -60, "relative_to": "due"}
BEFORE_START = {"offset_seconds": -60, "relative_to": "start"}


def changed(who: Person, first: tuple[str, ...], change: dict[str, Any], second: tuple[str, ...]) -> dict[str, str]:
    """Import a task, change it here, import it again with other lines, and give what the report says."""
    imported(who, calendar(todo(*first)))
    answer = who.api.patch(f"/tasks/{task(who)['id']}", change)
    assert answer.status_code == 200, answer.content
    report = imported(who, calendar(todo(*second)))
    assert counts(report) == (0, 1, 0)
    return {each["property"]: each["detail"] for each in report["unsupported"]}


def can_be_sent_back(who: Person) -> bool:
    shown = task(who)
    answer = who.api.put(f"/tasks/{shown['id']}", shown)
    return bool(answer.status_code == 200 and answer.json() == shown)


def test_what_needs_a_date_that_the_file_removes_is_removed_and_named(alice: Person) -> None:
    change = {"recurrence": {"rule": "FREQ=WEEKLY"}, "reminders": [BEFORE_DUE, {"at": "2027-01-09T10:00:00Z"}]}
    report = changed(alice, ("DUE:20270110T100000Z",), change, ())
    assert "needs a date" in report["RRULE"]
    assert "relative to `due`" in report["TRIGGER"]
    shown = task(alice)
    assert (shown["recurrence"], shown["reminders"]) == (None, [{"at": "2027-01-09T10:00:00Z"}])
    assert can_be_sent_back(alice)


def test_a_task_has_no_more_labels_than_it_may_have(alice: Person) -> None:
    imported(alice, calendar(todo("CATEGORIES:Home,Work")))
    own = [make(alice, "labels", name=f"own {number}")["id"] for number in range(97)]
    path = f"/tasks/{task(alice)['id']}"
    assert alice.api.patch(path, {"labels": [*task(alice)["labels"], *own]}).status_code == 200
    report = imported(alice, calendar(todo("CATEGORIES:Work,own 7,Garden,Shed,Roof")))
    names = {each["id"]: each["name"] for each in alice.api.get("/labels?limit=200").json()["results"]}
    labels = {names[each] for each in task(alice)["labels"]}
    assert labels == {"Work", "Garden", "Shed", *(f"own {number}" for number in range(97))}
    assert [each["property"] for each in report["unsupported"]] == ["CATEGORIES"]
    assert can_be_sent_back(alice)


def test_an_alarm_of_the_file_needs_the_date_that_the_task_has_here(alice: Person) -> None:
    dates = ("DTSTART:20270109T100000Z", "DUE:20270110T100000Z")
    report = changed(
        alice,
        (*dates, *alarm("TRIGGER;RELATED=END:-PT5M")),
        {"due": None, "reminders": []},
        (*dates, *alarm("TRIGGER;RELATED=END:-PT10M"), *alarm("TRIGGER:-PT1M")),
    )
    assert "relative to `due`" in report["TRIGGER"]
    assert task(alice)["reminders"] == [BEFORE_START]
    assert can_be_sent_back(alice)


def test_a_rule_of_the_file_needs_the_date_that_the_task_has_here(alice: Person) -> None:
    due = "DUE;VALUE=DATE:20270104"
    report = changed(alice, (due,), {"due": None}, (due, "RRULE:FREQ=DAILY", "PRIORITY:1"))
    assert "needs a date" in report["RRULE"]
    shown = task(alice)
    assert (shown["due"], shown["recurrence"], shown["priority"]) == (None, None, 4)
    assert can_be_sent_back(alice)


def test_a_rule_that_the_date_here_does_not_allow_leaves_the_old_rule(alice: Person) -> None:
    dates, monday = ("DUE;VALUE=DATE:20270104", "RRULE:FREQ=DAILY"), "RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=MO"
    report = changed(alice, dates, {"due": {"date": "2027-01-05"}}, (dates[0], monday))
    assert "never occurs" in report["RRULE"]
    assert task(alice)["recurrence"]["rule"] == "FREQ=DAILY"
    assert can_be_sent_back(alice)


def test_a_rule_without_a_date_that_an_earlier_release_stored_is_removed(alice: Person) -> None:
    imported(alice, calendar(todo()))
    Task.objects.update(recurrence_rule="FREQ=DAILY", recurrence_mode="schedule")
    report = imported(alice, calendar(todo("PRIORITY:1")))
    assert [each["property"] for each in report["unsupported"]] == ["RRULE"]
    assert can_be_sent_back(alice)


def test_a_rule_of_here_needs_a_date_that_it_meets_again(alice: Person) -> None:
    change = {"recurrence": {"rule": "FREQ=DAILY;INTERVAL=7;BYDAY=MO"}}
    report = changed(alice, ("DUE;VALUE=DATE:20270104",), change, ("DUE;VALUE=DATE:20270105",))
    assert list(report) == ["RRULE"]
    assert task(alice)["recurrence"] is None
    assert can_be_sent_back(alice)


@pytest.mark.parametrize(
    "change",
    [
        {"recurrence": {"rule": "FREQ=WEEKLY"}, "reminders": [BEFORE_DUE]},
        {"recurrence": {"rule": "FREQ=DAILY;INTERVAL=7;BYDAY=MO", "mode": "completion"}},
    ],
)
def test_what_fits_to_the_new_date_stays(alice: Person, change: dict[str, Any]) -> None:
    assert changed(alice, ("DUE;VALUE=DATE:20270104",), change, ("DUE;VALUE=DATE:20270105",)) == {}
    shown = task(alice)
    assert shown["due"] == {"date": "2027-01-05"}
    assert {name: shown[name] for name in change} == {
        name: {"mode": "schedule", **value} if name == "recurrence" else value for name, value in change.items()
    }
    assert can_be_sent_back(alice)
