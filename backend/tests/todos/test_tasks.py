"""Tasks over the API: what goes in comes back, and what cannot be is named."""

from __future__ import annotations

from typing import Any

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section

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


def make_task(who: Person, **values: Any) -> dict[str, Any]:
    return make(who, "tasks", **{"title": "Dig"} | values)


def test_a_task_comes_back_as_it_was_made(alice: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    labels = sorted(make(alice, "labels", name=name)["id"] for name in ("garden", "winter"))
    parent = make_task(alice, project_id=project["id"], section_id=section["id"])
    answer = alice.api.post("/tasks", {**FULL, "parent_id": parent["id"], "labels": labels[::-1], "position": "x1"})
    assert answer.status_code == 201
    made = answer.json()
    assert made == {
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
    first, second = make_task(alice), make_task(alice)
    assert inbox["is_inbox"]
    assert first["project_id"] == inbox["id"]
    assert first["position"] < second["position"]
    assert (first["labels"], first["due"], first["recurrence"], first["reminders"]) == ([], None, None, [])
