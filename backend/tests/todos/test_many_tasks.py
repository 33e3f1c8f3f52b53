"""In a project of thousands of tasks, what concerns one of them reads a few rows of the table."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import fill, make_project, post_task
from todo_project.todos.models import Task

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL counts the rows it reads")
MANY = 3_000
FEW = 50


@pytest.fixture
def crowded(alice: Person) -> dict[str, Any]:
    # Tests that were rolled back leave pages in the indexes; once autovacuum has cut the table but not them,
    # the planner takes an index to cost more than reading all of the table.
    with connection.cursor() as cursor:
        cursor.execute("REINDEX TABLE todos_task")
    project = make_project(alice)
    fill(alice, project, MANY)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE todos_task")
    return project


def rows_read() -> int:
    """Give how many rows of tasks this transaction has read so far."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
            " WHERE relname = 'todos_task'"
        )
        return int(cursor.fetchone()[0])


def test_a_new_task_finds_its_place_behind_the_others(alice: Person, crowded: dict[str, Any]) -> None:
    before = rows_read()
    post_task(alice, project_id=crowded["id"])
    assert rows_read() - before < FEW


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_task_moves_beside_another(alice: Person, crowded: dict[str, Any], side: str) -> None:
    page = alice.api.get(f"/tasks?project_id={crowded['id']}&limit=200").json()["results"]
    before = rows_read()
    answer = alice.api.post(f"/tasks/{page[20]['id']}/move", {side: page[150]["id"]})
    assert answer.status_code == 200, answer.content
    assert rows_read() - before < FEW


def test_a_task_comes_in_from_another_project_and_back_from_the_trash(
    alice: Person, crowded: dict[str, Any]
) -> None:
    task = post_task(alice)
    before = rows_read()
    assert alice.api.patch(f"/tasks/{task['id']}", {"project_id": crowded["id"]}).status_code == 200
    assert alice.api.delete(f"/tasks/{task['id']}").status_code == 204
    assert alice.api.post(f"/tasks/{task['id']}/restore").status_code == 200
    assert rows_read() - before < FEW


def test_the_few_that_are_to_do_are_found_among_the_many_that_are_done(
    alice: Person, crowded: dict[str, Any]
) -> None:
    Task.objects.update(completed_at=timezone.now())
    still_open = {post_task(alice)["id"] for _ in range(3)}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE todos_task")
    before = rows_read()
    assert {row["id"] for row in alice.api.get("/tasks?is_completed=false").json()["results"]} == still_open
    assert rows_read() - before < FEW


def test_changes_of_one_instant_are_read_from_the_cursor_on(alice: Person, crowded: dict[str, Any]) -> None:
    path = "/tasks?updated_since=2020-01-01T00:00:00Z&limit=20"
    first = alice.api.get(f"{path[:-2]}200").json()
    assert len({row["updated_at"] for row in first["results"]}) == 1
    before = rows_read()
    page = alice.api.get(f"{path}&cursor={first['next_cursor']}").json()["results"]
    assert rows_read() - before < FEW
    assert len(page) == 20
    assert page[0]["id"] > first["results"][-1]["id"]
