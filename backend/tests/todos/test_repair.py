"""What earlier releases leave behind is repaired."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import models
from django.utils import timezone

from tests.conftest import Person
from tests.todos.logged import brief, logged
from tests.todos.stories import broken_rules, make_project, post_task, share
from todo_project.db.rows import uuid7
from todo_project.jobs.queue import registry
from todo_project.todos.models import Membership, Project, Role, Task, TaskAssignee
from todo_project.todos.services import repair

pytestmark = pytest.mark.django_db


def move(project: dict[str, Any], parent: dict[str, Any] | None) -> None:
    """Move a project as a release does that knows no memberships."""
    Project.objects.filter(id=project["id"]).update(parent_id=None if parent is None else parent["id"])


def repair_all(batch: int = 1) -> None:
    repair.repair_sharing(now=timezone.now(), batch=batch)


def test_a_project_that_moved_out_of_a_shared_one_loses_its_members(alice: Person, bob: Person) -> None:
    shared = make_project(alice)
    moved = make_project(alice, parent_id=shared["id"])
    below = make_project(alice, parent_id=moved["id"])
    share(shared, bob, Role.EDITOR)
    task = post_task(alice, project_id=below["id"], assignees=[str(bob.user.pk)])
    move(moved, None)
    assert broken_rules()
    with logged() as changes:
        registry["todos.repair_sharing"].run()
    assert broken_rules() == []
    assert ("member", "deleted") in brief(changes())
    assert bob.api.get(f"/projects/{below['id']}").status_code == 404
    assert bob.api.get(f"/projects/{shared['id']}").status_code == 200
    assert alice.api.get(f"/tasks/{task['id']}").json()["assignees"] == []


@pytest.mark.parametrize("own", [None, Role.ADMIN])
def test_a_project_that_moved_into_a_shared_one_gets_its_members(
    alice: Person, bob: Person, own: Role | None
) -> None:
    shared, moved = make_project(alice), make_project(alice)
    below = make_project(alice, parent_id=moved["id"])
    share(shared, bob, Role.EDITOR)
    if own:
        share(below, bob, own)
    move(moved, shared)
    repair_all()
    assert broken_rules() == []
    assert bob.api.get(f"/projects/{below['id']}").json()["role"] == ("admin" if own else "editor")


def test_what_is_right_stays_as_it_is(alice: Person, bob: Person) -> None:
    shared = make_project(alice)
    make_project(alice, parent_id=shared["id"])
    make_project(bob)
    share(shared, bob)
    with logged() as changes:
        repair_all()
    assert changes() == []


@pytest.mark.parametrize("gone", ["project", "user"])
def test_memberships_of_nothing_are_deleted(alice: Person, bob: Person, gone: str) -> None:
    shared = make_project(alice)
    share(shared, bob)
    project = Project.objects.get(id=shared["id"])
    orphan = {"project": project, "user": bob.user} | {f"{gone}_id": uuid7()}
    orphan.pop(gone)
    Membership.objects.create(role=Role.VIEWER, created_at=timezone.now(), **orphan)
    with logged() as changes:
        repair_all()
    assert brief(changes()) == [("member", "deleted")]
    assert list(Membership.objects.values_list("project_id", "user_id")) == [(project.id, bob.user.pk)]


@pytest.mark.parametrize("gone", ["task", "user"])
def test_assignees_of_nothing_are_deleted(alice: Person, gone: str) -> None:
    task = post_task(alice, assignees=[str(alice.user.pk)])
    kept: models.QuerySet[TaskAssignee] = TaskAssignee.objects.filter(task_id=task["id"], user=alice.user)
    orphan = {"task": Task.objects.get(id=task["id"]), "user": alice.user} | {f"{gone}_id": uuid7()}
    orphan.pop(gone)
    TaskAssignee.objects.create(**orphan)
    repair_all()
    assert TaskAssignee.objects.get() == kept.get()


def test_a_task_that_moved_out_of_a_shared_project_loses_its_strangers(alice: Person, bob: Person) -> None:
    shared, own = make_project(alice), make_project(alice)
    share(shared, bob, Role.EDITOR)
    both = [str(alice.user.pk), str(bob.user.pk)]
    moved, stays = (post_task(alice, project_id=shared["id"], assignees=both) for _ in range(2))
    Task.objects.filter(id=moved["id"]).update(project_id=own["id"])
    with logged() as changes:
        repair_all()
    assert ("task", "updated") in brief(changes())
    found = alice.api.get(f"/tasks/{moved['id']}").json()
    assert found["assignees"] == [str(alice.user.pk)]
    assert alice.api.get(f"/tasks/{stays['id']}").json()["assignees"] == sorted(both)
    before = moved["updated_at"]
    assert found["updated_at"] > before
