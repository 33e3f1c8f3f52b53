"""What is another person's is as if it did not exist: in a path, a body, a query string."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, post_task
from todo_project.db.rows import uuid7


@pytest.fixture
def hers(alice: Person) -> dict[str, str]:
    """One of each thing that is Alice's."""
    project = make_project(alice)
    section, label = make_section(alice, project), make(alice, "labels", name="urgent")
    task = post_task(alice, section_id=section["id"], labels=[label["id"]])
    rows = {"project_id": project, "section_id": section, "label_id": label, "parent_id": task}
    return {name: row["id"] for name, row in rows.items()}


def problem(answer: Any) -> tuple[int, Any]:
    body = answer.json()
    return answer.status_code, {
        name: value for name, value in body.items() if name not in ("request_id", "instance")
    }


def test_a_path_to_anothers_task_leads_nowhere(alice: Person, mallory: Person, hers: dict[str, str]) -> None:
    before = alice.api.get(f"/tasks/{hers['parent_id']}").json()
    for method, action, body in (
        ("GET", "", None),
        ("PUT", "", {"title": "Mine"}),
        ("PATCH", "", {"title": "Mine"}),
        ("DELETE", "", None),
        ("POST", "/complete", None),
        ("POST", "/reopen", None),
        ("POST", "/move", {}),
        ("POST", "/restore", None),
    ):
        answer = mallory.api.request(method, f"/tasks/{hers['parent_id']}{action}", body)
        assert answer.status_code == 404, (method, action)
        if method != "PUT":  # of an id that is free it makes the task
            nowhere = mallory.api.request(method, f"/tasks/{uuid7()}{action}", body)
            assert problem(answer) == problem(nowhere)
    assert alice.api.get(f"/tasks/{hers['parent_id']}").json() == before


@pytest.mark.parametrize("name", ["project_id", "section_id", "parent_id", "label_id", "before", "after"])
def test_an_id_in_a_body_tells_nothing(mallory: Person, hers: dict[str, str], name: str) -> None:
    task = post_task(mallory)

    def answers(id_: str) -> list[tuple[int, Any]]:
        if name in ("before", "after"):
            return [problem(mallory.api.post(f"/tasks/{task['id']}/move", {name: id_}))]
        body = {"labels": [id_]} if name == "label_id" else {name: id_}
        made = mallory.api.post("/tasks", {"title": "Mine", **body})
        put = mallory.api.put(f"/tasks/{uuid7()}", {"title": "Mine", **body})
        changed = mallory.api.patch(f"/tasks/{task['id']}", body)
        return [problem(made), problem(put), problem(changed)]

    of_hers = answers(hers.get(name, hers["parent_id"]))
    assert of_hers == answers(str(uuid7()))
    assert {status for status, _ in of_hers} == {400}
    assert len(mallory.api.get("/tasks").json()["results"]) == 1


def test_an_id_in_a_query_finds_nothing(mallory: Person, hers: dict[str, str]) -> None:
    for name, id_ in hers.items():
        answer = mallory.api.get(f"/tasks?{name}={id_}&include_deleted=true")
        assert answer.json() == {"results": [], "next_cursor": None}


def test_a_cursor_of_anothers_list_shows_ones_own(alice: Person, mallory: Person) -> None:
    for who in (alice, mallory):
        for _ in range(2):
            post_task(who)
    cursor = alice.api.get("/tasks?limit=1").json()["next_cursor"]
    mine = {task["id"] for task in mallory.api.get("/tasks").json()["results"]}
    found = mallory.api.get(f"/tasks?cursor={cursor}").json()["results"]
    assert {task["id"] for task in found} <= mine
