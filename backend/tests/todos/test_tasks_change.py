"""Changing, replacing and moving tasks: what is absent stays, who is late is told so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, make_task, pointers, post_task, updated
from tests.todos.test_tasks import FULL
from todo_project.db.rows import uuid7
from todo_project.todos.models import Task


def get(who: Person, task: dict[str, Any]) -> dict[str, Any]:
    answer = who.api.get(f"/tasks/{task['id']}")
    assert answer.status_code == 200
    return answer.json()  # type: ignore[no-any-return]


def patch(who: Person, task: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = who.api.patch(f"/tasks/{task['id']}", changes)
    assert answer.status_code == 200, answer.content
    assert answer.json() == get(who, task)
    return answer.json()  # type: ignore[no-any-return]


def order(who: Person, project: dict[str, Any]) -> list[str]:
    tasks = who.api.get(f"/tasks?project_id={project['id']}").json()["results"]
    return [task["title"] for task in sorted(tasks, key=lambda task: task["position"])]


@pytest.mark.parametrize("name", sorted({*FULL, "labels"}))
def test_a_patch_changes_what_it_names_and_nothing_else(alice: Person, name: str) -> None:
    labels = [make(alice, "labels", name="urgent")["id"]]
    task, full = post_task(alice, **FULL, labels=labels), {**FULL, "labels": labels}
    if name == "title":
        changed = patch(alice, task, title="Weed")
        assert changed == {**task, "title": "Weed", "updated_at": changed["updated_at"]}
        return
    empty: Any = {"priority": 0, "description": "", "labels": [], "reminders": []}.get(name)
    if name in ("due", "start"):  # reminders count from them
        empty = {"date": "2026-12-24"}
    changed = patch(alice, task, **{name: empty})
    assert changed == {**task, name: empty, "updated_at": changed["updated_at"]}
    assert updated(changed) > updated(task)
    back = patch(alice, task, **{name: full[name]})
    assert back == {**task, "updated_at": back["updated_at"]}


@pytest.mark.parametrize(
    ("name", "value", "nothing"),
    [
        ("description", "Deep", ""),
        ("priority", 3, 0),
        ("labels", "one", []),
        ("reminders", [{"at": "2026-11-30T09:00:00Z"}], []),
        ("due", {"date": "2026-11-30"}, None),
    ],
)
def test_null_in_a_patch_clears(alice: Person, name: str, value: Any, nothing: Any) -> None:
    value = [make(alice, "labels", name="urgent")["id"]] if value == "one" else value
    task = post_task(alice, **{name: value})
    answer = alice.api.patch(f"/tasks/{task['id']}", {name: None})
    assert (answer.status_code, answer.json()[name]) == (200, nothing)
    assert pointers(alice.api.patch(f"/tasks/{task['id']}", {"title": None})) == ["/title"]


def test_a_patch_may_be_called_a_merge_patch(alice: Person) -> None:
    task = post_task(alice)
    answer = alice.api.patch(f"/tasks/{task['id']}", {"priority": 2}, content_type="application/merge-patch+json")
    assert (answer.status_code, answer.json()["priority"]) == (200, 2)


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({"at": "2026-12-01T01:00:00Z"}, {"at": "2026-12-01T01:00:00Z", "time_zone": "Asia/Shanghai"}),
        ({"time_zone": "Europe/Paris"}, {"at": "2026-11-30T09:00:00Z", "time_zone": "Europe/Paris"}),
        ({"time_zone": None}, {"at": "2026-11-30T09:00:00Z", "time_zone": None}),
        ({"date": "2026-12-01"}, {"date": "2026-12-01"}),
        ({"date": "2026-12-01", "at": None, "time_zone": None}, {"date": "2026-12-01"}),
        (
            {"date": None, "at": "2026-12-01T01:00:00Z"},
            {"at": "2026-12-01T01:00:00Z", "time_zone": "Asia/Shanghai"},
        ),
        (None, None),
    ],
)
def test_a_moment_is_merged_with_what_was(alice: Person, change: Any, result: Any) -> None:
    task = post_task(alice, due=FULL["due"])
    assert patch(alice, task, due=change)["due"] == result


@pytest.mark.parametrize(
    "change",
    [{"date": None, "at": None}, {"at": None}, {"date": None}, {"at": None, "time_zone": "Europe/Paris"}, {}],
)
def test_a_moment_without_date_and_time_is_refused(alice: Person, change: Any) -> None:
    task = post_task(alice, due=FULL["due"])
    answer = alice.api.patch(f"/tasks/{task['id']}", {"due": change})
    assert pointers(answer) == ["/due"]
    assert "null" in answer.json()["errors"][0]["detail"]
    assert get(alice, task) == task


@pytest.mark.parametrize("name", ["due", "start"])
def test_what_a_reminder_counts_from_cannot_be_removed_without_it(alice: Person, name: str) -> None:
    reminders = [{"at": "2026-11-30T08:00:00Z"}, {"offset_seconds": -60, "relative_to": name}]
    task = post_task(alice, **{name: {"date": "2026-11-30"}}, reminders=reminders)
    path = f"/tasks/{task['id']}"
    assert pointers(alice.api.patch(path, {name: None})) == ["/reminders/1/relative_to"]
    assert pointers(alice.api.put(path, {"title": "Dig", "reminders": reminders})) == ["/reminders/1/relative_to"]
    assert get(alice, task) == task
    assert patch(alice, task, **{name: None, "reminders": reminders[:1]})["reminders"] == reminders[:1]
    assert pointers(alice.api.patch(path, {"reminders": reminders})) == ["/reminders/1/relative_to"]


def test_a_zone_needs_a_time_to_be_merged_with(alice: Person) -> None:
    task = post_task(alice, due={"date": "2026-11-30"})
    assert pointers(alice.api.patch(f"/tasks/{task['id']}", {"due": {"time_zone": "Europe/Paris"}})) == ["/due/at"]


def test_a_recurrence_is_merged_with_what_was(alice: Person) -> None:
    task = post_task(alice, due={"date": "2026-11-30"}, recurrence={"rule": "FREQ=DAILY", "mode": "completion"})
    weekly = {"rule": "FREQ=WEEKLY", "mode": "completion"}
    assert patch(alice, task, recurrence={"rule": "FREQ=WEEKLY"})["recurrence"] == weekly
    assert patch(alice, task, recurrence={"mode": "schedule"})["recurrence"]["rule"] == "FREQ=WEEKLY"
    assert pointers(alice.api.patch(f"/tasks/{task['id']}", {"due": None})) == ["/recurrence"]
    assert patch(alice, task, due=None, recurrence=None)["recurrence"] is None
    assert pointers(alice.api.patch(f"/tasks/{task['id']}", {"recurrence": {"mode": "schedule"}})) == [
        "/recurrence/rule"
    ]


def test_what_is_so_already_stays_the_version_that_it_is(alice: Person) -> None:
    task = post_task(alice, **FULL)
    before = alice.api.get(f"/tasks/{task['id']}")
    for body in ({}, FULL, {"project_id": task["project_id"], "parent_id": None, "section_id": None}):
        after = alice.api.patch(f"/tasks/{task['id']}", body)
        assert (after.status_code, after["ETag"], after.json()) == (200, before["ETag"], task)


def test_who_has_read_an_older_version_changes_nothing(alice: Person) -> None:
    task = post_task(alice)
    path = f"/tasks/{task['id']}"
    old = {"If-Match": alice.api.get(path)["ETag"]}
    assert alice.api.patch(path, {"title": "Weed"}, headers=old).status_code == 200
    assert alice.api.patch(path, {"title": "Rake"}, headers=old).status_code == 412
    assert alice.api.put(path, {"title": "Rake"}, headers=old).status_code == 412
    assert alice.api.delete(path, headers=old).status_code == 412
    for action in ("complete", "reopen", "move", "restore"):
        assert alice.api.post(f"{path}/{action}", headers=old).status_code == 412
    current = alice.api.get(path)["ETag"]
    for tag in ('"nonsense"', f'{current.split("-")[0]}-zz"', f'{current.split("-")[0]}"', f"W/{current}"):
        assert alice.api.patch(path, {"title": "Rake"}, headers={"If-Match": tag}).status_code == 412
    assert get(alice, task)["title"] == "Weed"
    assert alice.api.patch(path, {"title": "Rake"}, headers={"If-Match": "*"}).status_code == 200


def test_the_client_chooses_an_id_once(alice: Person) -> None:
    id_ = str(uuid7())
    body = {"title": "Dig", "due": {"date": "2026-11-30"}}
    made = alice.api.put(f"/tasks/{id_}", body)
    assert (made.status_code, made["Location"], made.json()["id"]) == (201, f"/api/v1/tasks/{id_}", id_)
    again = alice.api.put(f"/tasks/{id_}", body)
    assert (again.status_code, again.json(), again["ETag"]) == (200, made.json(), made["ETag"])
    new_only = alice.api.put(f"/tasks/{id_}", body, headers={"If-None-Match": "*"})
    assert new_only.status_code == 412
    there_only = alice.api.put(f"/tasks/{uuid7()}", body, headers={"If-Match": made["ETag"]})
    assert there_only.status_code == 412
    assert Task.objects.count() == 1


def test_a_put_replaces_all_but_the_position(alice: Person) -> None:
    project = make_project(alice)
    label, parent = make(alice, "labels", name="urgent"), post_task(alice, project_id=project["id"])
    task = post_task(alice, **FULL, project_id=project["id"], labels=[label["id"]], parent_id=parent["id"])
    kept = {"project_id": project["id"], "title": "Weed"}
    replaced = alice.api.put(f"/tasks/{task['id']}", kept)
    assert replaced.status_code == 200
    nothing = dict.fromkeys(("due", "start", "deadline", "recurrence", "parent_id"))
    assert replaced.json() == {
        **task,
        **nothing,
        **kept,
        "description": "",
        "priority": 0,
        "labels": [],
        "reminders": [],
        "updated_at": replaced.json()["updated_at"],
    }
    inbox = post_task(alice)["project_id"]
    assert alice.api.put(f"/tasks/{task['id']}", {"title": "Weed"}).json()["project_id"] == inbox


@pytest.mark.parametrize("id_", ["c0ffee00-0000-4000-8000-000000000000", "00000000-0000-0000-0000-000000000000"])
def test_a_chosen_id_is_a_uuid_of_version_7(alice: Person, id_: str) -> None:
    assert alice.api.put(f"/tasks/{id_}", {"title": "Dig"}).status_code == 400


def test_an_id_in_the_trash_is_not_made_again(alice: Person) -> None:
    task = post_task(alice)
    alice.api.delete(f"/tasks/{task['id']}")
    assert alice.api.put(f"/tasks/{task['id']}", {"title": "Dig"}).status_code == 409
    assert alice.api.get(f"/tasks/{task['id']}").status_code == 404
    assert alice.api.patch(f"/tasks/{task['id']}", {"title": "Weed"}).status_code == 404


def test_a_parent_takes_its_subtasks_along(alice: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    parent = post_task(alice)
    child = post_task(alice, parent_id=parent["id"])
    grandchild = post_task(alice, parent_id=child["id"])
    patch(alice, parent, project_id=project["id"])
    assert {get(alice, task)["project_id"] for task in (parent, child, grandchild)} == {project["id"]}
    patch(alice, parent, section_id=section["id"])
    assert {get(alice, task)["section_id"] for task in (parent, child, grandchild)} == {section["id"]}
    assert get(alice, grandchild)["parent_id"] == child["id"]
    moved = patch(alice, child, project_id=None)
    assert (moved["parent_id"], moved["section_id"]) == (None, None)
    assert get(alice, grandchild)["project_id"] == moved["project_id"] != project["id"]


def test_a_new_parent_or_section_says_which_project(alice: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    parent = post_task(alice, section_id=section["id"])
    one, other = post_task(alice), post_task(alice)
    assert patch(alice, one, section_id=section["id"])["project_id"] == project["id"]
    changed = patch(alice, other, parent_id=parent["id"])
    assert (changed["project_id"], changed["section_id"]) == (project["id"], section["id"])
    assert patch(alice, other, parent_id=None)["section_id"] == section["id"]


def test_a_task_moves_beside_another_one(alice: Person) -> None:
    project = make_project(alice)
    tasks = {name: post_task(alice, title=name, project_id=project["id"]) for name in "abcd"}

    def move(name: str, **body: Any) -> None:
        answer = alice.api.post(f"/tasks/{tasks[name]['id']}/move", body)
        assert answer.status_code == 200, answer.content
        assert answer.json() == get(alice, tasks[name])

    move("d", before=tasks["b"]["id"])
    assert order(alice, project) == ["a", "d", "b", "c"]
    move("a", after=tasks["b"]["id"])
    assert order(alice, project) == ["d", "b", "a", "c"]
    move("c", before=tasks["d"]["id"])
    assert order(alice, project) == ["c", "d", "b", "a"]
    move("d")
    assert order(alice, project) == ["c", "b", "a", "d"]


def test_there_is_room_before_the_first_number_of_all(alice: Person) -> None:
    project = make_project(alice)
    first = post_task(alice, title="first", project_id=project["id"], position="00000001")
    new = post_task(alice, title="new", project_id=project["id"])
    answer = alice.api.post(f"/tasks/{new['id']}/move", {"before": first["id"]})
    assert answer.status_code == 200, answer.content
    assert order(alice, project) == ["new", "first"]


def test_the_neighbour_gives_the_place(alice: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    parent = post_task(alice, section_id=section["id"])
    child = post_task(alice, parent_id=parent["id"])
    task = post_task(alice)
    moved = alice.api.post(f"/tasks/{task['id']}/move", {"before": child["id"]}).json()
    assert (moved["project_id"], moved["section_id"], moved["parent_id"]) == (
        project["id"],
        section["id"],
        parent["id"],
    )
    assert moved["position"] < child["position"]


@pytest.mark.parametrize("positions", [("a", "a", "a"), ("y", "y" * 99 + "z", "y" * 98 + "z")])
def test_room_is_made_where_there_is_none(alice: Person, positions: tuple[str, ...]) -> None:
    project = make_project(alice)
    first, second, third = (
        make_task(alice, title=str(n), project_id=project["id"], position=position)
        for n, position in enumerate(positions)
    )
    mover = post_task(alice, title="new", project_id=project["id"], position="b")
    for neighbour, expected in ((first, "0n12"), (second, "01n2"), (third, "012n")):
        body = {"after": str(neighbour.id)}
        assert alice.api.post(f"/tasks/{mover['id']}/move", body).status_code == 200
        assert "".join(title[0] for title in order(alice, project)) == expected
    assert all(len(task.position) <= 100 for task in Task.objects.all())


def test_refusals_name_the_resource_and_what_to_do(alice: Person) -> None:
    there = make_project(alice)
    section, parent = make_section(alice, there), post_task(alice, project_id=there["id"])
    task, inbox = post_task(alice), alice.api.get("/projects").json()["results"][0]["id"]
    path = f"/tasks/{task['id']}"
    both = {"project_id": inbox, "section_id": section["id"], "parent_id": parent["id"]}
    details = {error["pointer"]: error["detail"] for error in alice.api.patch(path, both).json()["errors"]}
    fix = "Leave out `project_id`, or name the same project."
    assert details["/section_id"] == f"The section is in another project. {fix}"
    assert details["/parent_id"] == f"The parent task is in another project. {fix}"
    moved = alice.api.post(f"{path}/move", {"before": parent["id"], "project_id": inbox}).json()
    assert moved["errors"][0]["detail"] == (
        "The task in `before` is not in the given project, section or parent. "
        "Leave those fields out, or name a task that is there."
    )
    for missing in (f"/tasks/{uuid7()}", f"/projects/{uuid7()}"):
        for answer in (alice.api.get(missing), alice.api.delete(missing)):
            assert answer.json()["detail"] == (
                "The resource does not exist, or you have no access to it. Check the id."
            )
