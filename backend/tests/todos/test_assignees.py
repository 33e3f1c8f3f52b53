"""The people that tasks are assigned to: the owner and the members of the project, as long as they are."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from tests.conftest import Person
from tests.todos.logged import logged
from tests.todos.races import one_waits
from tests.todos.stories import make_project, make_section, pointers, post_task, share
from tests.todos.test_shared_lists import listed
from todo_project.db.rows import uuid7
from todo_project.todos.models import Membership, Project, Task, TaskAssignee
from todo_project.todos.services import assignees


@pytest.fixture
def project(alice: Person, bob: Person) -> dict[str, Any]:
    """A project of Alice's with Bob as a member."""
    made = make_project(alice)
    share(made, bob)
    return made


def id_of(who: Person) -> str:
    """Return somebody's id as the API shows it."""
    return str(who.user.pk)


def assigned(who: Person, task: dict[str, Any]) -> list[str]:
    """Return the assignees that a task shows."""
    shown: list[str] = who.api.get(f"/tasks/{task['id']}").json()["assignees"]
    return shown


def test_the_owner_and_members_can_be_assigned(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    both = sorted([id_of(alice), id_of(bob)])
    task = post_task(alice, project_id=project["id"], assignees=both[::-1])
    assert task["assignees"] == assigned(bob, task) == both
    assert listed(alice, "tasks")[0] == alice.api.get(f"/tasks/{task['id']}").json() == task
    path = f"/tasks/{task['id']}"
    assert alice.api.patch(path, {"assignees": both[:1]}).json()["assignees"] == assigned(alice, task) == both[:1]
    assert alice.api.patch(path, {"title": "Weed"}).json()["assignees"] == both[:1]
    assert alice.api.patch(path, {"assignees": None}).json()["assignees"] == assigned(alice, task) == []


def test_put_replaces_them(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    path, body = f"/tasks/{uuid7()}", {"title": "Dig", "project_id": project["id"]}
    made = alice.api.put(path, body | {"assignees": [id_of(bob)]})
    assert (made.status_code, made.json()["assignees"]) == (201, [id_of(bob)])
    again = alice.api.put(path, body | {"assignees": [id_of(bob)]})
    assert (again.status_code, again["ETag"]) == (200, made["ETag"])
    assert alice.api.put(path, body).json()["assignees"] == []


def test_a_batch_assigns_too(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    body = {"title": "Dig", "project_id": project["id"], "assignees": [id_of(bob)]}
    answer = alice.api.post("/batch", {"operations": [{"method": "POST", "path": "/tasks", "body": body}]})
    assert answer.json()["results"][0]["body"]["assignees"] == [id_of(bob)]


def test_a_change_of_assignees_is_a_new_version_and_the_same_ones_are_none(
    alice: Person, bob: Person, project: dict[str, Any]
) -> None:
    path = f"/tasks/{post_task(alice, project_id=project['id'])['id']}"
    before = alice.api.get(path)["ETag"]
    changed = alice.api.patch(path, {"assignees": [id_of(bob)]}, headers={"If-Match": before})
    assert changed["ETag"] != before
    assert alice.api.patch(path, {"assignees": [id_of(bob)]})["ETag"] == changed["ETag"]
    assert alice.api.patch(path, {"assignees": []}, headers={"If-Match": before}).status_code == 412


def test_the_log_says_who_was_assigned_and_taken_off(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    path = f"/tasks/{post_task(alice, project_id=project['id'])['id']}"
    with logged() as changes:
        alice.api.patch(path, {"assignees": [id_of(bob)]})
        alice.api.patch(path, {"assignees": []})
    fields = [each.fields["assignees"] for each in changes() if "assignees" in each.fields]
    assert [[list(map(uuid.UUID, ids)) for ids in each] for each in fields] == [
        [[], [bob.user.pk]],
        [[bob.user.pk], []],
    ]
    assert {(each.kind, str(each.object_id)) for each in changes()} == {("task", path.rpartition("/")[2])}


def test_strangers_cannot_be_assigned_and_nobody_tells_who_exists(
    alice: Person, bob: Person, mallory: Person, project: dict[str, Any]
) -> None:
    body = {"title": "Dig", "project_id": project["id"]}
    stranger, nobody = (
        alice.api.post("/tasks", body | {"assignees": [id_of(bob), each]})
        for each in (id_of(mallory), str(uuid7()))
    )
    assert pointers(stranger) == ["/assignees/1"]
    assert stranger.json()["errors"][0]["code"] == "not_a_member"
    assert stranger.json()["errors"] == nobody.json()["errors"]
    assert not Task.objects.exists()
    own = f"/tasks/{post_task(alice)['id']}"  # in the Inbox, where Bob is no member
    assert pointers(alice.api.patch(own, {"assignees": [id_of(bob)], "priority": 9})) == ["/priority"]
    assert pointers(alice.api.patch(own, {"assignees": [id_of(bob)]})) == ["/assignees/0"]
    assert alice.api.patch(own, {"assignees": [id_of(alice)]}).status_code == 200


@pytest.mark.parametrize("value", ["x", [5], ["x"], [None], {}])
def test_other_values_are_refused(alice: Person, value: Any) -> None:
    answer = alice.api.post("/tasks", {"title": "Dig", "assignees": value})
    assert {each.split("/")[1] for each in pointers(answer)} == {"assignees"}
    twice = alice.api.post("/tasks", {"title": "Dig", "assignees": [id_of(alice)] * 2})
    assert pointers(twice) == ["/assignees/1"]


def test_the_list_can_be_narrowed_to_one_person(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    bobs = post_task(alice, project_id=project["id"], assignees=[id_of(bob)])
    own = post_task(bob, assignees=[id_of(bob)])
    post_task(alice, project_id=project["id"], assignees=[id_of(alice)])
    assert listed(alice, "tasks", assignee_id=id_of(bob)) == [bobs]
    assert listed(bob, "tasks", assignee_id=id_of(bob), limit=1) == [own, bobs]
    assert listed(alice, "tasks", assignee_id=str(uuid7())) == []


def test_the_next_task_of_a_series_keeps_them_with_its_subtasks(
    alice: Person, bob: Person, project: dict[str, Any]
) -> None:
    daily = {"due": {"date": "2026-11-30"}, "recurrence": {"rule": "FREQ=DAILY"}}
    task = post_task(alice, project_id=project["id"], assignees=[id_of(bob)], **daily)
    post_task(alice, parent_id=task["id"], title="Below", assignees=[id_of(alice)])
    completed = alice.api.post(f"/tasks/{task['id']}/complete").json()
    assert completed["assignees"] == [id_of(bob)]
    following = completed["next_task_id"]
    assert assigned(alice, {"id": following}) == [id_of(bob)]
    [below] = listed(alice, "tasks", parent_id=following)
    assert below["assignees"] == [id_of(alice)]


@pytest.mark.parametrize("is_changed", [False, True])
def test_reopening_keeps_a_next_task_that_was_assigned_to_others(
    alice: Person, bob: Person, project: dict[str, Any], is_changed: bool
) -> None:
    daily = {"due": {"date": "2026-11-30"}, "recurrence": {"rule": "FREQ=DAILY"}}
    task = post_task(alice, project_id=project["id"], assignees=[id_of(bob)], **daily)
    following = alice.api.post(f"/tasks/{task['id']}/complete").json()["next_task_id"]
    if is_changed:
        alice.api.patch(f"/tasks/{following}", {"assignees": []})
    assert alice.api.post(f"/tasks/{task['id']}/reopen").json()["assignees"] == [id_of(bob)]
    assert alice.api.get(f"/tasks/{following}").status_code == (200 if is_changed else 404)


def test_a_task_that_moves_takes_along_only_those_who_take_part_there(
    alice: Person, bob: Person, project: dict[str, Any]
) -> None:
    both = sorted([id_of(alice), id_of(bob)])
    task = post_task(alice, project_id=project["id"], assignees=both)
    below = post_task(alice, parent_id=task["id"], assignees=both)
    elsewhere = make_project(alice, name="Elsewhere")
    moved = alice.api.patch(f"/tasks/{task['id']}", {"project_id": elsewhere["id"]}).json()
    assert moved["assignees"] == assigned(alice, task) == assigned(alice, below) == [id_of(alice)]
    back = {"project_id": project["id"], "assignees": both}
    assert alice.api.patch(f"/tasks/{task['id']}", back).json()["assignees"] == assigned(alice, task) == both
    away = alice.api.patch(f"/tasks/{task['id']}", {"project_id": elsewhere["id"], "assignees": both})
    assert pointers(away) == [f"/assignees/{both.index(id_of(bob))}"]
    assert assigned(alice, task) == both
    answer = alice.api.post(f"/tasks/{task['id']}/move", {"project_id": elsewhere["id"]})
    assert answer.json()["assignees"] == assigned(alice, task) == [id_of(alice)]


def test_a_section_that_moves_does_so_too(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    section = make_section(alice, project)
    task = post_task(alice, section_id=section["id"], assignees=[id_of(bob)])
    kept = post_task(alice, project_id=project["id"], assignees=[id_of(bob)])
    before = alice.api.get(f"/tasks/{task['id']}")["ETag"]
    elsewhere = make_project(alice, name="Elsewhere")
    assert alice.api.patch(f"/sections/{section['id']}", {"project_id": elsewhere["id"]}).status_code == 200
    assert (assigned(alice, task), assigned(alice, kept)) == ([], [id_of(bob)])
    assert alice.api.get(f"/tasks/{task['id']}")["ETag"] != before


def test_whoever_leaves_is_taken_off_all_tasks_of_the_project(
    alice: Person, bob: Person, project: dict[str, Any]
) -> None:
    both = sorted([id_of(alice), id_of(bob)])
    task = post_task(alice, project_id=project["id"], assignees=both)
    other = post_task(alice, project_id=project["id"], assignees=[id_of(alice)])
    elsewhere = post_task(bob, assignees=[id_of(bob)])
    tags = {each["id"]: alice.api.get(f"/tasks/{each['id']}").get("ETag") for each in (task, other)}
    assignees.take_off(user_id=bob.user.pk, project_ids=[project["id"]], now=timezone.now())
    assert assigned(alice, task) == assigned(alice, other) == [id_of(alice)]
    assert assigned(bob, elsewhere) == [id_of(bob)]
    assert alice.api.get(f"/tasks/{task['id']}")["ETag"] != tags[task["id"]]
    assert alice.api.get(f"/tasks/{other['id']}")["ETag"] == tags[other["id"]]


def test_a_sub_project_that_moves_away_loses_who_was_a_member_above(
    alice: Person, bob: Person, project: dict[str, Any]
) -> None:
    below = make_project(alice, parent_id=project["id"])
    task = post_task(alice, project_id=below["id"], assignees=[id_of(bob)])
    stays = post_task(alice, project_id=project["id"], assignees=[id_of(bob)])
    before = alice.api.get(f"/tasks/{task['id']}")["ETag"]
    assert alice.api.patch(f"/projects/{below['id']}", {"parent_id": None}).status_code == 200
    assert (assigned(alice, task), assigned(alice, stays)) == ([], [id_of(bob)])
    assert alice.api.get(f"/tasks/{task['id']}")["ETag"] != before


def test_a_new_owner_stays_assigned(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    both = sorted([id_of(alice), id_of(bob)])
    task = post_task(alice, project_id=project["id"], assignees=both)
    alice.api.post(f"/projects/{project['id']}/transfer", {"user_id": id_of(bob)})
    assert assigned(alice, task) == assigned(bob, task) == both


def test_a_purged_task_and_a_deleted_account_leave_none_behind(
    alice: Person, bob: Person, project: dict[str, Any]
) -> None:
    post_task(alice, project_id=project["id"], assignees=[id_of(bob)])
    task = post_task(alice, project_id=project["id"], assignees=[id_of(alice)])
    bob.user.delete()
    assert [str(each.task_id) for each in TaskAssignee.objects.all()] == [task["id"]]
    Task.objects.filter(id=task["id"]).delete()
    assert not TaskAssignee.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_nobody_is_assigned_who_leaves_meanwhile(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    task = post_task(alice, project_id=project["id"])

    def leave() -> None:
        list(Project.objects.filter(id=project["id"]).locked())
        Membership.objects.all().delete()
        assignees.take_off(user_id=bob.user.pk, project_ids=[project["id"]], now=timezone.now())

    _, refused = one_waits(leave, lambda: alice.api.patch(f"/tasks/{task['id']}", {"assignees": [id_of(bob)]}))
    assert pointers(refused) == ["/assignees/0"]
    assert assigned(alice, task) == []
