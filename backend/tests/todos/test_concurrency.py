"""Two requests for the same projects, sections or labels: the second waits for the first (PostgreSQL)."""

from __future__ import annotations

import pytest

from tests.conftest import Person
from tests.todos.races import one_waits
from tests.todos.stories import broken_rules, make_project, make_section, pointers
from todo_project.db.rows import uuid7
from todo_project.todos.models import Label, Project

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_two_moves_make_no_cycle(alice: Person) -> None:
    one, two = make_project(alice), make_project(alice)
    moved, refused = one_waits(
        lambda: alice.api.patch(f"/projects/{one['id']}", {"parent_id": two["id"]}),
        lambda: alice.api.patch(f"/projects/{two['id']}", {"parent_id": one["id"]}),
    )
    assert moved.status_code == 200
    assert pointers(refused) == ["/parent_id"]


def test_one_id_is_created_once(alice: Person) -> None:
    path = f"/projects/{uuid7()}"
    put = lambda: alice.api.put(path, {"name": "Once"})  # noqa: E731
    first, second = one_waits(put, put)
    assert (first.status_code, second.status_code) == (201, 200)
    assert Project.objects.filter(name="Once").count() == 1


def test_one_name_is_given_once(alice: Person) -> None:
    post = lambda: alice.api.post("/labels", {"name": "Home"})  # noqa: E731
    first, second = one_waits(post, post)
    assert (first.status_code, second.status_code) == (201, 409)
    assert Label.objects.count() == 1


def test_two_new_sections_get_different_positions(alice: Person) -> None:
    project = make_project(alice)
    first, second = one_waits(lambda: make_section(alice, project), lambda: make_section(alice, project))
    assert first["position"] < second["position"]


@pytest.mark.parametrize("kind", ["sections", "projects"])
@pytest.mark.parametrize("is_first", [True, False])
def test_nothing_is_added_to_a_project_that_is_being_trashed(alice: Person, kind: str, is_first: bool) -> None:
    project = make_project(alice)
    body = {"name": "Late", "project_id" if kind == "sections" else "parent_id": project["id"]}
    requests = [lambda: alice.api.delete(f"/projects/{project['id']}"), lambda: alice.api.post(f"/{kind}", body)]
    trashed, added = one_waits(*requests) if is_first else reversed(one_waits(*reversed(requests)))
    assert trashed.status_code == 204
    assert added.status_code == (400 if is_first else 201)
    assert broken_rules() == []


@pytest.mark.parametrize("is_first", [True, False])
def test_a_section_does_not_move_into_a_project_that_is_being_trashed(alice: Person, is_first: bool) -> None:
    section, there = make_section(alice, make_project(alice)), make_project(alice)
    requests = [
        lambda: alice.api.delete(f"/projects/{there['id']}"),
        lambda: alice.api.patch(f"/sections/{section['id']}", {"project_id": there["id"]}),
    ]
    trashed, moved = one_waits(*requests) if is_first else reversed(one_waits(*reversed(requests)))
    assert trashed.status_code == 204
    assert moved.status_code == (400 if is_first else 200)
    assert broken_rules() == []
