"""POST /undo after a thing has moved on: to another project, to the trash, or to other people's tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, post_task, share
from tests.todos.test_undo import last_change, undo, why_not, without_times
from tests.todos.test_undo_requests import batch, get, patch, put, undo_request
from todo_project.db.rows import uuid7
from todo_project.todos.models import Role

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mine(alice: Person) -> dict[str, Any]:
    """A project of Alice's."""
    return make_project(alice, name="Mine")


@pytest.fixture
def other(alice: Person) -> dict[str, Any]:
    """Another one."""
    return make_project(alice, name="Other")


# --- places


@pytest.mark.parametrize("column", ["section_id", "parent_id"])
def test_a_later_move_to_another_project_stands_in_the_way(
    alice: Person, mine: dict[str, Any], other: dict[str, Any], column: str
) -> None:
    holder = make_section(alice, mine) if column == "section_id" else post_task(alice, project_id=mine["id"])
    task = post_task(alice, project_id=mine["id"], **{column: holder["id"]})
    left = alice.api.patch(f"/tasks/{task['id']}", {column: None})["X-Request-ID"]
    moved = alice.api.post(f"/tasks/{task['id']}/move", {"project_id": other["id"]})["X-Request-ID"]
    reason = why_not(alice, request_id=left)
    assert f"`project_id` of the task {task['id']} was changed later by the change" in reason
    assert get(alice, f"/tasks/{task['id']}")["project_id"] == other["id"]
    undo_request(alice, moved)
    undo_request(alice, left)
    assert get(alice, f"/tasks/{task['id']}")[column] == holder["id"]


def test_a_subtask_that_was_in_the_trash_before_moves_back_there(
    alice: Person, mine: dict[str, Any], other: dict[str, Any]
) -> None:
    task = post_task(alice, project_id=mine["id"])
    child = post_task(alice, parent_id=task["id"])
    alice.api.delete(f"/tasks/{child['id']}")
    moved = alice.api.patch(f"/tasks/{task['id']}", {"project_id": other["id"]})["X-Request-ID"]
    undo_request(alice, moved)
    assert get(alice, f"/tasks/{task['id']}")["project_id"] == mine["id"]
    restored = alice.api.post(f"/tasks/{child['id']}/restore").json()
    assert (restored["project_id"], restored["parent_id"]) == (mine["id"], task["id"])


def test_a_section_moves_back_with_its_task_in_the_trash(
    alice: Person, mine: dict[str, Any], other: dict[str, Any]
) -> None:
    section = make_section(alice, mine)
    task = post_task(alice, section_id=section["id"])
    alice.api.delete(f"/tasks/{task['id']}")
    moved = alice.api.patch(f"/sections/{section['id']}", {"project_id": other["id"]})["X-Request-ID"]
    undo_request(alice, moved)
    assert alice.api.post(f"/tasks/{task['id']}/restore").json()["project_id"] == mine["id"]


# --- labels


def test_a_label_that_stayed_behind_comes_back_only_where_it_was(
    alice: Person, bob: Person, person: Callable[..., Person], mine: dict[str, Any]
) -> None:
    carol = person("carol")
    his = make_project(carol, name="His")
    for project in (mine, his):
        share(project, bob, Role.EDITOR)
    label = make(alice, "labels", name="secret")["id"]
    task = post_task(alice, project_id=mine["id"], labels=[label])
    moved = bob.api.patch(f"/tasks/{task['id']}", {"project_id": his["id"]})
    assert moved.json()["labels"] == []
    taken_off = last_change(task["id"], fields__has_key="labels")
    assert "You have no label with this id" in why_not(bob, change_id=taken_off)
    assert carol.api.get(f"/labels/{label}").status_code == 404
    undo_request(bob, moved["X-Request-ID"])
    assert get(alice, f"/tasks/{task['id']}") == without_times(task)


@pytest.mark.parametrize("kind", ["task", "subtask", "section"])
def test_a_label_that_was_in_use_there_comes_back_with_its_task(
    alice: Person, bob: Person, mine: dict[str, Any], other: dict[str, Any], kind: str
) -> None:
    for project in (mine, other):
        share(project, bob, Role.EDITOR)
    label = make(bob, "labels", name="his")["id"]
    post_task(bob, project_id=other["id"], labels=[label])
    section = make_section(alice, mine)
    top = post_task(alice, project_id=mine["id"], section_id=section["id"])
    task = post_task(bob, parent_id=top["id"], labels=[label]) if kind == "subtask" else top
    if kind != "subtask":
        task = bob.api.patch(f"/tasks/{top['id']}", {"labels": [label]}).json()
    path = f"/sections/{section['id']}" if kind == "section" else f"/tasks/{top['id']}"
    moved = alice.api.patch(path, {"project_id": other["id"]})
    assert get(bob, f"/tasks/{task['id']}")["labels"] == [label]
    undo_request(alice, moved["X-Request-ID"])
    assert get(alice, f"/tasks/{task['id']}") == without_times(task)


@pytest.mark.parametrize("is_batch", [False, True])
def test_a_move_that_changes_labels_is_undone_with_them(
    alice: Person, mine: dict[str, Any], other: dict[str, Any], is_batch: bool
) -> None:
    kept, added = (make(alice, "labels", name=name)["id"] for name in ("kept", "added"))
    task = post_task(alice, project_id=mine["id"], labels=[kept])
    child = post_task(alice, parent_id=task["id"], labels=[kept])
    path, below = f"/tasks/{task['id']}", f"/tasks/{child['id']}"
    if is_batch:
        request = batch(alice, patch(path, project_id=other["id"]), patch(below, labels=[added]))
    else:
        changes = {"project_id": other["id"], "labels": sorted([kept, added])}
        request = alice.api.patch(path, changes)["X-Request-ID"]
    undo_request(alice, request)
    assert (get(alice, path), get(alice, below)) == (without_times(task), without_times(child))


def test_a_label_that_was_put_on_later_stays_behind(
    alice: Person, bob: Person, mine: dict[str, Any], other: dict[str, Any]
) -> None:
    share(other, bob, Role.EDITOR)
    label = make(bob, "labels", name="his")["id"]
    task = post_task(alice, project_id=mine["id"])
    moved = alice.api.patch(f"/tasks/{task['id']}", {"project_id": other["id"]})["X-Request-ID"]
    bob.api.patch(f"/tasks/{task['id']}", {"labels": [label]})
    undo_request(alice, moved)
    assert get(alice, f"/tasks/{task['id']}")["labels"] == []


def test_a_created_label_that_somebody_put_on_a_task_stays(
    alice: Person, bob: Person, mine: dict[str, Any]
) -> None:
    share(mine, bob, Role.EDITOR)
    label, task = str(uuid7()), str(uuid7())
    request = batch(
        alice,
        put(f"/labels/{label}", name="new"),
        put(f"/tasks/{task}", title="New", project_id=mine["id"], labels=[label]),
    )
    his = post_task(bob, project_id=mine["id"], labels=[label])
    assert f"The label {label} has been put on other tasks" in why_not(alice, request_id=request)
    bob.api.patch(f"/tasks/{his['id']}", {"labels": []})
    undo_request(alice, request)
    assert alice.api.get(f"/labels/{label}").status_code == 404


# --- completions


def test_an_undone_reopening_restores_the_time_of_the_completion(alice: Person) -> None:
    task = post_task(alice)
    completed = alice.api.post(f"/tasks/{task['id']}/complete").json()
    alice.api.post(f"/tasks/{task['id']}/reopen")
    undo(alice, change_id=last_change(task["id"]))
    assert get(alice, f"/tasks/{task['id']}") == without_times(completed)


def test_an_undone_reopening_makes_no_next_task_if_there_was_none(alice: Person) -> None:
    task = post_task(alice, due={"date": "2026-12-01"})
    alice.api.post(f"/tasks/{task['id']}/complete")
    alice.api.patch(f"/tasks/{task['id']}", {"recurrence": {"rule": "FREQ=DAILY", "mode": "schedule"}})
    alice.api.post(f"/tasks/{task['id']}/reopen")
    undo(alice, change_id=last_change(task["id"]))
    assert [each["id"] for each in alice.api.get("/tasks").json()["results"]] == [task["id"]]
    assert get(alice, f"/tasks/{task['id']}")["next_task_id"] is None


def test_a_label_that_was_put_on_and_is_in_the_trash_does_not_come_back(alice: Person, bob: Person) -> None:
    shared = make_project(alice)
    share(shared, bob, Role.EDITOR)
    task, label = post_task(alice, project_id=shared["id"]), make(bob, "labels", name="Soon")
    bob.api.patch(f"/tasks/{task['id']}", {"labels": [label["id"]]})
    change = last_change(task["id"])
    bob.api.delete(f"/labels/{label['id']}")
    undo(alice, change_id=change)
    bob.api.post(f"/labels/{label['id']}/restore")
    assert alice.api.get(f"/tasks/{task['id']}").json()["labels"] == []
    assert "changed later" in why_not(alice, change_id=change)
