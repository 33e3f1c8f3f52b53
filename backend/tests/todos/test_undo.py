"""POST /undo: takes back one change or one request, or says what stands in the way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, post_task, share
from tests.todos.test_activity import activity
from todo_project.db.rows import uuid7
from todo_project.todos.models import Change, Role, Task

pytestmark = pytest.mark.django_db(transaction=True)


def last_change(object_id: str, **fields: Any) -> int:
    rows = Change.objects.filter(object_id=object_id, has_left=False, **fields).for_people()
    return int(rows.newest_first()[0].id)


def undo(who: Person, **body: Any) -> Any:
    answer = who.api.post("/undo", body)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def why_not(who: Person, **body: Any) -> str:
    answer = who.api.post("/undo", body)
    assert answer.status_code == 409, answer.content
    assert answer.json()["type"] == "urn:todo:problem:cannot_undo"
    return str(answer.json()["detail"])


def without_times(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "updated_at"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"title": "Dig"}, {"title": "Weed", "priority": 4, "description": "All of it"}),
        ({"due": None}, {"due": {"date": "2026-12-01"}}),
        ({"due": {"date": "2026-12-01"}}, {"due": {"at": "2026-12-01T08:00:00Z", "time_zone": "Europe/Berlin"}}),
        ({"due": {"at": "2026-12-01T08:00:00Z", "time_zone": "Europe/Berlin"}}, {"due": None}),
        (
            {"start": {"date": "2026-12-01"}, "recurrence": {"rule": "FREQ=DAILY", "mode": "schedule"}},
            {"recurrence": {"rule": "FREQ=DAILY", "mode": "completion", "excluded_dates": ["2026-12-02"]}},
        ),
        (
            {"start": {"date": "2026-12-01"}, "recurrence": {"rule": "FREQ=DAILY", "mode": "schedule"}},
            {"recurrence": None},
        ),
        ({"reminders": [{"at": "2026-12-01T08:00:00Z"}]}, {"reminders": []}),
    ],
)
def test_an_update_and_its_undo_are_undone(alice: Person, before: dict[str, Any], after: dict[str, Any]) -> None:
    task = post_task(alice, **before)
    changed = alice.api.patch(f"/tasks/{task['id']}", after).json()
    (undone,) = undo(alice, change_id=last_change(task["id"]))
    assert (undone["kind"], undone["id"], undone["action"]) == ("task", task["id"], "upserted")
    assert without_times(undone["data"]) == without_times(task)
    (again,) = undo(alice, change_id=last_change(task["id"]))
    assert without_times(again["data"]) == without_times(changed)


def test_what_is_in_the_trash_already_stays_there(alice: Person) -> None:
    task = post_task(alice)
    created = last_change(task["id"])
    alice.api.delete(f"/tasks/{task['id']}")
    trashed = last_change(task["id"])
    assert undo(alice, change_id=created) == [{"kind": "task", "id": task["id"], "action": "deleted", "data": None}]
    assert last_change(task["id"]) == trashed


def test_labels_go_back(alice: Person) -> None:
    one, other, third = (make(alice, "labels", name=name)["id"] for name in ("one", "other", "third"))
    task = post_task(alice, labels=[one])
    request = alice.api.patch(f"/tasks/{task['id']}", {"labels": [other]})["X-Request-ID"]
    alice.api.patch(f"/tasks/{task['id']}", {"labels": sorted([other, third])})
    (undone,) = undo(alice, request_id=request)
    assert undone["data"]["labels"] == sorted([one, third])
    assert "`labels`" in why_not(alice, request_id=request)


@pytest.mark.parametrize("kind", ["projects", "sections", "tasks", "labels"])
def test_what_was_created_goes_to_the_trash_and_back(alice: Person, kind: str) -> None:
    project = make_project(alice)
    bodies: dict[str, dict[str, Any]] = {
        "projects": {"name": "New"},
        "sections": {"name": "New", "project_id": project["id"]},
        "tasks": {"title": "New"},
        "labels": {"name": "New"},
    }
    row = make(alice, kind, **bodies[kind])
    assert [each["action"] for each in undo(alice, change_id=last_change(row["id"]))] == ["deleted"]
    assert alice.api.get(f"/{kind}/{row['id']}").status_code == 404
    (restored,) = undo(alice, change_id=last_change(row["id"]))
    assert without_times(restored["data"]) == without_times(row)


def test_a_trashed_project_comes_back_whole(alice: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    task = post_task(alice, section_id=section["id"])
    request = alice.api.delete(f"/projects/{project['id']}")["X-Request-ID"]
    found = undo(alice, request_id=request)
    assert {(each["id"], each["action"]) for each in found} == {
        (row["id"], "upserted") for row in (project, section, task)
    }


def test_a_task_moves_back(alice: Person) -> None:
    here, there = make_project(alice), make_project(alice)
    section = make_section(alice, here)
    task = post_task(alice, section_id=section["id"])
    alice.api.patch(f"/tasks/{task['id']}", {"project_id": there["id"]})
    (undone,) = undo(alice, change_id=last_change(task["id"]))
    assert without_times(undone["data"]) == without_times(task)


@pytest.mark.parametrize("reordered", [False, True])
@pytest.mark.parametrize(("kind", "values"), [("tasks", {"title": "Dig"}), ("sections", {"name": "Spring"})])
def test_a_thing_that_kept_its_position_elsewhere_moves_back_to_it(
    alice: Person, kind: str, values: dict[str, Any], reordered: bool
) -> None:
    here, there = make_project(alice), make_project(alice)
    first, _ = (make(alice, kind, project_id=here["id"], **values) for _ in range(2))
    moved = alice.api.patch(f"/{kind}/{first['id']}", {"project_id": there["id"]}).json()
    assert moved["position"] == first["position"]
    change = last_change(first["id"])
    if reordered:
        alice.api.patch(f"/{kind}/{first['id']}", {"position": "z"})
    (undone,) = undo(alice, change_id=change)
    assert undone["data"]["position"] == first["position"]


def test_a_completion_is_undone_with_the_next_task(alice: Person) -> None:
    task = post_task(alice, due={"date": "2026-12-01"}, recurrence={"rule": "FREQ=DAILY"})
    answer = alice.api.post(f"/tasks/{task['id']}/complete")
    found = {each["id"]: each for each in undo(alice, request_id=answer["X-Request-ID"])}
    assert found[task["id"]]["data"]["completed_at"] is None
    assert found[answer.json()["next_task_id"]]["data"] is None


def test_a_later_change_of_the_field_stands_in_the_way_and_another_does_not(alice: Person) -> None:
    task = post_task(alice, title="Dig")
    alice.api.patch(f"/tasks/{task['id']}", {"title": "Weed"})
    change = last_change(task["id"])
    alice.api.patch(f"/tasks/{task['id']}", {"title": "Water", "priority": 2})
    later = last_change(task["id"])
    assert why_not(alice, change_id=change) == (
        f"`title` of the task {task['id']} was changed later by the change {later}. Undo that one first."
    )
    undo(alice, change_id=later)
    (undone,) = undo(alice, change_id=change)
    assert undone["data"]["title"] == "Dig"


def test_what_stands_in_the_way_is_named(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    task = post_task(alice, project_id=project["id"])
    alice.api.patch(f"/tasks/{task['id']}", {"title": "Weed"})
    change = last_change(task["id"])
    alice.api.delete(f"/tasks/{task['id']}")
    assert "is in the trash" in why_not(alice, change_id=change)
    alice.api.delete(f"/projects/{project['id']}")
    assert project["id"] in alice.api.post("/undo", {"change_id": last_change(task["id"])}).json()["detail"]
    Task.objects.filter(id=task["id"]).delete()
    assert "is not there any more" in why_not(alice, change_id=change)
    share(shared := make_project(alice), bob)
    assert "member" in why_not(alice, change_id=last_change(str(bob.user.id)))
    section = make_section(alice, shared)
    moved = post_task(alice, section_id=section["id"])
    alice.api.patch(f"/tasks/{moved['id']}", {"section_id": None})
    alice.api.delete(f"/sections/{section['id']}")
    assert "cannot be changed back" in why_not(alice, change_id=last_change(moved["id"]))


def test_one_obstacle_keeps_the_whole_request(alice: Person) -> None:
    ids = [str(uuid7()) for _ in range(2)]
    tasks = [post_task(alice, title=title)["id"] for title in ("Dig", "Weed")]
    body = {
        "atomic": True,
        "operations": [
            {"method": "PATCH", "path": f"/tasks/{task}", "body": {"title": f"New {id_}"}}
            for task, id_ in zip(tasks, ids, strict=True)
        ],
    }
    request = alice.api.post("/batch", body)["X-Request-ID"]
    alice.api.patch(f"/tasks/{tasks[0]}", {"title": "Newer"})
    assert "was changed later" in why_not(alice, request_id=request)
    assert alice.api.get(f"/tasks/{tasks[1]}").json()["title"].startswith("New ")
    undo(alice, change_id=last_change(tasks[0]))
    assert {each["data"]["title"] for each in undo(alice, request_id=request)} == {"Dig", "Weed"}


def test_it_takes_the_role_of_an_editor(alice: Person, bob: Person, mallory: Person) -> None:
    project = make_project(alice)
    share(project, bob)
    task = post_task(alice, project_id=project["id"], title="Dig")
    answer = alice.api.patch(f"/tasks/{task['id']}", {"title": "Weed"})
    (row, *_) = activity(bob, f"/tasks/{task['id']}")
    assert bob.api.post("/undo", {"change_id": row["id"]}).status_code == 403
    assert mallory.api.post("/undo", {"change_id": row["id"]}).status_code == 404
    assert mallory.api.post("/undo", {"change_id": 2**63 - 1}).status_code == 404
    assert bob.api.post("/undo", {"request_id": answer["X-Request-ID"]}).status_code == 404
    share(project, bob, Role.EDITOR)
    (undone,) = undo(bob, change_id=row["id"])
    assert undone["data"]["title"] == "Dig"
    assert activity(alice, f"/tasks/{task['id']}")[0]["actor_id"] == str(bob.user.id)


@pytest.mark.parametrize("body", [{}, {"change_id": 1, "request_id": "x"}, {"change_id": "1"}, {"change_id": 0}])
def test_it_takes_one_of_two_names(alice: Person, body: dict[str, Any]) -> None:
    assert alice.api.post("/undo", body).status_code == 400


def test_the_last_task_of_a_series_gets_its_recurrence_back(alice: Person) -> None:
    rule = {"rule": "FREQ=DAILY;UNTIL=29991201", "mode": "schedule"}
    task = post_task(alice, due={"date": "2999-11-30"}, recurrence=rule)
    path = f"/tasks/{task['id']}"
    alice.api.patch(path, {"due": {"date": "2999-12-01"}})
    alice.api.patch(path, {"recurrence": None})
    assert alice.api.patch(path, {"recurrence": rule}).status_code == 400
    undo(alice, change_id=last_change(task["id"]))
    assert alice.api.get(path).json()["recurrence"] == rule
