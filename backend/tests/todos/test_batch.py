"""Many writes in one request."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError

from tests.conftest import Person
from tests.todos.stories import make, make_project, pointers, post_task
from todo_project.db.rows import uuid7
from todo_project.todos.api.views import batch as view
from todo_project.todos.models import Task


def run(who: Person, *operations: dict[str, Any], atomic: bool = False, **extra: Any) -> Any:
    """Send a batch."""
    return who.api.post("/batch", {"atomic": atomic, "operations": list(operations)}, **extra)


def create(title: str, **values: Any) -> dict[str, Any]:
    """Return the operation that creates a task."""
    return {"method": "POST", "path": "/tasks", "body": {"title": title, **values}}


def results(answer: Any) -> list[dict[str, Any]]:
    """Return the results of a batch that ran."""
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def statuses(answer: Any) -> list[int]:
    """Return the status of each operation."""
    return [each["status"] for each in results(answer)]


def test_each_operation_gets_the_response_that_it_would_get_alone(alice: Person) -> None:
    task = post_task(alice)
    answer = run(
        alice,
        {"method": "PATCH", "path": f"/tasks/{task['id']}", "body": {"title": "Water"}},
        {"method": "POST", "path": f"/api/v1/tasks/{task['id']}/complete"},
        {"method": "DELETE", "path": f"/tasks/{task['id']}"},
        {"method": "POST", "path": f"/tasks/{task['id']}/restore", "body": {}},
        {"method": "POST", "path": "/labels", "body": {"name": "home"}},
    )
    changed, completed, deleted, restored, label = results(answer)
    assert [each["status"] for each in results(answer)] == [200, 200, 204, 200, 201]
    assert changed["body"]["title"] == "Water"
    assert completed["body"]["completed_at"]
    assert deleted == {"status": 204, "body": None, "etag": None}
    again = alice.api.get(f"/tasks/{task['id']}")
    assert restored == {"status": 200, "body": again.json(), "etag": again["ETag"]}
    assert alice.api.get(f"/labels/{label['body']['id']}").json() == label["body"]


def test_later_operations_use_ids_of_earlier_ones(alice: Person) -> None:
    project, parent, child = (str(uuid7()) for _ in range(3))
    answer = run(
        alice,
        {"method": "PUT", "path": f"/projects/{project}", "body": {"name": "Trip"}},
        {"method": "PUT", "path": f"/tasks/{parent}", "body": {"title": "Pack", "project_id": project}},
        {"method": "PUT", "path": f"/tasks/{child}", "body": {"title": "Passport", "parent_id": parent}},
        atomic=True,
    )
    assert statuses(answer) == [201, 201, 201]
    assert alice.api.get(f"/tasks/{child}").json()["project_id"] == project
    # an offline client sends it again
    assert statuses(run(alice, {"method": "PUT", "path": f"/tasks/{child}", "body": {"title": "Passport"}})) == [
        200
    ]


def test_without_atomic_the_others_succeed(alice: Person) -> None:
    answer = run(alice, create("first"), create(""), create("third"))
    assert statuses(answer) == [201, 400, 201]
    problem = results(answer)[1]["body"]
    assert problem["errors"][0]["pointer"] == "/title"
    assert problem["request_id"] == answer["X-Request-ID"]
    assert problem["instance"] == "/api/v1/tasks"


@pytest.mark.parametrize(
    ("failing", "status", "pointer"),
    [
        (create("", priority=9), 400, "/operations/1/body/priority"),
        ({"method": "DELETE", "path": f"/tasks/{uuid7()}"}, 404, "/operations/1"),
        ({"method": "POST", "path": "/labels", "body": {"name": "Home"}}, 409, "/operations/1"),
    ],
)
def test_an_atomic_batch_changes_all_or_nothing(
    alice: Person, failing: dict[str, Any], status: int, pointer: str
) -> None:
    make(alice, "labels", name="home")
    answer = run(alice, create("first"), failing, create("third"), atomic=True)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["instance"] == "/api/v1/batch"
    assert problem["detail"].startswith("Operation 1 failed, so nothing was changed: ")
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert not Task.objects.exists()


def test_if_match_refuses_a_stale_write(alice: Person) -> None:
    task = post_task(alice)
    tag = alice.api.get(f"/tasks/{task['id']}")["ETag"]
    change = {"method": "PATCH", "path": f"/tasks/{task['id']}", "body": {"title": "Water"}, "if_match": tag}
    assert statuses(run(alice, change, change | {"body": {"title": "Weed"}})) == [200, 412]
    stale = run(alice, create("first"), change, atomic=True)
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:todo:problem:stale_version")
    assert Task.objects.count() == 1


def test_a_repeated_batch_runs_once(alice: Person) -> None:
    key = {"Idempotency-Key": "sync-1"}
    first = run(alice, create("first"), create(""), headers=key)
    again = run(alice, create("first"), create(""), headers=key)
    assert again["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert Task.objects.count() == 1
    assert run(alice, create("other"), headers=key).status_code == 422


def test_a_failed_atomic_batch_leaves_its_key_free(alice: Person) -> None:
    key = {"Idempotency-Key": "sync-1"}
    missing = str(uuid7())
    under = create("under", parent_id=missing)
    assert run(alice, under, atomic=True, headers=key).status_code == 400
    alice.api.put(f"/tasks/{missing}", {"title": "Pack"})
    assert statuses(run(alice, under, atomic=True, headers=key)) == [201]


@pytest.mark.parametrize(
    ("operation", "pointer"),
    [
        ({"method": "GET", "path": "/tasks"}, "/operations/0/method"),
        ({"method": "POST"}, "/operations/0/path"),
        ({"method": "POST", "path": "/tasks", "body": [1]}, "/operations/0/body"),
        ({"method": "POST", "path": "/tasks", "boddy": {}}, "/operations/0/boddy"),
        ({"method": "POST", "path": "/tasks", "if_match": 7}, "/operations/0/if_match"),
        (3, "/operations/0"),
    ],
)
def test_a_malformed_operation_is_refused_before_any_runs(alice: Person, operation: Any, pointer: str) -> None:
    assert pointers(run(alice, operation)) == [pointer]
    answer = alice.api.post("/batch", {"operations": [create("first"), operation]})
    assert pointers(answer) == [pointer.replace("/0", "/1")]
    assert not Task.objects.exists()


@pytest.mark.parametrize("operations", [None, {}, "x", []])
def test_the_operations_are_a_list_with_an_entry(alice: Person, operations: Any) -> None:
    answer = alice.api.post("/batch", {"operations": operations})
    assert pointers(answer) == ["/operations"]


def test_the_number_of_operations_is_limited(alice: Person, settings: Any) -> None:
    settings.BATCH_SIZE_MAX = 3
    assert pointers(run(alice, *[create("x")] * 4)) == ["/operations"]
    assert statuses(run(alice, *[create("x")] * 3)) == [201, 201, 201]


def test_only_rows_can_be_written(alice: Person) -> None:
    others = (
        "/batch",
        "/tokens",
        "/auth/register",
        "/imports/ics",
        "/api/v2/tasks",
        "tasks",
        "/tasks?x=1",
        "/nul\0",
    )
    for path in others[:-1]:
        assert statuses(run(alice, {"method": "POST", "path": path, "body": {}})) == [404], path
    assert pointers(run(alice, {"method": "POST", "path": others[-1]})) == ["/operations/0/path"]
    assert statuses(run(alice, {"method": "PUT", "path": "/tasks", "body": {}})) == [405]


@pytest.mark.parametrize("is_atomic", [True, False])
def test_what_locks_other_trees_runs_alone(alice: Person, is_atomic: bool) -> None:
    project, person = make_project(alice)["id"], uuid7()
    paths = (
        "/undo",
        f"/projects/{project}/transfer",
        f"/projects/{project}/members/{person}",
        *(f"/invitations/{person}{answer}" for answer in ("", "/accept", "/decline")),
    )
    for path in paths:
        extra = {"atomic": True} if is_atomic else {"headers": {"Idempotency-Key": path}}
        refused = run(alice, {"method": "POST", "path": path, "body": {}}, **extra)
        problem = refused.json() if is_atomic else results(refused)[0]["body"]
        assert problem["status"] == 404
        assert "by itself" in problem["detail"], path


def test_strangers_rows_do_not_exist(alice: Person, mallory: Person) -> None:
    task, project = post_task(alice), make_project(alice)
    missing = str(uuid7())
    for id_ in (task["id"], missing):
        (result,) = results(run(mallory, {"method": "PATCH", "path": f"/tasks/{id_}", "body": {"title": "x"}}))
        assert result["status"] == 404
    inside = results(run(mallory, create("x", project_id=project["id"]), create("x", project_id=missing)))
    assert inside[0]["body"]["errors"] == inside[1]["body"]["errors"]


def test_the_token_needs_the_scope(person: Callable[..., Person]) -> None:
    reader = person("reader", scopes=("read",))
    assert run(reader, create("x")).status_code == 403
    assert reader.api.post("/batch", {"operations": []}).status_code == 403


def test_each_operation_counts_as_a_request(alice: Person, settings: Any) -> None:
    settings.REQUESTS_PER_TOKEN = 10
    statuses(run(alice, *[create("x")] * 6))
    refused = run(alice, *[create("x")] * 6)
    assert refused.status_code == 429
    assert refused["Retry-After"]
    assert Task.objects.count() == 6


def test_a_batch_that_takes_too_long_says_what_did_not_run(alice: Person) -> None:
    clock = iter([0.0, 1.0, view.SECONDS_MAX + 1])
    with mock.patch.object(view, "time", mock.Mock(spec=time, monotonic=lambda: next(clock))):
        answer = run(alice, create("first"), create("second"))
    assert statuses(answer) == [201, 503]
    assert [task.title for task in Task.objects.all()] == ["first"]


def test_an_outage_is_not_kept_as_the_result_of_a_key(alice: Person) -> None:
    broken = mock.patch("todo_project.todos.services.tasks.create_task", side_effect=OperationalError)
    with broken:
        assert statuses(run(alice, create("first"))) == [503]
        answer = run(alice, {"method": "POST", "path": "/labels", "body": {"name": "home"}}, create("first"),
                     headers={"Idempotency-Key": "sync-1"})  # fmt: skip
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert alice.api.get("/labels").json()["results"] == []
    assert statuses(run(alice, create("first"), headers={"Idempotency-Key": "sync-1"})) == [201]


def test_a_session_needs_its_csrf_token_once(alice: Person) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(alice.user)
    body = {"operations": [create("first"), create("second")]}
    assert client.post("/api/v1/batch", body, content_type="application/json").status_code == 403
    token = client.get("/api/v1/auth/csrf").json()["csrf_token"]
    answer = client.post("/api/v1/batch", body, content_type="application/json", headers={"X-CSRFToken": token})
    assert statuses(answer) == [201, 201]
