"""GET /projects/{id}/activity and /tasks/{id}/activity: who did what, for those who may see it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, post_task, share
from todo_project.todos.models import Membership, Role

pytestmark = pytest.mark.django_db(transaction=True)


def activity(who: Person, path: str, *, limit: int = 50) -> list[dict[str, Any]]:
    """Return all rows, page by page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = who.api.get(f"{path}/activity?limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status_code == 200, answer.content
        found += answer.json()["results"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


def last_fields(who: Person, path: str) -> dict[str, Any]:
    return dict(activity(who, path)[0]["fields"])


def test_a_row_has_who_when_what_and_from_and_to(alice: Person) -> None:
    task = post_task(alice, title="Dig")
    sent = alice.api.patch(f"/tasks/{task['id']}", {"title": "Weed", "priority": 2})
    changed, created = activity(alice, f"/tasks/{task['id']}")
    assert changed.pop("id") > created.pop("id")
    assert changed.pop("at") >= created.pop("at")
    assert changed.pop("request_id") == sent["X-Request-ID"] != created.pop("request_id")
    common = {"actor_id": str(alice.user.id), "kind": "task", "object_id": task["id"]}
    assert created == common | {"action": "created", "fields": {}}
    assert changed == common | {
        "action": "updated",
        "fields": {"title": {"from": "Dig", "to": "Weed"}, "priority": {"from": 0, "to": 2}},
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"due": None}, {"due": {"date": "2026-12-01"}}),
        ({"due": {"date": "2026-12-01"}}, {"due": {"at": "2026-12-01T08:00:00Z", "time_zone": "Europe/Berlin"}}),
        (
            {"due": {"at": "2026-12-01T08:00:00Z", "time_zone": "Europe/Berlin"}},
            {"due": {"at": "2026-12-02T08:00:00Z", "time_zone": "Europe/Berlin"}},
        ),
        ({"description": ""}, {"description": "All of it"}),
        ({"reminders": []}, {"reminders": [{"at": "2026-12-01T08:00:00Z"}]}),
        (
            {"start": {"date": "2026-12-01"}, "recurrence": {"rule": "FREQ=DAILY", "mode": "schedule"}},
            {"recurrence": {"rule": "FREQ=DAILY", "mode": "completion"}},
        ),
        (
            {"start": {"date": "2026-12-01"}, "recurrence": {"rule": "FREQ=DAILY", "mode": "schedule"}},
            {"recurrence": {"rule": "FREQ=DAILY", "mode": "schedule", "excluded_dates": ["2026-12-02"]}},
        ),
    ],
)
def test_fields_have_the_names_and_the_values_of_the_api(
    alice: Person, before: dict[str, Any], after: dict[str, Any]
) -> None:
    task = post_task(alice, **before)
    assert alice.api.patch(f"/tasks/{task['id']}", after).status_code == 200
    assert last_fields(alice, f"/tasks/{task['id']}") == {
        name: {"from": task[name], "to": value} for name, value in after.items()
    }


def test_a_completion_and_the_trash_are_updates(alice: Person) -> None:
    task = post_task(alice)
    completed = alice.api.post(f"/tasks/{task['id']}/complete").json()["completed_at"]
    assert last_fields(alice, f"/tasks/{task['id']}") == {"completed_at": {"from": None, "to": completed}}
    alice.api.delete(f"/tasks/{task['id']}")
    assert list(last_fields(alice, f"/tasks/{task['id']}")) == ["deleted_at"]


def test_labels_are_what_was_taken_off_and_put_on(alice: Person) -> None:
    one, other = (make(alice, "labels", name=name)["id"] for name in ("one", "other"))
    task = post_task(alice, labels=[one])
    alice.api.patch(f"/tasks/{task['id']}", {"labels": [other]})
    rows = [row["fields"] for row in activity(alice, f"/tasks/{task['id']}")]
    assert rows == [
        {"labels": {"from": [], "to": [other]}},
        {"labels": {"from": [one], "to": []}},
        {"labels": {"from": [], "to": [one]}},
        {},
    ]


def test_a_private_parent_of_a_project_is_hidden(alice: Person, bob: Person) -> None:
    private, project = make_project(alice, name="Private"), make_project(alice)
    share(project, bob)
    alice.api.patch(f"/projects/{project['id']}", {"parent_id": private["id"]})
    (moved,) = [row for row in activity(alice, f"/projects/{project['id']}") if "parent_id" in row["fields"]]
    assert moved["fields"]["parent_id"] == {"from": None, "to": private["id"]}
    (moved,) = [row for row in activity(bob, f"/projects/{project['id']}") if "parent_id" in row["fields"]]
    assert moved["fields"]["parent_id"] == {"from": None, "to": None}


def test_a_project_has_what_happened_in_it(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    task = post_task(alice, section_id=section["id"])
    post_task(alice)
    share(project, bob)
    Membership.objects.update(role=Role.EDITOR)
    alice.api.patch(f"/projects/{project['id']}", {"color": "#ff0000"})
    path = f"/projects/{project['id']}"
    rows = activity(alice, path)
    assert [(row["kind"], row["object_id"], row["action"]) for row in rows] == [
        ("project", project["id"], "updated"),
        ("member", str(bob.user.id), "updated"),
        ("member", str(bob.user.id), "created"),
        ("task", task["id"], "created"),
        ("section", section["id"], "created"),
        ("project", project["id"], "created"),
    ]
    assert [row["fields"] for row in rows[:2]] == [
        {"color": {"from": None, "to": "#ff0000"}},
        {"role": {"from": "viewer", "to": "editor"}},
    ]
    of_others = [row | {"request_id": None} for row in rows]
    assert of_others != rows
    for limit in (1, 2, 5, 6):
        assert activity(bob, path, limit=limit) == of_others


def test_a_transfer_is_a_change_of_the_project_alone(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    task = post_task(alice, section_id=section["id"])
    share(project, bob, Role.EDITOR)
    path = f"/projects/{project['id']}"
    before = activity(alice, path)
    assert alice.api.post(f"{path}/transfer", {"user_id": str(bob.user.pk)}).status_code == 200
    rows = [row for row in activity(alice, path) if row not in before]
    (transferred,) = [row for row in rows if row["kind"] == "project"]
    assert transferred["fields"]["owner_id"] == {"from": str(alice.user.pk), "to": str(bob.user.pk)}
    assert {row["kind"] for row in rows} == {"project", "member"}
    assert [row for row in rows if row["action"] == "updated" and not row["fields"]] == []
    assert [row["action"] for row in activity(bob, f"/tasks/{task['id']}")] == ["created"]
    for limit in (1, 2):
        assert activity(bob, path, limit=limit) == activity(bob, path)


def test_a_role_that_no_longer_comes_from_above_is_no_change_of_the_role(alice: Person, bob: Person) -> None:
    work = make_project(alice)
    below = make_project(alice, parent_id=work["id"])
    for each in (work, below):
        share(each, bob, Role.EDITOR)
    rows = activity(alice, f"/projects/{below['id']}")
    assert [row for row in rows if row["action"] == "updated" and not row["fields"]] == []


def test_a_place_out_of_sight_stays_there(alice: Person, bob: Person) -> None:
    shared, private = make_project(alice), make_project(alice)
    share(shared, bob)
    secret = make_section(alice, private)
    task = post_task(alice, section_id=secret["id"], title="Before")
    alice.api.patch(f"/tasks/{task['id']}", {"title": "Secret"})
    alice.api.patch(f"/tasks/{task['id']}", {"project_id": shared["id"], "title": "Shared"})
    path = f"/tasks/{task['id']}"
    assert len(activity(alice, path)) == 3
    (moved,) = activity(bob, path)
    assert moved["fields"]["project_id"] == {"from": None, "to": shared["id"]}
    assert moved["fields"]["section_id"] == {"from": None, "to": None}
    alice.api.patch(f"/tasks/{task['id']}", {"project_id": private["id"]})
    assert bob.api.get(f"{path}/activity").status_code == 404
    assert last_fields(bob, f"/projects/{shared['id']}")["project_id"] == {"from": shared["id"], "to": None}


def test_a_place_out_of_sight_with_the_id_of_a_next_task_stays_there(alice: Person, bob: Person) -> None:
    shared = make_project(alice)
    share(shared, bob)
    task = post_task(alice, project_id=shared["id"], due={"date": "2030-01-01"}, recurrence={"rule": "FREQ=DAILY"})
    following = alice.api.post(f"/tasks/{task['id']}/complete").json()["next_task_id"]
    assert alice.api.put(f"/projects/{following}", {"name": "Secret"}).status_code == 201
    moved = post_task(alice, project_id=following)
    assert alice.api.patch(f"/tasks/{moved['id']}", {"project_id": shared["id"]}).status_code == 200
    rows = activity(bob, f"/projects/{shared['id']}")
    named = {name: row["fields"][name] for row in rows for name in row["fields"]}
    assert named["next_task_id"] == {"from": None, "to": following}
    assert named["project_id"] == {"from": None, "to": shared["id"]}


@pytest.mark.parametrize(("kind", "name"), [("task", "title"), ("section", "name")])
def test_values_out_of_sight_stay_there(alice: Person, bob: Person, kind: str, name: str) -> None:
    shared, private = make_project(alice), make_project(alice)
    share(shared, bob)
    thing = post_task(alice, project_id=private["id"]) if kind == "task" else make_section(alice, private)
    path, feed = f"/{kind}s/{thing['id']}", f"/projects/{shared['id']}"
    alice.api.patch(path, {name: "Before"})
    alice.api.patch(path, {name: "Shared", "project_id": shared["id"]})
    assert last_fields(bob, feed)[name] == {"from": None, "to": "Shared"}
    assert last_fields(alice, feed)[name] == {"from": "Before", "to": "Shared"}
    alice.api.patch(path, {name: "After", "project_id": private["id"]})
    assert last_fields(bob, feed)[name] == {"from": "Shared", "to": None}
    assert last_fields(alice, feed)[name] == {"from": "Shared", "to": "After"}


def test_a_label_that_is_taken_off_by_the_move_stays_out_of_sight(alice: Person, bob: Person) -> None:
    shared = make_project(alice)
    share(shared, bob)
    private, shown = (make(alice, "labels", name=name)["id"] for name in ("private", "shown"))
    task = post_task(alice, labels=[private])
    since = bob.api.get("/changes").json()["next_cursor"]
    alice.api.patch(f"/tasks/{task['id']}", {"project_id": shared["id"], "labels": [shown]})
    path = f"/tasks/{task['id']}"
    put_on, taken_off = {"from": [], "to": [shown]}, {"from": [private], "to": []}
    assert label_fields(alice, path)[:2] == [put_on, taken_off]
    assert label_fields(bob, path) == label_fields(bob, f"/projects/{shared['id']}") == [put_on]
    changes = bob.api.get(f"/changes?since={since}").json()["results"]
    assert {each["id"] for each in changes} == {task["id"], shown}


def test_a_label_that_has_gone_out_of_sight_is_null(alice: Person, bob: Person) -> None:
    shared = make_project(alice)
    share(shared, bob)
    label = make(alice, "labels", name="urgent")["id"]
    task = post_task(alice, project_id=shared["id"], labels=[label])
    alice.api.patch(f"/tasks/{task['id']}", {"labels": []})
    path = f"/tasks/{task['id']}"
    assert label_fields(alice, path) == [{"from": [label], "to": []}, {"from": [], "to": [label]}]
    assert label_fields(bob, path) == [{"from": [None], "to": []}, {"from": [], "to": [None]}]


def label_fields(who: Person, path: str) -> list[dict[str, Any]]:
    return [row["fields"]["labels"] for row in activity(who, path) if "labels" in row["fields"]]


def test_strangers_find_nothing(alice: Person, mallory: Person) -> None:
    task = post_task(alice)
    for path in (f"/tasks/{task['id']}", f"/projects/{task['project_id']}"):
        assert mallory.api.get(f"{path}/activity").status_code == 404


def test_a_cursor_of_something_else_is_refused(alice: Person) -> None:
    task = post_task(alice)
    for cursor in ("x", alice.api.get("/tasks?limit=1").json()["next_cursor"] or "WyJ4Il0"):
        assert alice.api.get(f"/tasks/{task['id']}/activity?cursor={cursor}").status_code == 400
