"""No statement names all subtasks of a task, or all tasks of a project: PostgreSQL allows 65,535 values."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, post_task, share
from todo_project.db.among import Among
from todo_project.db.rows import uuid7
from todo_project.todos.models import Change, Role, Task, TaskAssignee, TaskLabel
from todo_project.todos.services import purge


def most_values(work: Callable[[], Any]) -> int:
    """Return the most values of one of the statements; on SQLite, Django inserts only as many rows as it allows."""
    counts: list[int] = []

    def count(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        if connection.vendor == "postgresql" or not sql.startswith("INSERT"):
            counts.append(len(values or ()))
        return execute(sql, values, many, context)

    with connection.execute_wrapper(count):
        work()
    return max(counts)


def series(alice: Person, bob: Person, count: int) -> tuple[dict[str, Any], str]:
    """Make a series with labelled and assigned subtasks on two levels; return its task and another project."""
    here, there = make_project(alice), make_project(alice)
    for project in (here, there):
        share(project, bob, Role.EDITOR)
    labels = [uuid.UUID(make(who, "labels", name=f"{count}")["id"]) for who in (alice, bob)]
    task = post_task(alice, project_id=here["id"], due={"date": "2026-12-01"}, recurrence={"rule": "FREQ=DAILY"})
    held = Task.objects.get(id=task["id"])
    parents = [held.id]
    for level in range(2):
        now = timezone.now()
        made = Task.objects.bulk_create(
            Task(
                id=uuid7(), owner=alice.user, project_id=held.project_id, parent_id=parents[n % len(parents)],
                title=f"{level} {n}", position=f"a{n}1", created_at=now, updated_at=now,
            )
            for n in range(count)
        )  # fmt: skip
        parents = [each.id for each in made]
        TaskLabel.objects.bulk_create(TaskLabel(task=each, label_id=label) for each in made for label in labels)
        TaskAssignee.objects.bulk_create(TaskAssignee(task=each, user_id=bob.user.pk) for each in made)
    return task, there["id"]


def each_write(alice: Person, bob: Person, count: int) -> dict[str, int]:
    """Return the most values of a statement of each write."""
    task, there = series(alice, bob, count)
    path = f"/tasks/{task['id']}"
    found: dict[str, int] = {}

    def write(name: str, work: Callable[[], Any]) -> None:
        def expect() -> None:
            answer = work()
            assert answer.status_code in (200, 204), (name, answer.content)

        found[name] = most_values(expect)

    def undo() -> Any:
        change = Change.objects.filter(object_id=task["id"], has_left=False).for_people().newest_first()[0]
        return alice.api.post("/undo", {"change_id": change.id})

    write("skip", lambda: alice.api.post(f"{path}/skip"))
    write("complete", lambda: alice.api.post(f"{path}/complete"))
    assert Task.objects.alive().filter(project_id=task["project_id"]).count() == 2 * (1 + 2 * count)
    write("reopen", lambda: alice.api.post(f"{path}/reopen"))
    assert Task.objects.alive().filter(project_id=task["project_id"]).count() == 1 + 2 * count
    write("delete", lambda: alice.api.delete(path))
    write("restore", lambda: alice.api.post(f"{path}/restore"))
    write("delete again", lambda: alice.api.delete(path))
    write("undo", undo)
    write("move", lambda: alice.api.patch(path, {"project_id": there}))
    assert TaskLabel.objects.filter(task__project_id=there).count() == 2 * count  # bob's label is unknown there
    write("undo a move", undo)
    section = make_section(alice, {"id": task["project_id"]})
    write("move to a section", lambda: alice.api.patch(path, {"section_id": section["id"]}))
    write("move of the section", lambda: alice.api.patch(f"/sections/{section['id']}", {"project_id": there}))
    for kind, held in (("sections", section["id"]), ("projects", there)):
        write(f"deletion in {kind}", lambda: alice.api.delete(f"/{kind}/{held}"))  # noqa: B023 - runs at once
        write(f"restoring in {kind}", lambda: alice.api.post(f"/{kind}/{held}/restore"))  # noqa: B023 - the same
    assert Task.objects.alive().filter(project_id=there).count() == 1 + 2 * count
    alice.api.delete(f"/projects/{there}")
    later = timezone.now() + dt.timedelta(days=1)
    found["purge"] = most_values(lambda: purge.purge_trash(before=later, now=later, batch=4))
    assert not Task.objects.filter(project_id=there).exists()
    return found


@pytest.mark.django_db(transaction=True)
def test_writes_have_as_many_values_for_many_subtasks_as_for_few(alice: Person, bob: Person) -> None:
    assert each_write(alice, bob, 5) == each_write(alice, bob, 50)


@pytest.mark.django_db
def test_any_number_of_ids_can_be_compared(alice: Person) -> None:
    ids = [uuid.UUID(post_task(alice)["id"]) for _ in range(3)]
    others = [uuid7() for _ in range(70_000)]
    assert set(Task.objects.filter(Among("id", [*others, *ids[:2]])).values_list("id", flat=True)) == {*ids[:2]}
    assert list(Task.objects.exclude(Among("id", [*others, *ids[:2]])).values_list("id", flat=True)) == ids[2:]
    assert list(Task.objects.filter(Among("id", []))) == []
    assert Task.objects.exclude(Among("id", [])).count() == 3
