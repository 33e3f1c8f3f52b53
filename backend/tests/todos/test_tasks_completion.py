"""Done and not done after all, as often as one likes; what recurs goes on once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import make, post_task
from todo_project.errors import NotFound, StaleVersion
from todo_project.todos.models import Task
from todo_project.todos.services import completion

NOON = "2026-11-23T12:00:00Z"  # a Monday


@pytest.fixture(autouse=True)
def noon() -> Any:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def do(who: Person, action: str, task: dict[str, Any]) -> dict[str, Any]:
    answer = who.api.post(f"/tasks/{task['id']}/{action}")
    assert answer.status_code == 200, answer.content
    return answer.json()  # type: ignore[no-any-return]


def get(who: Person, id_: str) -> dict[str, Any]:
    return who.api.get(f"/tasks/{id_}").json()  # type: ignore[no-any-return]


def following(who: Person, **values: Any) -> dict[str, Any]:
    done = do(who, "complete", post_task(who, **values))
    return get(who, done["next_task_id"])


def test_a_task_is_done_and_not_done_after_all(alice: Person) -> None:
    task = post_task(alice)
    done = do(alice, "complete", task)
    assert done == {**task, "completed_at": NOON}
    assert do(alice, "complete", task) == done == get(alice, task["id"])
    assert do(alice, "reopen", task) == task
    assert do(alice, "reopen", task) == task


@pytest.mark.parametrize("values", [{}, {"due": {"date": "2026-11-23"}, "recurrence": {"rule": "FREQ=DAILY"}}])
def test_a_change_between_reading_and_completing_is_noticed(
    alice: Person, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any]
) -> None:
    task = post_task(alice, **values)
    read = completion._TASK.all
    changes: list[Callable[[], Any]] = []

    def read_then_change(**given: Any) -> Any:
        found = read(**given)
        if changes:
            changes.pop()()
        return found

    monkeypatch.setattr(completion._TASK, "all", read_then_change)

    def complete(**options: Any) -> Any:
        return completion.complete_task(user=alice.user, task_id=task["id"], now=timezone.now(), **options)

    changes.append(lambda: alice.api.patch(f"/tasks/{task['id']}", {"title": "Weed"}))
    with pytest.raises(StaleVersion):
        complete(expected_versions=frozenset({1}))
    assert get(alice, task["id"])["completed_at"] is None
    changes.append(lambda: alice.api.patch(f"/tasks/{task['id']}", {"title": "Dig"}))
    assert complete().title == "Dig"
    assert Task.objects.exclude(next_task=None).count() == bool(values)
    alice.api.post(f"/tasks/{task['id']}/reopen")
    changes.append(lambda: alice.api.delete(f"/tasks/{task['id']}"))
    with pytest.raises(NotFound):
        complete()


def test_subtasks_stay_as_they_are(alice: Person) -> None:
    parent = post_task(alice)
    child = post_task(alice, parent_id=parent["id"])
    do(alice, "complete", parent)
    assert get(alice, child["id"]) == child


def test_what_recurs_goes_on_as_another_task(alice: Person) -> None:
    label = make(alice, "labels", name="urgent")
    task = post_task(
        alice,
        title="Water",
        priority=3,
        labels=[label["id"]],
        start={"date": "2026-11-21"},
        due={"at": "2026-11-23T08:00:00Z", "time_zone": "Asia/Shanghai"},
        deadline={"at": "2026-11-23T10:00:00Z"},
        recurrence={"rule": "FREQ=WEEKLY;COUNT=3"},
        reminders=[{"at": "2026-11-23T07:00:00Z"}, {"offset_seconds": -60, "relative_to": "due"}],
    )
    done = do(alice, "complete", task)
    again = get(alice, done["next_task_id"])
    assert again == {
        **task,
        "id": again["id"],
        "start": {"date": "2026-11-28"},
        "due": {"at": "2026-11-30T08:00:00Z", "time_zone": "Asia/Shanghai"},
        "deadline": {"at": "2026-11-30T10:00:00Z", "time_zone": None},
        "recurrence": {"rule": "FREQ=WEEKLY;COUNT=2", "mode": "schedule"},
        "reminders": [{"at": "2026-11-30T07:00:00Z"}, {"offset_seconds": -60, "relative_to": "due"}],
        "position": again["position"],
    }
    assert do(alice, "complete", task) == done
    last = do(alice, "complete", again)
    assert do(alice, "complete", get(alice, last["next_task_id"]))["next_task_id"] is None


def test_the_next_one_has_the_subtasks_to_do_again(alice: Person) -> None:
    label = make(alice, "labels", name="urgent")
    task = post_task(alice, due={"date": "2026-11-23"}, recurrence={"rule": "FREQ=DAILY"})
    child = post_task(alice, title="Fill the can", parent_id=task["id"], due={"date": "2026-11-22"})
    post_task(alice, title="At the well", parent_id=child["id"], labels=[label["id"]])
    gone = post_task(alice, title="gone", parent_id=task["id"])
    alice.api.delete(f"/tasks/{gone['id']}")
    do(alice, "complete", child)
    done = do(alice, "complete", task)
    (twin,) = alice.api.get(f"/tasks?parent_id={done['next_task_id']}").json()["results"]
    assert (twin["title"], twin["completed_at"], twin["due"]) == ("Fill the can", None, {"date": "2026-11-23"})
    (below,) = alice.api.get(f"/tasks?parent_id={twin['id']}").json()["results"]
    assert (below["title"], below["labels"]) == ("At the well", [label["id"]])
    do(alice, "reopen", task)
    assert len(alice.api.get("/tasks").json()["results"]) == 3


def test_a_reopened_task_takes_back_a_next_one_that_nobody_touched(alice: Person) -> None:
    task = post_task(alice, due={"date": "2026-11-23"}, recurrence={"rule": "FREQ=DAILY"})
    first = do(alice, "complete", task)["next_task_id"]
    assert do(alice, "reopen", task)["next_task_id"] is None
    assert alice.api.get(f"/tasks/{first}").status_code == 404
    second = do(alice, "complete", task)["next_task_id"]
    assert second not in (None, first)


def test_a_next_one_that_somebody_touched_stays_the_only_one(alice: Person) -> None:
    task = post_task(alice, due={"date": "2026-11-23"}, recurrence={"rule": "FREQ=DAILY"})
    following = do(alice, "complete", task)["next_task_id"]
    alice.api.patch(f"/tasks/{following}", {"title": "Weed"})
    assert do(alice, "reopen", task)["next_task_id"] == following
    assert do(alice, "complete", task)["next_task_id"] == following


def test_a_next_one_in_the_trash_is_taken_back_already(alice: Person) -> None:
    task = post_task(alice, due={"date": "2026-11-23"}, recurrence={"rule": "FREQ=DAILY"})
    following = do(alice, "complete", task)["next_task_id"]
    alice.api.delete(f"/tasks/{following}")
    assert do(alice, "reopen", task)["next_task_id"] is None


def test_a_start_alone_recurs_too(alice: Person) -> None:
    again = following(alice, start={"date": "2026-11-23"}, recurrence={"rule": "FREQ=MONTHLY"})
    assert (again["start"], again["due"]) == ({"date": "2026-12-23"}, None)


def test_days_are_those_of_the_persons_own_zone(alice: Person, noon: Any) -> None:
    alice.api.patch("/me", {"time_zone": "Asia/Shanghai"})
    noon.move_to("2026-11-23T22:00:00Z")  # the 24th in Shanghai
    daily = {"rule": "FREQ=DAILY"}
    assert following(alice, due={"date": "2026-11-22"}, recurrence=daily)["due"] == {"date": "2026-11-24"}
    every = {"rule": "FREQ=DAILY;INTERVAL=3", "mode": "completion"}
    assert following(alice, due={"date": "2026-11-22"}, recurrence=every)["due"] == {"date": "2026-11-27"}


@pytest.mark.parametrize(
    "at", ["9999-12-31T09:00:00Z", "9999-12-31T23:00:00Z", "0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z"]
)
@pytest.mark.parametrize("mode", ["schedule", "completion"])
def test_the_edges_of_time_are_no_error(alice: Person, at: str, mode: str) -> None:
    at_the_end = at.startswith("9999")
    values = {"recurrence": {"rule": "FREQ=DAILY", "mode": mode}, "reminders": [{"at": at}]}
    for zone in ("UTC", "Asia/Shanghai", "America/New_York", None):
        alice.api.patch("/me", {"time_zone": "Asia/Shanghai" if at_the_end else "America/New_York"})
        answer = alice.api.post("/tasks", {"title": "Dig", "due": {"at": at, "time_zone": zone}, **values})
        assert answer.status_code in (201, 400)
        if answer.status_code == 201:
            do(alice, "complete", answer.json())


def test_a_series_under_a_series_is_copied_once(alice: Person) -> None:
    weekly = {"due": {"date": "2026-11-23"}, "recurrence": {"rule": "FREQ=WEEKLY"}}
    daily = {"due": {"date": "2026-11-23"}, "recurrence": {"rule": "FREQ=DAILY"}}
    parent = post_task(alice, **weekly)
    step = post_task(alice, title="Step", parent_id=parent["id"], **daily)
    for _ in range(3):
        step = get(alice, do(alice, "complete", step)["next_task_id"])
    again = do(alice, "complete", parent)["next_task_id"]
    copies = alice.api.get(f"/tasks?parent_id={again}").json()["results"]
    assert [(copy["title"], copy["completed_at"]) for copy in copies] == [("Step", None)]


DAILY = {"due": {"date": "2026-11-23"}, "recurrence": {"rule": "FREQ=DAILY"}}


def test_a_subtask_added_below_the_next_one_is_kept(alice: Person) -> None:
    task = post_task(alice, **DAILY)
    following = do(alice, "complete", task)["next_task_id"]
    added = post_task(alice, parent_id=following)
    assert do(alice, "reopen", task)["next_task_id"] == following
    assert get(alice, added["id"]) == added


def test_a_subtask_added_below_a_copied_subtask_is_kept(alice: Person) -> None:
    task = post_task(alice, **DAILY)
    post_task(alice, parent_id=task["id"])
    following = do(alice, "complete", task)["next_task_id"]
    (copy,) = alice.api.get(f"/tasks?parent_id={following}").json()["results"]
    added = post_task(alice, parent_id=copy["id"])
    assert do(alice, "reopen", task)["next_task_id"] == following
    assert get(alice, added["id"]) == added


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("patch", "/tasks/{copy}", {"title": "Weed"}),
        ("patch", "/tasks/{copy}", {"labels": []}),
        ("post", "/tasks/{copy}/complete", None),
        ("delete", "/tasks/{copy}", None),
        ("post", "/tasks/{following}/move", {"parent_id": "{other}"}),
        ("patch", "/tasks/{following}", {"reminders": [{"offset_seconds": -60, "relative_to": "due"}]}),
        ("post", "/tasks/{following}/complete", None),
    ],
)
def test_what_a_person_does_to_the_next_one_is_kept(
    alice: Person, method: str, path: str, body: dict[str, Any] | None
) -> None:
    label, other = make(alice, "labels", name="urgent"), post_task(alice)
    task = post_task(alice, **DAILY)
    post_task(alice, parent_id=task["id"], labels=[label["id"]])
    following = do(alice, "complete", task)["next_task_id"]
    (copy,) = alice.api.get(f"/tasks?parent_id={following}").json()["results"]
    names = {"following": following, "copy": copy["id"], "other": other["id"]}
    if body and "parent_id" in body:
        body = {"parent_id": other["id"]}
    assert getattr(alice.api, method)(path.format(**names), body).status_code in (200, 204)
    assert do(alice, "reopen", task)["next_task_id"] == following
    assert get(alice, following)["id"] == following


def test_a_next_one_that_was_restored_stays_the_only_one(alice: Person) -> None:
    task = post_task(alice, **DAILY)
    following = do(alice, "complete", task)["next_task_id"]
    assert do(alice, "reopen", task)["next_task_id"] is None
    assert alice.api.post(f"/tasks/{following}/restore").status_code == 200
    for _ in range(2):
        assert do(alice, "complete", task)["next_task_id"] == following
        assert len(alice.api.get("/tasks").json()["results"]) == 2
        do(alice, "reopen", task)
        alice.api.post(f"/tasks/{following}/restore")


def test_a_restored_next_one_may_be_completed_first(alice: Person) -> None:
    task = post_task(alice, **DAILY)
    following = do(alice, "complete", task)["next_task_id"]
    do(alice, "reopen", task)
    restored = alice.api.post(f"/tasks/{following}/restore").json()
    third = do(alice, "complete", restored)["next_task_id"]
    assert do(alice, "complete", task)["next_task_id"] == following
    assert {each["id"] for each in alice.api.get("/tasks?is_completed=false").json()["results"]} == {third}


def test_what_a_label_or_a_neighbour_does_to_the_next_one_is_no_change(alice: Person) -> None:
    label = make(alice, "labels", name="urgent")
    task = post_task(alice, **DAILY, labels=[label["id"]])
    post_task(alice, parent_id=task["id"], labels=[label["id"]])
    following = do(alice, "complete", task)["next_task_id"]
    alice.api.delete(f"/labels/{label['id']}")
    Task.objects.filter(id=following).update(position="z1", version=9)  # as a move of its neighbour does
    assert do(alice, "reopen", task)["next_task_id"] is None
    assert alice.api.get(f"/tasks/{following}").status_code == 404
    alice.api.post(f"/labels/{label['id']}/restore")
    assert len(alice.api.get("/tasks").json()["results"]) == 2


def test_a_subtask_that_was_trashed_before_keeps_its_time(alice: Person, noon: Any) -> None:
    task = post_task(alice, **DAILY)
    following = do(alice, "complete", task)["next_task_id"]
    added = post_task(alice, parent_id=following)
    alice.api.delete(f"/tasks/{added['id']}")
    trashed = Task.objects.get(id=added["id"]).deleted_at
    noon.shift(60)
    assert do(alice, "reopen", task)["next_task_id"] is None
    assert Task.objects.get(id=added["id"]).deleted_at == trashed
