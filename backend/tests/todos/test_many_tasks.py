"""In a project of thousands of tasks, what concerns one of them reads a few rows of the table."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import fill, make_project, post_task
from todo_project.accounts.models import User
from todo_project.todos.models import Project, Task
from todo_project.todos.services import ordering, placement

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


def put_tasks_into(projects: int, *, accounts: int, tasks: int) -> placement.Place:
    """Make accounts, so many projects in each, and so many tasks in each project; return the place of one."""
    now = timezone.now()
    dates = {"created_at": now, "updated_at": now}
    owners = User.objects.bulk_create(User(email=f"{n}@example.org", **dates) for n in range(accounts))
    made = Project.objects.bulk_create(
        Project(owner=owner, name=f"{n}", position="a1", **dates) for owner in owners for n in range(projects)
    )
    Task.objects.bulk_create(
        Task(owner=project.owner, project=project, title=f"{n}", position=f"a{n}1", **dates)
        for project in made
        for n in range(tasks)
    )
    with connection.cursor() as cursor:
        cursor.execute("REINDEX TABLE todos_task")  # see crowded
        cursor.execute("ANALYZE todos_task")
    return placement.Place(project_id=made[0].id, section_id=None, parent_id=None)


def test_the_last_position_is_at_the_end_of_the_index_whatever_else_the_account_has(db: None) -> None:
    place = put_tasks_into(5, accounts=40, tasks=20)
    with CaptureQueriesContext(connection) as sent:
        ordering.last_at(place)
    # as a prepared statement, which PostgreSQL plans without knowing the values
    numbers = itertools.count(1)
    uuids = re.compile(r"'[0-9a-f-]{32,36}'::uuid")
    statement = uuids.sub(lambda _: f"${next(numbers)}", sent.captured_queries[0]["sql"])
    values = ", ".join(uuids.findall(sent.captured_queries[0]["sql"]))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE last_position AS {statement}")
        cursor.execute(f"EXPLAIN EXECUTE last_position ({values})")
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("DEALLOCATE last_position")
    assert "Backward using task_order" in plan, plan
    assert "Sort" not in plan, plan


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
