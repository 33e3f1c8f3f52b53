"""Tasks over the API: what goes in comes back, and what cannot be is named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, post_task
from todo_project.db.rows import uuid7

FULL: dict[str, Any] = {
    "title": "Prune the roses",
    "description": "  With gloves.\n",
    "priority": 4,
    "due": {"at": "2026-11-30T09:00:00Z", "time_zone": "Asia/Shanghai"},
    "start": {"date": "2026-11-28"},
    "deadline": {"at": "2026-12-24T00:00:00+08:00"},
    "recurrence": {"rule": "FREQ=WEEKLY;BYDAY=MO", "mode": "completion"},
    "reminders": [{"at": "2026-11-30T08:00:00+00:00"}, {"offset_seconds": -900, "relative_to": "due"}],
}


def test_a_task_comes_back_as_it_was_made(alice: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    labels = sorted(make(alice, "labels", name=name)["id"] for name in ("garden", "winter"))
    parent = post_task(alice, project_id=project["id"], section_id=section["id"])
    answer = alice.api.post("/tasks", {**FULL, "parent_id": parent["id"], "labels": labels[::-1], "position": "x1"})
    assert answer.status_code == 201
    made = answer.json()
    assert made == made | {
        **FULL,
        "id": made["id"],
        "project_id": project["id"],
        "section_id": section["id"],
        "parent_id": parent["id"],
        "labels": labels,
        "deadline": {"at": "2026-12-23T16:00:00Z", "time_zone": None},
        "reminders": [{"at": "2026-11-30T08:00:00Z"}, {"offset_seconds": -900, "relative_to": "due"}],
        "position": "x1",
        "completed_at": None,
        "next_task_id": None,
        "uid": None,
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
        "deleted_at": None,
    }
    assert answer["Location"] == f"/api/v1/tasks/{made['id']}"
    got = alice.api.get(f"/tasks/{made['id']}")
    assert got.json() == made
    assert got["ETag"] == answer["ETag"]
    assert alice.api.get(f"/tasks?parent_id={parent['id']}").json()["results"] == [made]


def test_a_task_of_nothing_but_a_title_goes_to_the_inbox(alice: Person) -> None:
    inbox = alice.api.get("/projects").json()["results"][0]
    first, second = post_task(alice), post_task(alice)
    assert inbox["is_inbox"]
    assert first["project_id"] == inbox["id"]
    assert first["position"] < second["position"]
    assert (first["labels"], first["due"], first["recurrence"], first["reminders"]) == ([], None, None, [])


def test_a_subtask_without_more_is_where_its_parent_is(alice: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    parent = post_task(alice, section_id=section["id"])
    child = post_task(alice, parent_id=parent["id"])
    assert [(task["project_id"], task["section_id"]) for task in (parent, child)] == [
        (project["id"], section["id"])
    ] * 2


def test_a_list_has_pages_that_do_not_shift(alice: Person) -> None:
    ids = [post_task(alice)["id"] for _ in range(5)]
    first = alice.api.get("/tasks?limit=2").json()
    post_task(alice)
    second = alice.api.get(f"/tasks?limit=2&cursor={first['next_cursor']}").json()
    assert [task["id"] for task in first["results"] + second["results"]] == ids[:4]
    third = alice.api.get(f"/tasks?limit=2&cursor={second['next_cursor']}").json()
    assert len(third["results"]) == 2
    assert third["next_cursor"] is None


def test_a_list_has_fifty_tasks_unless_told_otherwise_and_never_more_than_two_hundred(alice: Person) -> None:
    for _ in range(51):
        post_task(alice)
    page = alice.api.get("/tasks").json()
    assert len(page["results"]) == 50
    assert alice.api.get("/tasks?limit=200").json()["next_cursor"] is None
    assert alice.api.get("/tasks?limit=201").status_code == 400
    assert alice.api.get("/tasks?limit=0").status_code == 400


def test_filters_narrow_the_list(alice: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    label = make(alice, "labels", name="urgent")
    parent = post_task(alice, section_id=section["id"])
    child = post_task(alice, parent_id=parent["id"], labels=[label["id"]])
    done = post_task(alice)
    alice.api.post(f"/tasks/{done['id']}/complete")

    def found(query: str) -> list[str]:
        return [task["id"] for task in alice.api.get(f"/tasks?{query}").json()["results"]]

    assert found(f"project_id={project['id']}") == [parent["id"], child["id"]]
    assert found(f"section_id={section['id']}") == [parent["id"], child["id"]]
    assert found(f"parent_id={parent['id']}") == [child["id"]]
    assert found(f"label_id={label['id']}") == [child["id"]]
    assert found(f"label_id={label['id']}&project_id={project['id']}&is_completed=false") == [child["id"]]
    assert found("is_completed=true") == [done["id"]]
    assert found("is_completed=false") == [parent["id"], child["id"]]


@pytest.mark.parametrize("query", ["colour=red", "limit=5&project=1", "is_done=true"])
def test_an_unknown_parameter_is_named(alice: Person, query: str) -> None:
    errors = alice.api.get(f"/tasks?{query}").json()["errors"]
    assert [error["code"] for error in errors] == ["unknown_field"]
    assert errors[0]["pointer"].strip("/") in query


@pytest.mark.parametrize(
    "query",
    ["cursor=x", "project_id=1", "is_completed=perhaps", "updated_since=yesterday", "limit=many", "cursor="],
)
def test_an_unusable_parameter_is_an_error(alice: Person, query: str) -> None:
    assert alice.api.get(f"/tasks?{query}").status_code == 400


def test_changes_come_in_the_order_of_their_time_trash_included(alice: Person) -> None:
    tasks = [post_task(alice) for _ in range(4)]
    since = tasks[-1]["updated_at"]
    alice.api.delete(f"/tasks/{tasks[2]['id']}")
    alice.api.patch(f"/tasks/{tasks[0]['id']}", {"title": "Weed"})
    query = f"/tasks?updated_since={since}&include_deleted=true&limit=2"
    page = alice.api.get(query).json()
    more = alice.api.get(f"{query}&cursor={page['next_cursor']}").json()
    changed = page["results"] + more["results"]
    assert [task["id"] for task in changed] == [tasks[3]["id"], tasks[2]["id"], tasks[0]["id"]]
    assert [task["deleted_at"] is None for task in changed] == [True, False, True]
    later = (timezone.now() + dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert alice.api.get(f"/tasks?updated_since={later}").json() == {"results": [], "next_cursor": None}


def test_labels_in_the_trash_are_not_shown(alice: Person) -> None:
    label = make(alice, "labels", name="urgent")
    task = post_task(alice, labels=[label["id"]])
    before = alice.api.get(f"/tasks/{task['id']}")
    alice.api.delete(f"/labels/{label['id']}")
    after = alice.api.get(f"/tasks/{task['id']}", headers={"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert after.json()["labels"] == []
    alice.api.post(f"/labels/{label['id']}/restore")
    assert alice.api.get(f"/tasks/{task['id']}").json()["labels"] == [label["id"]]


def test_what_is_held_already_is_not_sent_again(alice: Person) -> None:
    task = post_task(alice)
    for path in (f"/tasks/{task['id']}", "/tasks"):
        tag = alice.api.get(path)["ETag"]
        again = alice.api.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again["ETag"] == tag


def test_a_repeated_post_with_its_key_makes_one_task(alice: Person) -> None:
    key = {"Idempotency-Key": "k1"}
    first = alice.api.post("/tasks", {"title": "Once"}, headers=key)
    again = alice.api.post("/tasks", {"title": "Once"}, headers=key)
    other = alice.api.post("/tasks", {"title": "Twice"}, headers=key)
    assert (again.status_code, again.content, again["ETag"]) == (201, first.content, first["ETag"])
    assert other.status_code == 422
    assert len(alice.api.get("/tasks").json()["results"]) == 1


# SQLite looks the token up by itself; PostgreSQL does with the read


@pytest.mark.parametrize(
    "cost",
    [
        (lambda who, task: who.api.get("/tasks"), 1),
        (lambda who, task: who.api.get(f"/tasks?label_id={task['labels'][0]}&is_completed=false"), 1),
        (
            lambda who, task: who.api.get("/tasks?updated_since=2026-01-01T00:00:00Z&include_deleted=true"),
            1,
        ),
        (lambda who, task: who.api.get(f"/tasks/{task['id']}"), 1),
        # token, savepoint, project, last position, insert, release
        (lambda who, task: who.api.post("/tasks", {"title": "Dig"}), 6),
        # and which labels are there, and the insertion of theirs
        (lambda who, task: who.api.post("/tasks", {"title": "Dig", "labels": task["labels"]}), 8),
        (lambda who, task: who.api.post("/tasks", {"title": "Dig", "project_id": task["project_id"]}), 6),
        # token, savepoint, lock, labels, update, release
        (lambda who, task: who.api.patch(f"/tasks/{task['id']}", {"title": "Weed"}), 6),
        # token, read, savepoint, update, release
        (lambda who, task: who.api.post(f"/tasks/{task['id']}/complete"), 5),
    ],
)
def test_a_request_costs_few_statements(
    alice: Person,
    settings: Any,
    django_assert_num_queries: Callable[[int], Any],
    cost: tuple[Callable[[Person, dict[str, Any]], Any], int],
) -> None:
    settings.REQUESTS_PER_TOKEN = 0  # a lease of the limit is a statement in many requests
    make_request, statements = cost
    task = post_task(alice, labels=[make(alice, "labels", name="urgent")["id"]])
    post_task(alice)
    with django_assert_num_queries(statements):
        assert make_request(alice, task).status_code < 300


def test_an_id_is_the_same_in_capitals(alice: Person) -> None:
    id_ = str(uuid7())
    made = alice.api.put(f"/tasks/{id_.upper()}", {"title": "Dig"})
    assert (made.status_code, made.json()["id"]) == (201, id_)
    assert alice.api.get(f"/tasks/{id_}").json() == alice.api.get(f"/tasks/{id_.upper()}").json() == made.json()
