"""A position costs a handful of rows, whatever the list looks like."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, post_task
from todo_project.db import positions
from todo_project.db.rows import uuid7
from todo_project.todos.models import Project, Section, Task
from todo_project.todos.services import ordering, tasks

ROWS_MAX = 40


def tied(who: Person, count: int) -> list[Task]:
    """Put tasks of one position into the Inbox, past the services."""
    inbox, now = Project.objects.get(owner=who.user), timezone.now()
    return Task.objects.bulk_create(
        Task(owner=who.user, project=inbox, title=str(n), position="i1", created_at=now, updated_at=now)
        for n in range(count)
    )


def order() -> list[str]:
    """Return the ids of all tasks in the order of the list."""
    return [str(id_) for id_ in Task.objects.order_by("position", "id").values_list("id", flat=True)]


def written() -> int:
    """Count the rows that are no longer the version that they were created as."""
    return Task.objects.exclude(version=1).count()


@pytest.mark.parametrize(("side", "neighbour"), [("before", 500), ("after", 0), ("after", 500), ("after", 999)])
def test_a_move_among_a_thousand_ties_writes_a_handful(alice: Person, side: str, neighbour: int) -> None:
    rows = tied(alice, 1_000)
    beside, moved = str(rows[neighbour].id), post_task(alice)["id"]
    answer = alice.api.post(f"/tasks/{moved}/move", {side: beside})
    assert answer.status_code == 200, answer.content
    now = order()
    assert now.index(moved) - now.index(beside) == (-1 if side == "before" else 1)
    assert written() <= ROWS_MAX


def test_moves_to_and_fro_between_two_neighbours_stay_short(alice: Person) -> None:
    first, last, *others = (uuid.UUID(post_task(alice, title=str(n))["id"]) for n in range(7))
    for number in range(300):
        beside = ordering.Beside(id=first if number % 2 else last, before=number % 2 == 0)
        task = tasks.move_task(
            user=alice.user, task_id=others[number % 5], to={}, beside=beside, now=timezone.now()
        )
        assert len(task.position) < 60
    assert (order()[0], order()[-1]) == (str(first), str(last))


def test_where_no_shorter_position_fits_the_rows_around_get_new_ones(alice: Person) -> None:
    ids = [post_task(alice, title=str(n))["id"] for n in range(100)]
    for id_, number in zip(ids, range(100), strict=True):
        tail = f"{number:03}".translate(str.maketrans("0123456789", "abcdefghij"))
        Task.objects.filter(id=id_).update(position="i1" + "0" * (positions.MAX_LENGTH - 5) + tail, version=1)
    moved = post_task(alice)["id"]
    answer = alice.api.post(f"/tasks/{moved}/move", {"after": ids[50]})
    assert answer.status_code == 200
    now = order()
    assert [id_ for id_ in now if id_ != moved] == ids
    assert now.index(moved) == 51
    assert 1 < written() <= ROWS_MAX


def test_every_row_that_gets_a_new_position_is_another_version(alice: Person) -> None:
    rows = tied(alice, 50)
    tags = {str(row.id): alice.api.get(f"/tasks/{row.id}")["ETag"] for row in rows}
    positions = dict(Task.objects.values_list("id", "position"))
    moved = post_task(alice)["id"]
    alice.api.post(f"/tasks/{moved}/move", {"after": str(rows[10].id)})
    for row in rows:
        answer = alice.api.get(f"/tasks/{row.id}")
        is_same = answer.json()["position"] == positions[row.id]
        assert (answer["ETag"] == tags[str(row.id)]) is is_same


def test_a_position_that_another_task_has_becomes_the_next_one(alice: Person) -> None:
    first, second = post_task(alice), post_task(alice)
    made = post_task(alice, position=first["position"])
    changed = alice.api.patch(f"/tasks/{second['id']}", {"position": first["position"]}).json()
    assert first["position"] < changed["position"] < made["position"]
    again = alice.api.patch(f"/tasks/{second['id']}", {"position": changed["position"]}).json()
    assert again == changed


@pytest.mark.parametrize("kind", ["projects", "sections"])
def test_projects_and_sections_have_positions_of_their_own_too(alice: Person, kind: str) -> None:
    project = make_project(alice)
    body = {"name": "x", **({"project_id": project["id"]} if kind == "sections" else {"parent_id": project["id"]})}
    first, second = make(alice, kind, **body), make(alice, kind, **body)
    third = make(alice, kind, **body, position=first["position"])
    assert first["position"] < third["position"] < second["position"]
    back = alice.api.patch(f"/{kind}/{second['id']}", {"position": first["position"]}).json()
    assert first["position"] < back["position"] < third["position"]


def test_a_project_that_moves_takes_a_position_that_is_free_there(alice: Person) -> None:
    here, there = make_project(alice), make_project(alice)
    first, second = make_project(alice, parent_id=here["id"]), make_project(alice, parent_id=there["id"])
    assert first["position"] == second["position"]
    moved = alice.api.patch(f"/projects/{second['id']}", {"parent_id": here["id"]}).json()
    assert moved["position"] > first["position"]


def test_a_section_that_moves_comes_behind_the_others(alice: Person) -> None:
    here, there = make_project(alice), make_project(alice)
    first, second = make_section(alice, here), make_section(alice, there)
    moved = alice.api.patch(f"/sections/{second['id']}", {"project_id": here["id"]}).json()
    assert moved["position"] > first["position"]
    assert Section.objects.get(id=second["id"]).version == 2


def test_a_repeated_request_for_a_taken_position_changes_nothing(alice: Person) -> None:
    post_task(alice, position="i5")
    path = f"/tasks/{uuid7()}"
    first, *others = (alice.api.put(path, {"title": "Sow", "position": "i5"}) for _ in range(3))
    assert first.status_code == 201
    assert first.json()["position"] > "i5"
    assert [(each.json(), each["ETag"]) for each in others] == [(first.json(), first["ETag"])] * 2
