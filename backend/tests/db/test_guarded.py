"""What is inserted under a condition is what the ORM would insert, or nothing (PostgreSQL)."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import make, make_project, post_task
from todo_project.db import guarded
from todo_project.db.rows import uuid7
from todo_project.todos.models import Label, Project, Task, TaskLabel
from todo_project.todos.services import tasks

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
INSERT = tasks._INSERT_INTO
PATIENCE = 120  # seconds; the machine may be busy


def new_task(person: Person, **values: Any) -> Task:
    now = timezone.now()
    given = {"title": "Crème brûlée 100 %s", "position": "a1", "created_at": now, "updated_at": now} | values
    return Task(owner_id=person.user.pk, project=Project.objects.get(owner=person.user, is_inbox=True), **given)


def insert(task: Task, labels: Any = ()) -> bool:
    guard = {"owner_id": task.owner_id, "project_id": task.project_id}
    return INSERT.run(task, guard=guard, marks={"owner_id": task.owner_id, "ids": list(labels)})


FULL: dict[str, Any] = {
    "due_at": dt.datetime(2027, 1, 2, 3, 4, 5, 678901, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30))),
    "due_time_zone": "Asia/Kolkata",
    "start_date": dt.date(1970, 1, 1),
    "priority": 4,
    "reminders": [{"offset_seconds": -600, "relative_to": "due"}, {"at": "2027-01-02T00:00:00Z"}],
    "recurrence_rule": "FREQ=DAILY",
    "recurrence_mode": "schedule",
    "description": "quotes ' \" \\ and\nlines \t \u2028 😀 NULL null {} %(x)s",
    "uid": "1@example.org",
    "ical": "BEGIN:VTODO\r\nEND:VTODO",
    "completed_at": dt.datetime(2026, 12, 31, 23, 59, 59, tzinfo=dt.UTC),
}


@pytest.mark.parametrize(
    "values", [{}, FULL, *({name: value} for name, value in FULL.items() if name[-3:] != "_at")]
)
def test_a_row_is_written_as_the_orm_writes_it(alice: Person, values: dict[str, Any]) -> None:
    if "due_time_zone" in values:
        values = {"due_at": FULL["due_at"], **values}
    task, expected = new_task(alice, **values), new_task(alice, **values)
    labels = [make(alice, "labels", name=name)["id"] for name in ("home", "shop")]

    assert insert(task, labels)
    Task.objects.filter(pk=task.pk).update(uid="")  # which is once in a project
    expected.uid = ""
    expected.save(force_insert=True)

    written = Task.objects.with_label_ids().get(pk=task.pk)
    names = [
        field.attname
        for field in Task._meta.concrete_fields
        if field.attname not in ("id", "created_at", "updated_at")
    ]
    kept = Task.objects.get(pk=expected.pk)
    assert [getattr(written, name) for name in names] == [getattr(kept, name) for name in names]
    assert written.created_at == task.created_at
    assert [str(each) for each in written.label_ids] == sorted(labels)
    assert not task._state.adding


def test_the_statement_is_made_of_what_the_orm_sends(alice: Person) -> None:
    task, label = new_task(alice), uuid7()
    guard = {"owner_id": task.owner_id, "project_id": task.project_id}
    alone, _ = INSERT.statement(task, guard=guard, marks={"owner_id": task.owner_id, "ids": []})
    marked, values = INSERT.statement(task, guard=guard, marks={"owner_id": task.owner_id, "ids": [label]})
    rows: QuerySet[Project] = (
        Project.objects.visible_to(task.owner_id).alive().filter(id=task.project_id, is_archived=False)
    )
    locking, _ = rows.values_list("id").query.sql_with_params()
    labels, _ = (
        Label.objects.visible_to(task.owner_id)
        .alive()
        .filter(id__in=[label])
        .values_list("id")
        .query.sql_with_params()
    )
    for statement in (alone, marked):
        assert statement.startswith(f'WITH "guard" AS ({locking} FOR NO KEY UPDATE)')
        assert f'INSERT INTO "{Task._meta.db_table}" ("id", "version",' in statement
    assert f'"marks" AS ({labels})' in marked
    assert (marked.count("%s"), alone.count("%s")) == (len(values), len(values) - 3)  # owner, label, how many


@pytest.mark.parametrize("change", [{"is_archived": True}, {"deleted_at": timezone.now()}, {"owner": "bob"}])
def test_nothing_is_inserted_where_it_may_not_be(alice: Person, bob: Person, change: dict[str, Any]) -> None:
    project = make_project(alice)
    if "owner" in change:
        change = {"owner": bob.user}
    Project.objects.filter(pk=project["id"]).update(**change)
    task = new_task(alice, project_id=project["id"])

    assert not insert(task)

    assert task._state.adding
    assert not Task.objects.exists()


def test_nothing_is_inserted_without_all_of_its_labels(alice: Person, bob: Person) -> None:
    mine, trashed = make(alice, "labels", name="home")["id"], make(alice, "labels", name="old")["id"]
    alice.api.delete(f"/labels/{trashed}")
    for other in (trashed, make(bob, "labels", name="his")["id"], str(uuid7())):
        assert not insert(new_task(alice), [mine, other])
    assert not Task.objects.exists()
    assert not TaskLabel.objects.exists()


def test_what_a_constraint_forbids_is_an_error_and_nothing_is_left(alice: Person) -> None:
    insert(new_task(alice, uid="1@example.org"))
    for values in ({"uid": "1@example.org"}, {"priority": 9}):
        with pytest.raises(IntegrityError):
            insert(new_task(alice, **values))
    assert Task.objects.count() == 1


def test_the_server_keeps_one_statement_whatever_is_null(alice: Person) -> None:
    for values in ({}, FULL, {"due_date": dt.date(2027, 1, 1)}, {"start_at": timezone.now()}):
        assert insert(new_task(alice, **values))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%INSERT INTO \"todos_task\"%'"
        )
        assert cursor.fetchone() == (1,)


def test_it_waits_for_whoever_puts_the_project_into_the_trash(alice: Person) -> None:
    project = make_project(alice)
    answers: list[Any] = []

    def create() -> None:
        answers.append(alice.api.post("/tasks", {"title": "Dig", "project_id": project["id"]}))
        connection.close()

    with transaction.atomic():
        Project.objects.filter(pk=project["id"]).update(deleted_at=timezone.now())
        thread = threading.Thread(target=create)
        thread.start()
        time.sleep(0.5)
        assert not answers
    thread.join(PATIENCE)
    assert [answer.status_code for answer in answers] == [400]
    assert answers[0].json()["errors"][0]["pointer"] == "/project_id"
    assert not Task.objects.exists()


def test_tasks_made_at_once_are_all_there_and_in_an_order(alice: Person) -> None:
    titles = [str(number) for number in range(8)]
    threads = [
        threading.Thread(target=lambda title=title: (post_task(alice, title=title), connection.close()))
        for title in titles
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(Task.objects.values_list("title", flat=True)) == titles
    first, *_, last = Task.objects.order_by("position", "id").values_list("id", flat=True)

    moved = alice.api.post(f"/tasks/{last}/move", {"before": str(first)})

    assert moved.status_code == 200
    assert Task.objects.order_by("position", "id").values_list("id", flat=True)[0] == last


def test_a_value_that_would_be_written_wrong_is_refused(alice: Person) -> None:
    for value in (b"bytes", dt.timedelta(hours=1), 1.5):
        with pytest.raises(TypeError, match="no text that PostgreSQL reads"):
            guarded._untyped(value)
