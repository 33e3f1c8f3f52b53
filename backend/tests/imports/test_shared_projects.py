"""Imports into a project that somebody else shares."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.conftest import Person
from tests.imports.calendars import calendar, todo
from tests.imports.stories import counts, imported, send, task
from tests.todos.stories import broken_rules, make_project, pointers, post_task, share
from todo_project.imports.models import Import
from todo_project.imports.services import imports
from todo_project.todos.models import Role, Task

FILE = calendar(todo("CATEGORIES:Home", uid="task-1@example.org"), todo("RELATED-TO:task-1@example.org", uid="2"))


@pytest.mark.parametrize("role", [None, Role.VIEWER, Role.COMMENTER])
def test_who_may_not_edit_the_project_imports_nothing(alice: Person, bob: Person, role: Role | None) -> None:
    project = make_project(alice)
    if role is not None:
        share(project, bob, role)
    answer = send(bob, FILE, project_id=project["id"])
    if role is None:
        assert pointers(answer) == ["/project_id"]
    else:
        assert answer.json()["type"] == "urn:todo:problem:role_too_low"
    assert not Task.objects.exists()


def test_an_editor_imports_for_the_owner(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob, Role.EDITOR)
    assert counts(imported(bob, FILE, project_id=project["id"])) == (2, 0, 0)
    assert set(Task.objects.values_list("owner", flat=True)) == {alice.user.pk}
    assert task(alice)["labels"] == [bob.api.get("/labels").json()["results"][0]["id"]]
    assert counts(imported(bob, FILE, project_id=project["id"])) == (0, 0, 2)
    changed = FILE.replace(b"Water", b"Pour")
    assert counts(imported(bob, changed, project_id=project["id"])) == (0, 2, 0)
    assert task(alice)["title"] == "Pour the plants"
    assert broken_rules() == []


def test_tasks_of_other_shared_projects_are_not_touched(alice: Person, bob: Person) -> None:
    readable, own = make_project(alice), make_project(bob)
    assert counts(imported(alice, FILE, project_id=readable["id"])) == (2, 0, 0)
    before = list(Task.objects.order_by("id").values())
    for role in (Role.VIEWER, Role.EDITOR):
        share(readable, bob, role)
        report = imported(bob, FILE.replace(b"Water", b"Pour"), project_id=own["id"])
        assert counts(report) == ((2, 0, 0) if role is Role.VIEWER else (0, 0, 2))
        assert list(Task.objects.filter(owner=alice.user).order_by("id").values()) == before
    assert broken_rules() == []


def test_a_job_fails_when_the_member_was_removed_meanwhile(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(alice)
    post_task(alice, project_id=project["id"])
    share(project, bob, Role.EDITOR)
    monkeypatch.setattr(imports.queue, "defer", lambda *_, **__: None)
    row = imports.start_import(user=bob.user, data=FILE, project_id=project["id"], now=timezone.now())
    alice.api.delete(f"/projects/{project['id']}/members/{bob.user.pk}")
    imports.run_import(import_id=row.id, now=timezone.now)
    row = Import.objects.get(id=row.id)
    assert (row.status, row.error) == ("failed", "You have no project with this id. Check the id.")
    assert Task.objects.count() == 1
