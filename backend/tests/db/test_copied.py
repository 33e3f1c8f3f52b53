"""Triggers copy the project of a task to its labels, whoever writes."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.conftest import Person
from tests.todos.logged import logged
from tests.todos.races import one_waits
from tests.todos.stories import broken_rules, make, make_project, post_task
from todo_project.db import copied
from todo_project.db.copied import KeepCopies
from todo_project.todos.models import Task, TaskLabel


def test_every_copied_column_has_a_migration() -> None:
    migrations = MigrationLoader(None).disk_migrations.values()
    operations = [each for migration in migrations for each in migration.operations]
    assert [each.copied for each in operations if isinstance(each, KeepCopies)] == copied.columns


def test_a_label_moves_with_its_task(alice: Person) -> None:
    label, there = make(alice, "labels", name="home"), make_project(alice)
    task = post_task(alice, labels=[label["id"]])
    link = TaskLabel.objects.get(task_id=task["id"])
    assert str(link.project_id) == task["project_id"]
    with logged() as rows:
        assert alice.api.patch(f"/tasks/{task['id']}", {"project_id": there["id"]}).status_code == 200
    link.refresh_from_db()
    assert str(link.project_id) == there["id"]
    assert broken_rules() == []
    assert all("labels" not in row.fields for row in rows())


def test_a_statement_that_does_not_know_the_column_is_right_too(alice: Person) -> None:
    label, there = make(alice, "labels", name="home"), make_project(alice)
    task, other = (Task.objects.get(id=post_task(alice)["id"]) for _ in range(2))
    with connection.cursor() as cursor:
        for each in (task, other):
            cursor.execute(
                "INSERT INTO todos_tasklabel (task_id, label_id)"
                " SELECT task.id, label.id FROM todos_task AS task, todos_label AS label WHERE task.id = %s",
                [each.id.hex],
            )
    Task.objects.filter(id=task.id).update(project_id=there["id"])
    assert TaskLabel.objects.filter(label_id=label["id"]).count() == 2
    assert broken_rules() == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moves_first", [True, False])
def test_a_move_at_the_same_time_is_not_missed(alice: Person, moves_first: bool) -> None:
    label, there = make(alice, "labels", name="home"), make_project(alice)
    task = Task.objects.get(id=post_task(alice)["id"])

    def move() -> None:
        Task.objects.filter(id=task.id).update(project_id=there["id"])

    def put_on() -> None:
        TaskLabel.objects.create(task=task, label_id=label["id"])

    one_waits(*((move, put_on) if moves_first else (put_on, move)))
    assert str(TaskLabel.objects.get().project_id) == there["id"]
