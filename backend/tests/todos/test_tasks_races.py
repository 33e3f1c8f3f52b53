"""Two requests for the same tasks at the same time: the second waits for the first (PostgreSQL)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.conftest import Person
from tests.todos.races import interleaved, one_waits
from tests.todos.stories import alive, broken_rules, make, make_project, make_section, pointers, post_task
from todo_project.db.rows import uuid7
from todo_project.todos.models import Task

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
DAILY = {"due": {"date": "2026-11-30"}, "recurrence": {"rule": "FREQ=DAILY"}}


def test_of_two_changes_of_one_version_one_wins(alice: Person) -> None:
    task = post_task(alice)
    path, held = f"/tasks/{task['id']}", {"If-Match": alice.api.get(f"/tasks/{task['id']}")["ETag"]}
    won, lost = one_waits(
        lambda: alice.api.patch(path, {"title": "First"}, headers=held),
        lambda: alice.api.patch(path, {"title": "Second"}, headers=held),
    )
    assert (won.status_code, lost.status_code) == (200, 412)
    assert lost.json()["detail"] == "The resource has changed since you read it. Read it again and retry."
    assert alice.api.get(path).json() == won.json()


@pytest.mark.parametrize("values", [{}, DAILY])
def test_two_completions_complete_once(alice: Person, values: dict[str, Any]) -> None:
    task = post_task(alice, **values)
    complete = lambda: alice.api.post(f"/tasks/{task['id']}/complete")  # noqa: E731
    first, second = one_waits(complete, complete)
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == first.json()
    assert Task.objects.count() == (2 if values else 1)


def test_two_reopenings_trash_the_next_task_once(alice: Person) -> None:
    task = post_task(alice, **DAILY)
    following = alice.api.post(f"/tasks/{task['id']}/complete").json()["next_task_id"]
    reopen = lambda: alice.api.post(f"/tasks/{task['id']}/reopen")  # noqa: E731
    first, second = one_waits(reopen, reopen)
    assert second.json() == first.json()
    assert Task.objects.get(id=following).version == 2


def test_a_reopening_does_not_wait_for_the_next_task_in_another_project(alice: Person) -> None:
    task = post_task(alice, **DAILY)
    following = alice.api.post(f"/tasks/{task['id']}/complete").json()["next_task_id"]
    elsewhere = make_project(alice)["id"]
    alice.api.post(f"/tasks/{following}/move", {"project_id": elsewhere})
    _, reopened, has_waited = interleaved(
        lambda: alice.api.patch(f"/tasks/{following}", {"title": "Moved"}),
        lambda: alice.api.post(f"/tasks/{task['id']}/reopen"),
    )
    assert (reopened.status_code, has_waited) == (200, False)
    assert reopened.json()["next_task_id"] is None
    assert alive(following) == [True]


def test_one_id_is_created_once(alice: Person) -> None:
    path = f"/tasks/{uuid7()}"
    put = lambda: alice.api.put(path, {"title": "Dig"})  # noqa: E731
    first, second = one_waits(put, put)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first["ETag"] == second["ETag"]
    assert Task.objects.count() == 1


def test_two_new_tasks_get_different_positions(alice: Person) -> None:
    first, second = one_waits(lambda: post_task(alice), lambda: post_task(alice))
    assert first["position"] < second["position"]


def test_a_change_that_waited_replaces_the_labels_that_are_there_then(alice: Person) -> None:
    old, theirs, ours = (make(alice, "labels", name=name)["id"] for name in ("old", "theirs", "ours"))
    path = f"/tasks/{post_task(alice, labels=[old])['id']}"
    _, answer = one_waits(
        lambda: alice.api.patch(path, {"labels": [theirs]}), lambda: alice.api.patch(path, {"labels": [ours]})
    )
    assert answer.json()["labels"] == [ours]
    assert alice.api.get(path).json() == answer.json()


def test_two_tasks_do_not_become_subtasks_of_each_other(alice: Person) -> None:
    one, other = post_task(alice, project_id=make_project(alice)["id"]), post_task(alice)
    _, refused = one_waits(
        lambda: alice.api.patch(f"/tasks/{one['id']}", {"parent_id": other["id"]}),
        lambda: alice.api.patch(f"/tasks/{other['id']}", {"parent_id": one["id"]}),
    )
    assert pointers(refused) == ["/parent_id"]


Request = Callable[[Person, dict[str, str]], Any]
# Writes of tasks that depend on a project and section, and change the rows in them.
WRITES: dict[str, Request] = {
    "create": lambda who, ids: who.api.post("/tasks", {"title": "Dig", "section_id": ids["section"]}),
    "create_below": lambda who, ids: who.api.post("/tasks", {"title": "Dig", "parent_id": ids["task"]}),
    "complete": lambda who, ids: who.api.post(f"/tasks/{ids['task']}/complete"),
    "reopen": lambda who, ids: who.api.post(f"/tasks/{ids['done']}/reopen"),
    "rename": lambda who, ids: who.api.patch(f"/tasks/{ids['task']}", {"title": "Weed"}),
    "move_in": lambda who, ids: who.api.patch(f"/tasks/{ids['other']}", {"section_id": ids["section"]}),
    "move_out": lambda who, ids: who.api.post(f"/tasks/{ids['below']}/move", {"parent_id": ids["other"]}),
    "trash": lambda who, ids: who.api.delete(f"/tasks/{ids['task']}"),
    "restore": lambda who, ids: who.api.post(f"/tasks/{ids['trashed']}/restore"),
    "trash_label": lambda who, ids: who.api.delete(f"/labels/{ids['label']}"),
}
OF_HOLDERS: dict[str, Request] = {
    "trash_project": lambda who, ids: who.api.delete(f"/projects/{ids['project']}"),
    "trash_section": lambda who, ids: who.api.delete(f"/sections/{ids['section']}"),
    "move_section": lambda who, ids: who.api.patch(f"/sections/{ids['section']}", {"project_id": ids["there"]}),
}


def make_rows(who: Person, name: str) -> dict[str, str]:
    """Make a project, its section and tasks in it, and others outside; return their ids."""
    project, there = make_project(who), make_project(who)
    section, label = make_section(who, project), make(who, "labels", name=name)
    task = post_task(who, section_id=section["id"], labels=[label["id"]], **DAILY)
    below = post_task(who, parent_id=task["id"])
    done, trashed = (post_task(who, section_id=section["id"], **DAILY) for _ in range(2))
    who.api.post(f"/tasks/{done['id']}/complete")
    who.api.delete(f"/tasks/{trashed['id']}")
    rows = {"project": project, "there": there, "section": section, "label": label, "task": task, "below": below}
    rows |= {"done": done, "trashed": trashed, "other": post_task(who)}
    return {name: row["id"] for name, row in rows.items()}


@pytest.mark.parametrize("of_holder", OF_HOLDERS)
@pytest.mark.parametrize("is_first", [True, False])
def test_no_write_of_a_task_gets_around_a_write_of_its_project_or_section(
    alice: Person, of_holder: str, is_first: bool
) -> None:
    for write, request in WRITES.items():  # in one test, because emptying the tables takes longer than a case
        ids = make_rows(alice, write)
        requests = [partial(request, alice, ids), partial(OF_HOLDERS[of_holder], alice, ids)]
        first, second = one_waits(*(requests if is_first else reversed(requests)))
        assert first.status_code in (200, 201, 204), write
        assert second.status_code in (200, 201, 204, 400, 404, 409), write
        assert broken_rules() == [], write
        if of_holder == "trash_project":
            assert not Task.objects.alive().filter(project_id=ids["project"]).exists(), write


def test_a_subtask_that_is_being_added_below_the_next_task_keeps_it(alice: Person) -> None:
    task = post_task(alice, **DAILY)
    following = alice.api.post(f"/tasks/{task['id']}/complete").json()["next_task_id"]
    added, reopened = one_waits(
        lambda: post_task(alice, parent_id=following), lambda: alice.api.post(f"/tasks/{task['id']}/reopen")
    )
    assert reopened.json()["next_task_id"] == following
    assert alive(added["id"]) == [True]
