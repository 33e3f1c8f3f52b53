"""What sections alone have: a project, into another of which they take their tasks along."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import make_project, make_section, make_task
from todo_project.db.rows import uuid7


def test_a_list_can_be_narrowed_to_a_project(alice: Person, bob: Person) -> None:
    here, there = make_project(alice), make_project(alice)
    section = make_section(alice, here)
    make_section(alice, there)
    path = f"/sections?project_id={here['id']}"
    assert [each["id"] for each in alice.api.get(path).json()["results"]] == [section["id"]]
    page = alice.api.get(f"{path}&limit=1&updated_since=2020-01-01T00:00:00Z").json()
    assert [each["id"] for each in page["results"]] == [section["id"]]
    assert bob.api.get(path).json()["results"] == []
    assert alice.api.get("/sections?project_id=x").status_code == 400


def test_a_project_is_ones_own_and_alive(alice: Person, bob: Person) -> None:
    trashed, section = make_project(alice), make_section(alice, make_project(alice))
    alice.api.delete(f"/projects/{trashed['id']}")
    for project_id in (make_project(bob)["id"], trashed["id"], str(uuid7())):
        made = alice.api.post("/sections", {"name": "x", "project_id": project_id})
        moved = alice.api.patch(f"/sections/{section['id']}", {"project_id": project_id})
        for answer in (made, moved):
            assert answer.status_code == 400
            assert answer.json()["errors"][0]["pointer"] == "/project_id"


@pytest.mark.parametrize("project_id", [None, 5, "x"])
def test_a_section_is_in_a_project(alice: Person, project_id: Any) -> None:
    answer = alice.api.post("/sections", {"name": "x", "project_id": project_id})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/project_id"]


def test_a_section_that_moves_takes_its_tasks_along(alice: Person) -> None:
    here, there = make_project(alice), make_project(alice)
    section, other = make_section(alice, here), make_section(alice, there)
    task = make_task(alice, project_id=here["id"], section_id=section["id"])
    trashed = make_task(alice, project_id=here["id"], section_id=section["id"], deleted_at=timezone.now())
    moved = alice.api.patch(f"/sections/{section['id']}", {"project_id": there["id"]}).json()
    assert moved["project_id"] == there["id"]
    assert moved["position"] > other["position"]
    for each in (task, trashed):
        each.refresh_from_db()
        assert str(each.project_id) == there["id"]
        assert each.version == 2


def test_a_section_does_not_bring_a_task_that_is_there_already(alice: Person) -> None:
    here, there = make_project(alice), make_project(alice)
    section = make_section(alice, here)
    make_task(alice, project_id=here["id"], section_id=section["id"], uid="imported-once")
    make_task(alice, project_id=there["id"], uid="imported-once")
    answer = alice.api.patch(f"/sections/{section['id']}", {"project_id": there["id"]})
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:todo:problem:task_exists_again"
