"""Two at once: what each of them may do alone, both together may not make wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import make_project, make_section
from todo_project.db.rows import uuid7
from todo_project.todos.models import Label, Project, Section

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
PATIENCE = 120  # seconds; the machine may be busy


def together(*actions: Callable[[], Any]) -> list[int]:
    """Do all at the same moment, each with a connection of its own; gives the statuses."""
    barrier, statuses = threading.Barrier(len(actions)), []

    def run(action: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            statuses.append(action().status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return sorted(statuses)


@pytest.mark.parametrize("attempt", range(5))
def test_two_moves_make_no_cycle(person: Any, attempt: int) -> None:
    alice: Person = person("alice")
    one, two = make_project(alice), make_project(alice)
    statuses = together(
        lambda: alice.api.patch(f"/projects/{one['id']}", {"parent_id": two["id"]}),
        lambda: alice.api.patch(f"/projects/{two['id']}", {"parent_id": one["id"]}),
    )
    assert statuses == [200, 400]


@pytest.mark.parametrize("attempt", range(5))
def test_one_id_is_made_once(person: Any, attempt: int) -> None:
    alice: Person = person("alice")
    path = f"/projects/{uuid7()}"
    statuses = together(*[lambda: alice.api.put(path, {"name": "Once"}) for _ in range(4)])
    assert statuses == [200, 200, 200, 201]
    assert Project.objects.filter(name="Once").count() == 1


@pytest.mark.parametrize("attempt", range(5))
def test_one_name_is_given_once(person: Any, attempt: int) -> None:
    alice: Person = person("alice")
    statuses = together(*[lambda: alice.api.post("/labels", {"name": "Home"}) for _ in range(3)])
    assert statuses == [201, 409, 409]
    assert Label.objects.count() == 1


@pytest.mark.parametrize("attempt", range(5))
def test_nothing_is_put_into_what_is_trashed_meanwhile(person: Any, attempt: int) -> None:
    alice: Person = person("alice")
    project = make_project(alice)
    statuses = together(
        lambda: alice.api.delete(f"/projects/{project['id']}"),
        lambda: alice.api.post("/sections", {"name": "Late", "project_id": project["id"]}),
        lambda: alice.api.post("/tasks", {"title": "Late", "project_id": project["id"]}),
        lambda: alice.api.post("/projects", {"name": "Late", "parent_id": project["id"]}),
    )
    assert 204 in statuses
    row = Project.objects.get(id=project["id"])
    late = [*row.sections.all(), *row.tasks.all(), *row.children.all()]
    assert [repr(each) for each in late if each.deleted_at != row.deleted_at] == []
    assert timezone.now() > (row.deleted_at or timezone.now())


@pytest.mark.parametrize("attempt", range(5))
def test_nothing_is_put_into_a_section_that_is_trashed_or_moved_meanwhile(person: Any, attempt: int) -> None:
    alice: Person = person("alice")
    there, section = make_project(alice), make_section(alice, make_project(alice))
    path = f"/sections/{section['id']}"
    together(
        lambda: alice.api.patch(path, {"project_id": there["id"]}),
        lambda: alice.api.post("/tasks", {"title": "Late", "section_id": section["id"]}),
        lambda: alice.api.delete(path),
        lambda: alice.api.post("/tasks", {"title": "Late", "section_id": section["id"]}),
    )
    row = Section.objects.get(id=section["id"])
    assert row.deleted_at is not None
    for task in row.tasks.all():
        assert task.deleted_at == row.deleted_at
        assert task.project_id == row.project_id
