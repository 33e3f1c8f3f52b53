"""POST /undo of requests that change things more than once, nest them, or create what holds them."""

from __future__ import annotations

import re
import uuid
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import alive, broken_rules, make, make_project, make_section, post_task, share
from tests.todos.test_undo import last_change, undo, why_not, without_times
from todo_project.db.rows import uuid7
from todo_project.todos.models import Change, Label, Project, Role, Task
from todo_project.todos.services import undo as service

pytestmark = pytest.mark.django_db(transaction=True)


def patch(path: str, **body: Any) -> dict[str, Any]:
    return {"method": "PATCH", "path": path, "body": body}


def put(path: str, **body: Any) -> dict[str, Any]:
    return {"method": "PUT", "path": path, "body": body}


def delete(path: str) -> dict[str, Any]:
    return {"method": "DELETE", "path": path}


def batch(who: Person, *operations: dict[str, Any]) -> str:
    """Run the operations and return the id of the request."""
    answer = who.api.post("/batch", {"atomic": True, "operations": list(operations)})
    assert answer.status_code == 200, answer.content
    return str(answer["X-Request-ID"])


def undo_request(who: Person, request: str) -> str:
    """Take a request back and return the id of the request that did."""
    answer = who.api.post("/undo", {"request_id": request})
    assert answer.status_code == 200, answer.content
    assert broken_rules() == []
    return str(answer["X-Request-ID"])


def get(who: Person, path: str) -> dict[str, Any]:
    answer = who.api.get(path)
    assert answer.status_code == 200, answer.content
    return without_times(answer.json())


def test_a_thing_that_changed_twice_goes_back_to_its_first_values(alice: Person) -> None:
    one, other = (make(alice, "labels", name=name)["id"] for name in ("one", "other"))
    task = post_task(alice, title="Dig", labels=[one])
    path = f"/tasks/{task['id']}"
    request = batch(
        alice,
        patch(path, title="Weed", labels=[other], due={"date": "2026-12-01"}),
        patch(path, title="Water", labels=[one], priority=2),
        patch(path, labels=sorted([one, other])),
    )
    changed = get(alice, path)
    undone = undo_request(alice, request)
    assert get(alice, path) == without_times(task)
    undo_request(alice, undone)
    assert get(alice, path) == changed


def test_a_thing_that_was_trashed_and_restored_at_once_stays(alice: Person) -> None:
    path = f"/tasks/{post_task(alice, title='Dig')['id']}"
    restore = {"method": "POST", "path": f"{path}/restore"}
    complete, reopen = ({"method": "POST", "path": f"{path}/{name}"} for name in ("complete", "reopen"))
    undo_request(alice, batch(alice, delete(path), restore, complete, reopen, patch(path, title="Weed")))
    assert get(alice, path)["title"] == "Dig"


def test_what_was_created_and_deleted_at_once_stays_in_the_trash(alice: Person) -> None:
    created, other = f"/tasks/{uuid7()}", f"/tasks/{post_task(alice, title='Dig')['id']}"
    undo_request(alice, batch(alice, put(created, title="New"), delete(created), patch(other, title="Weed")))
    assert alice.api.get(created).status_code == 404
    assert get(alice, other)["title"] == "Dig"


@pytest.mark.parametrize("kind", ["projects", "sections"])
def test_what_was_moved_into_a_created_thing_is_moved_out_first(alice: Person, kind: str) -> None:
    task, created = post_task(alice), str(uuid7())
    place = {} if kind == "projects" else {"project_id": task["project_id"]}
    path = f"/tasks/{task['id']}"
    into = {f"{kind.removesuffix('s')}_id": created}
    request = batch(alice, put(f"/{kind}/{created}", name="New", **place), patch(path, **into))
    inside = get(alice, path)
    undone = undo_request(alice, request)
    assert get(alice, path) == without_times(task)
    assert alive(created) == [False]
    undo_request(alice, undone)
    assert get(alice, path) == inside


def test_nested_projects_come_back_whatever_their_ids_are(alice: Person) -> None:
    for is_reversed in (False, True):
        ids = sorted((make_project(alice)["id"] for _ in range(3)), reverse=is_reversed)
        for above, below in pairwise(ids):
            alice.api.patch(f"/projects/{below}", {"parent_id": above})
        ids.append(post_task(alice, project_id=ids[-1])["id"])
        request = alice.api.delete(f"/projects/{ids[0]}")["X-Request-ID"]
        for is_alive in (True, False, True):
            request = undo_request(alice, request)
            assert alive(*ids) == [is_alive] * 4


def test_nesting_that_was_turned_round_is_turned_back(alice: Person) -> None:
    for kind, above in (("projects", make_project(alice)), ("tasks", post_task(alice))):
        values = {"name": "Below"} if kind == "projects" else {"title": "Below"}
        below = make(alice, kind, parent_id=above["id"], **values)
        other = make(alice, kind, **values)["id"]
        request = batch(
            alice,
            patch(f"/{kind}/{below['id']}", parent_id=other),
            patch(f"/{kind}/{below['id']}", parent_id=None),
            patch(f"/{kind}/{above['id']}", parent_id=below["id"]),
        )
        undo_request(alice, request)
        assert get(alice, f"/{kind}/{below['id']}")["parent_id"] == above["id"]
        assert get(alice, f"/{kind}/{above['id']}")["parent_id"] is None


def test_a_task_goes_back_into_its_place_that_was_deleted_after_it(alice: Person) -> None:
    here, there = make_project(alice), make_project(alice)
    section = make_section(alice, here)
    parent = post_task(alice, section_id=section["id"])
    task = post_task(alice, parent_id=parent["id"])
    request = batch(
        alice,
        patch(f"/tasks/{task['id']}", project_id=make_project(alice)["id"]),
        patch(f"/tasks/{task['id']}", project_id=there["id"]),
        delete(f"/tasks/{parent['id']}"),
        delete(f"/sections/{section['id']}"),
    )
    undo_request(alice, request)
    assert get(alice, f"/tasks/{task['id']}") == without_times(task)
    assert alive(section["id"], parent["id"]) == [True, True]


def test_a_subtask_that_left_a_parent_which_moved_returns_to_it(alice: Person) -> None:
    here, there = make_project(alice), make_project(alice)
    parent = post_task(alice, project_id=here["id"])
    task = post_task(alice, parent_id=parent["id"])
    request = batch(
        alice,
        patch(f"/tasks/{parent['id']}", project_id=there["id"]),
        patch(f"/tasks/{task['id']}", parent_id=None),
        patch(f"/tasks/{parent['id']}", project_id=task["project_id"]),
        patch(f"/tasks/{parent['id']}", project_id=there["id"]),
    )
    undo_request(alice, request)
    assert get(alice, f"/tasks/{task['id']}") == without_times(task)


def test_a_task_in_the_trash_whose_next_task_stays_goes_along(alice: Person) -> None:
    here, there = make_project(alice), make_project(alice)
    parent = post_task(alice, project_id=here["id"])
    repeated = {"due": {"date": "2030-01-01"}, "recurrence": {"rule": "FREQ=DAILY"}}
    step = post_task(alice, parent_id=parent["id"], **repeated)
    following = alice.api.post(f"/tasks/{step['id']}/complete").json()["next_task_id"]
    batch(alice, patch(f"/tasks/{following}", parent_id=None), delete(f"/tasks/{step['id']}"))
    request = batch(alice, patch(f"/tasks/{parent['id']}", project_id=there["id"]))
    assert Task.objects.get(id=step["id"]).is_next_elsewhere
    undo_request(alice, request)
    assert Task.objects.get(id=step["id"]).project_id == uuid.UUID(here["id"])


def test_memberships_that_follow_a_project_stand_not_in_the_way(alice: Person, bob: Person) -> None:
    shared, own = make_project(alice), make_project(alice)
    make_project(alice, parent_id=own["id"])
    share(shared, bob, Role.EDITOR)
    created = alice.api.post("/projects", {"name": "New", "parent_id": shared["id"]})
    undo_request(alice, created["X-Request-ID"])
    assert alive(created.json()["id"]) == [False]
    moved = alice.api.patch(f"/projects/{own['id']}", {"parent_id": shared["id"]})
    assert bob.api.get(f"/projects/{own['id']}").status_code == 200
    undo_request(alice, moved["X-Request-ID"])
    assert bob.api.get(f"/projects/{own['id']}").status_code == 404
    role = alice.api.patch(f"/projects/{shared['id']}/members/{bob.user.pk}", {"role": "viewer"})
    assert "member" in why_not(alice, request_id=role["X-Request-ID"])


def test_what_somebody_changed_in_between_is_kept(alice: Person) -> None:
    path = f"/tasks/{post_task(alice, title='Dig')['id']}"
    for title, request in (("Weed", "sync-1"), ("Water", "sync-2"), ("Rake", "sync-1")):
        alice.api.patch(path, {"title": title}, headers={"X-Request-ID": request})
    assert "`title` of the task" in why_not(alice, request_id="sync-1")
    assert get(alice, path)["title"] == "Rake"


# --- what came later


@pytest.mark.parametrize("kind", ["projects", "sections", "tasks"])
@pytest.mark.parametrize("is_moved", [True, False])
def test_a_created_thing_that_holds_something_later_stays(
    alice: Person, bob: Person, kind: str, is_moved: bool
) -> None:
    project = make_project(alice)
    share(project, bob, Role.EDITOR)
    values = {"projects": {"name": "New"}, "sections": {"name": "New", "project_id": project["id"]}}
    created = alice.api.post(f"/{kind}", values.get(kind, {"title": "New", "project_id": project["id"]}))
    holder = created.json()["id"]
    if kind == "projects":
        share(created.json(), bob, Role.EDITOR)
    place = {{"projects": "project_id", "sections": "section_id", "tasks": "parent_id"}[kind]: holder}
    task = post_task(bob, **({"project_id": project["id"]} if is_moved else place))
    if is_moved:
        assert bob.api.post(f"/tasks/{task['id']}/move", place).status_code == 200
    for body in ({"request_id": created["X-Request-ID"]}, {"change_id": last_change(holder, action="created")}):
        assert f"holds the task {task['id']}" in why_not(alice, **body)
    assert alive(holder, task["id"]) == [True, True]
    bob.api.delete(f"/tasks/{task['id']}")
    undo_request(alice, created["X-Request-ID"])
    assert alive(holder) == [False]


def test_what_the_same_request_created_goes_along(alice: Person) -> None:
    project, below, section, task = (str(uuid7()) for _ in range(4))
    operations = (
        put(f"/projects/{project}", name="Trip"),
        put(f"/projects/{below}", name="Food", parent_id=project),
        put(f"/sections/{section}", name="Fruit", project_id=below),
        put(f"/tasks/{task}", title="Apples", section_id=section),
    )
    request = batch(alice, *operations)
    sub = post_task(alice, parent_id=task)
    for body in ({"request_id": request}, {"change_id": last_change(project, action="created")}):
        assert f"holds the task {sub['id']}" in why_not(alice, **body)
    alice.api.delete(f"/tasks/{sub['id']}")
    undo(alice, change_id=last_change(project, action="created"))
    assert alive(project, below, section, task) == [False] * 4


def test_a_restored_thing_with_something_new_in_it_stays(alice: Person) -> None:
    project = make_project(alice)
    post_task(alice, project_id=project["id"])
    alice.api.delete(f"/projects/{project['id']}")
    restored = alice.api.post(f"/projects/{project['id']}/restore")["X-Request-ID"]
    task = post_task(alice, project_id=project["id"])
    assert f"holds the task {task['id']}" in why_not(alice, request_id=restored)


def test_a_created_task_with_comments_stays(alice: Person) -> None:
    created = alice.api.post("/tasks", {"title": "Dig"})
    make(alice, "comments", task_id=created.json()["id"], text="Deep")
    assert "has comments" in why_not(alice, request_id=created["X-Request-ID"])


def test_a_created_thing_that_is_in_the_trash_already_hinders_nothing(alice: Person) -> None:
    created, other = str(uuid7()), str(uuid7())
    request = batch(alice, put(f"/tasks/{created}", title="New"), put(f"/tasks/{other}", title="New"))
    alice.api.delete(f"/tasks/{created}")
    undo_request(alice, request)
    assert alive(created, other) == [False, False]


# --- recurring tasks


DAILY = {"due": {"date": "2026-12-01"}, "recurrence": {"rule": "FREQ=DAILY"}}


def open_tasks(who: Person) -> set[str]:
    return {str(each) for each in Task.objects.owned_by(who.user.pk).alive().open().values_list("id", flat=True)}


def completed(who: Person, task: dict[str, Any]) -> tuple[str, str]:
    """Complete a recurring task and return the id of the request and of the next task."""
    answer = who.api.post(f"/tasks/{task['id']}/complete")
    return answer["X-Request-ID"], answer.json()["next_task_id"]


def test_an_undone_completion_that_is_done_again_has_the_same_next_task(alice: Person) -> None:
    task = post_task(alice, **DAILY)
    post_task(alice, parent_id=task["id"])
    request, following = completed(alice, task)
    before = open_tasks(alice)
    for _ in range(2):
        request = undo_request(alice, request)
        assert get(alice, f"/tasks/{task['id']}")["completed_at"] is None
        assert following not in open_tasks(alice)
        request = undo_request(alice, request)
        assert get(alice, f"/tasks/{task['id']}")["next_task_id"] == following
        assert open_tasks(alice) == before
    undone = undo_request(alice, request)
    _, second = completed(alice, task)
    assert len(open_tasks(alice)) == len(before)
    assert "was changed later" in why_not(alice, request_id=undone)
    assert second in open_tasks(alice)


@pytest.mark.parametrize("name", ["request_id", "change_id"])
def test_an_undone_reopening_restores_the_next_task(alice: Person, name: str) -> None:
    task = post_task(alice, **DAILY)
    _, following = completed(alice, task)
    reopened = alice.api.post(f"/tasks/{task['id']}/reopen")["X-Request-ID"]
    undo(alice, **{name: reopened if name == "request_id" else last_change(task["id"])})
    assert get(alice, f"/tasks/{task['id']}")["next_task_id"] == following
    assert open_tasks(alice) == {following}
    alice.api.post(f"/tasks/{task['id']}/reopen")
    Task.objects.filter(id=following).delete()
    undo(alice, change_id=last_change(task["id"], fields__has_key="completed_at"))
    assert open_tasks(alice) == {get(alice, f"/tasks/{task['id']}")["next_task_id"]} != {following}


def test_a_completion_whose_next_task_has_changed_stays(alice: Person) -> None:
    task = post_task(alice, **DAILY)
    request, following = completed(alice, task)
    _, last = completed(alice, {"id": following})
    assert f"The task {following} is no longer" in why_not(alice, request_id=request)
    assert open_tasks(alice) == {last}


# --- other owners


def test_a_project_that_went_to_another_owner_is_not_called_transferred(alice: Person, bob: Person) -> None:
    hers, his = make_project(alice), make_project(bob)
    make_project(alice, parent_id=hers["id"])
    share(his, alice, Role.ADMIN)
    moved = alice.api.patch(f"/projects/{hers['id']}", {"parent_id": his["id"]})
    assert moved.status_code == 200
    said = why_not(alice, request_id=moved["X-Request-ID"])
    assert "got another owner" in said
    assert "moved into a project of somebody else" in said
    share(given := make_project(alice), bob)
    transferred = alice.api.post(f"/projects/{given['id']}/transfer", {"user_id": str(bob.user.pk)})
    assert "got another owner" in why_not(alice, request_id=transferred["X-Request-ID"])


def test_a_task_returns_from_the_project_of_another_owner_with_its_labels_and_people(
    alice: Person, bob: Person
) -> None:
    his, hers = make_project(bob), make_project(alice)
    share(his, alice, Role.EDITOR)
    label = make(bob, "labels", name="his")["id"]
    people = sorted([str(alice.user.pk), str(bob.user.pk)])
    task = post_task(bob, project_id=his["id"], labels=[label], assignees=people)
    child = post_task(bob, parent_id=task["id"], labels=[label])
    moved = alice.api.patch(f"/tasks/{task['id']}", {"project_id": hers["id"]})
    assert moved.json()["labels"] == []
    assert moved.json()["assignees"] == [str(alice.user.pk)]
    undo_request(alice, moved["X-Request-ID"])
    assert get(bob, f"/tasks/{task['id']}") == without_times(task)
    assert get(bob, f"/tasks/{child['id']}") == without_times(child)


@pytest.mark.parametrize("is_purged", [True, False])
def test_a_label_that_is_gone_is_named(alice: Person, bob: Person, is_purged: bool) -> None:
    his, hers = make_project(bob), make_project(alice)
    share(his, alice, Role.EDITOR)
    label = make(bob, "labels", name="his")["id"]
    task = post_task(bob, project_id=his["id"], labels=[label])
    moved = alice.api.patch(f"/tasks/{task['id']}", {"project_id": hers["id"]})
    bob.api.delete(f"/labels/{label}")
    if is_purged:
        Label.objects.filter(id=label).delete()
    assert f"The label {label} of the task {task['id']}" in why_not(alice, request_id=moved["X-Request-ID"])
    assert get(alice, f"/tasks/{task['id']}")["project_id"] == hers["id"]


# --- repeated requests


def test_a_repeated_request_names_the_one_that_is_undone(alice: Person) -> None:
    body, key = {"operations": [put(f"/tasks/{(created := str(uuid7()))}", title="New")]}, {"Idempotency-Key": "1"}
    first, again = (alice.api.post("/batch", body, headers=key) for _ in range(2))
    assert "X-Original-Request-ID" not in first
    assert alice.api.post("/undo", {"request_id": again["X-Request-ID"]}).status_code == 404
    undo_request(alice, again["X-Original-Request-ID"])
    assert alive(created) == [False]


# --- many


def test_a_request_that_changed_too_much_is_refused(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "THINGS_MAX", 2)
    ids = [post_task(alice, title="Dig")["id"] for _ in range(3)]
    operations = [patch(f"/tasks/{id_}", title="Weed") for id_ in ids]
    assert "more than 2 things" in why_not(alice, request_id=batch(alice, *operations))
    undo_request(alice, batch(alice, *(patch(f"/tasks/{id_}", title="Water") for id_ in ids[:2])))


@pytest.mark.postgres
def test_the_changes_of_a_request_are_found_by_index(alice: Person) -> None:
    project, people = Project.objects.get(owner=alice.user), [alice.user.pk, uuid7()]
    Change.objects.bulk_create(
        Change(
            xid=n,
            at=timezone.now(),
            kind="task",
            object_id=uuid7(),
            action="created",
            project_id=project.id,
            actor_id=people[n % 2],
            request_id=f"request-{n // 10}",
            fields={},
            has_left=False,
        )
        for n in range(5_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE todos_change")
    seen = Change.objects.visible_to(alice.user.pk).for_people()
    rows = seen.of_request("request-300", actor_id=alice.user.pk).exclude(has_left=True).order_by("id")
    plan = rows.explain()
    assert re.search(r"on change_of_request.*\n *Index Cond: \(\(actor_id = .* AND .*request_id.* = ", plan), plan


def test_an_undone_reopening_leaves_a_next_task_deleted_that_was_deleted_before(alice: Person) -> None:
    task = post_task(alice, due={"date": "2026-12-01"}, recurrence={"rule": "FREQ=DAILY"})
    next_id = alice.api.post(f"/tasks/{task['id']}/complete").json()["next_task_id"]
    alice.api.delete(f"/tasks/{next_id}")
    reopened = alice.api.post(f"/tasks/{task['id']}/reopen")["X-Request-ID"]
    undo(alice, request_id=reopened)
    assert get(alice, f"/tasks/{task['id']}")["completed_at"] is not None
    assert list(Task.objects.alive().values_list("id", flat=True)) == [uuid.UUID(task["id"])]


def test_a_request_is_taken_back_whole_or_not_at_all(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob, Role.EDITOR)
    own, shared = post_task(bob, title="Dig"), post_task(alice, title="Dig", project_id=project["id"])
    request = batch(bob, *(patch(f"/tasks/{task['id']}", title="Weed") for task in (own, shared)))
    alice.api.delete(f"/projects/{project['id']}/members/{bob.user.pk}")
    assert "cannot see any more" in why_not(bob, request_id=request)
    assert get(bob, f"/tasks/{own['id']}")["title"] == "Weed"


def test_the_comments_of_a_task_in_the_trash_hinder_nothing(alice: Person) -> None:
    ids = [str(uuid7()) for _ in range(2)]
    request = batch(alice, *(put(f"/tasks/{id_}", title="Dig") for id_ in ids))
    make(alice, "comments", task_id=ids[0], text="Where?")
    alice.api.delete(f"/tasks/{ids[0]}")
    undo_request(alice, request)
    assert not Task.objects.alive().exists()
