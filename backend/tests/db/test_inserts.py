"""Compiled inserts send the same values as the ORM."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from todo_project.db.inserts import insert
from todo_project.db.rows import uuid7
from todo_project.todos.models import Label, Project, Task, TaskLabel

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC)


def new_task(alice: Any, title: str = "Buy 100 % 'ü'\\") -> Task:
    inbox = Project.objects.get(owner=alice.user)
    return Task(
        id=uuid7(),
        owner=alice.user,
        project=inbox,
        title=title,
        position="i1",
        priority=3,
        due_at=NOW,
        reminders=[{"at": "2027-01-01T00:00:00Z"}],
        created_at=NOW,
        updated_at=NOW,
    )


def stored(row: models.Model) -> dict[str, Any]:
    return type(row)._default_manager.filter(pk=row.pk).values().get()


def test_a_row_is_stored_as_the_orm_stores_it(alice: Any) -> None:
    ours, theirs = new_task(alice), new_task(alice)
    sent = []
    for row, write in ((ours, lambda: insert([ours])), (theirs, lambda: theirs.save(force_insert=True))):
        with CaptureQueriesContext(connection) as captured:
            write()
        [query] = captured
        sql = query["sql"].partition(" RETURNING ")[0]  # of columns that have a default, which the row has, too
        sent.append(sql.replace(str(row.id), "id").replace(row.id.hex, "id"))
    assert sent[0] == sent[1]
    assert {**stored(ours), "id": None} == {**stored(theirs), "id": None}


def test_the_row_can_then_be_changed(alice: Any) -> None:
    task = new_task(alice)
    insert([task])
    assert not task._state.adding
    task.title = "Buy milk"
    task.save()
    assert Task.objects.get().title == "Buy milk"


def test_several_rows_are_inserted_in_one_statement(alice: Any) -> None:
    tasks = [new_task(alice, f"Task {number}") for number in range(3)]
    for count in (3, 2, 1):
        Task.objects.all().delete()
        with CaptureQueriesContext(connection) as sent:
            insert(tasks[:count])
        assert len(sent) == 1
        assert [task.title for task in Task.objects.order_by("id")] == [f"Task {number}" for number in range(count)]


def test_rows_that_exist_are_left_as_they_are_if_wished(alice: Any) -> None:
    task = new_task(alice)
    insert([task])
    labels = [Label(owner=alice.user, name=name, created_at=NOW, updated_at=NOW) for name in "abc"]
    insert(labels)
    links = [TaskLabel(task_id=task.id, label_id=label.id) for label in labels]
    insert(links[1:2], ignore_conflicts=True)
    before = TaskLabel.objects.get()
    insert(links, ignore_conflicts=True)
    assert {link.label_id for link in TaskLabel.objects.all()} == {label.id for label in labels}
    assert TaskLabel.objects.get(label_id=before.label_id).id == before.id
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(links)


def test_a_model_with_values_that_the_database_computes_is_refused() -> None:
    class Computed(models.Model):
        at = models.DateTimeField(db_default=Now())

        class Meta:
            app_label = "tests"

        def __str__(self) -> str:
            return str(self.at)

    with pytest.raises(LookupError, match="computes columns of Computed"):
        insert([Computed()])
