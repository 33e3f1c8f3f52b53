"""Whatever writes a row of the domain, the log has it, with who wrote it."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.accounts.test_admin import operator  # noqa: F401 - a fixture
from tests.conftest import Person
from tests.imports.calendars import calendar, todo
from tests.todos.logged import brief, logged
from tests.todos.stories import make, make_project, make_section, make_task, post_task, share
from todo_project.db.changes import actor, registry
from todo_project.db.changes.operations import LogChanges
from todo_project.imports.services import components, imports
from todo_project.imports.tasks import run
from todo_project.todos.models import Change, Label, Membership, Project, Section, Task, TaskLabel
from todo_project.todos.services import changes, purge
from todo_project.todos.tasks import purge_changes

pytestmark = pytest.mark.django_db(transaction=True)

# The tables whose changes nobody follows, each with the reason.
NOT_LOGGED = {
    "accounts_user": "an account is read as a whole, at /me",
    "accounts_user_groups": "Django's, for operators",
    "accounts_user_user_permissions": "Django's, for operators",
    "accounts_apitoken": "a secret",
    "accounts_knownaddress": "the service's own record",
    "comments_earliertext": "a part of the comment, whose text is logged",
    "common_idempotencyrecord": "the service's own record",
    "common_ratecounter": "the service's own record",
    "imports_import": "a job, which its client asks about",
    "notifications_logreader": "the service's own record",
    "notifications_notification": "a list of its own, at /notifications",
    "notifications_scheduled": "follows from the tasks",
    "ops_backuprun": "the service's own record",
    "todos_change": "the log itself",
    "search_document": "made of tasks and comments, which are",
    "todos_invitation": "a list of its own, at /invitations",
}
LABEL = uuid.UUID(int=1)


def own_tables() -> set[str]:
    return {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model.__module__.startswith("todo_project.")
    }


def test_a_trigger_reads_no_table_that_a_later_migration_creates() -> None:
    migrations = MigrationLoader(None).disk_migrations
    names = [
        name
        for (app, _), migration in migrations.items()
        for operation in migration.operations
        if app == "todos" and isinstance(operation, LogChanges)
        for name in operation.names
    ]
    assert names
    assert [name for name in names if "comments_" in repr(registry.tables[name])] == []


def test_every_table_is_logged_or_has_a_reason_not_to_be() -> None:
    assert own_tables() == registry.tables.keys() | NOT_LOGGED.keys()
    assert not registry.tables.keys() & NOT_LOGGED.keys()


def test_every_logged_table_has_its_triggers() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'log\\_%' AND tgenabled = 'O'"
            )
            assert {name for (name,) in cursor.fetchall()} == {*registry.tables}
            return
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        found = {name for (name,) in cursor.fetchall()}
    assert found >= {
        f"log_{table}_{event.lower()}" for table in registry.tables for event in registry.tables[table].events
    }


def test_a_change_has_who_what_when_and_the_columns_from_and_to(alice: Person) -> None:
    task = post_task(alice, title="Dig")
    with logged() as rows:
        answer = alice.api.patch(f"/tasks/{task['id']}", {"title": "Weed", "priority": 3})
    (row,) = rows()
    assert (row.kind, str(row.object_id), row.action) == ("task", task["id"], "updated")
    assert str(row.project_id) == task["project_id"]
    assert row.actor_id == alice.user.id
    assert row.token_id == alice.user.tokens.get().id
    assert row.request_id == answer["X-Request-ID"]
    assert row.fields == {"title": ["Dig", "Weed"], "priority": [0, 3]}
    assert row.at.tzinfo is not None


def test_a_new_version_without_a_new_value_is_logged_for_clients_only(alice: Person) -> None:
    task = Task.objects.get(id=post_task(alice)["id"])
    with logged() as rows:
        Task.objects.filter(id=task.id).update(version=7, updated_at=timezone.now())
    assert [(row.action, row.fields) for row in rows()] == [("updated", {})]
    assert not Change.objects.filter(id=rows()[0].id).for_people().exists()


@pytest.mark.parametrize("pair", [[0, 1], [None, "x"], [[], [{"at": "x"}]]])
def test_a_column_of_a_later_release_is_left_out(pair: list[Any]) -> None:
    row = Change(kind="task", fields={"title": ["Dig", "Weed"], "labels": [[], [str(LABEL)]], "later": pair})
    assert row.sides(Task) == ({"title": "Dig", "labels": []}, {"title": "Weed", "labels": [LABEL]})


def test_a_label_that_is_put_on_and_taken_off_is_a_change_of_the_task(alice: Person) -> None:
    label, task = make(alice, "labels", name="urgent")["id"], post_task(alice)
    hexes: Any = lambda ids: [uuid.UUID(each) for each in ids]  # noqa: E731 - SQLite stores them without dashes
    for change, wanted in (([label], [[], [label]]), ([], [[label], []])):
        with logged() as rows:
            alice.api.patch(f"/tasks/{task['id']}", {"labels": change})
        # labels are put on after the task is saved, and taken off before
        version, link = rows() if change else reversed(rows())
        assert (version.fields, link.kind, link.action) == ({}, "task", "updated")
        assert str(link.object_id) == task["id"]
        assert [hexes(ids) for ids in link.fields["labels"]] == [hexes(ids) for ids in wanted]


def test_a_task_that_moves_is_logged_where_it_was_and_where_it_is(alice: Person) -> None:
    there, task = make_project(alice), post_task(alice)
    with logged() as rows:
        alice.api.patch(f"/tasks/{task['id']}", {"project_id": there["id"]})
    assert {str(row.project_id) for row in rows()} == {there["id"], task["project_id"]}
    assert brief(rows()) == [("task", "updated")] * 2


def test_a_label_is_logged_in_each_shared_project_that_uses_it(alice: Person, bob: Person) -> None:
    shared, own = make_project(alice), make_project(alice)
    share(shared, bob)
    label = make(alice, "labels", name="urgent")["id"]
    for project in (shared, shared, own):
        post_task(alice, project_id=project["id"], labels=[label])
    with logged() as rows:
        alice.api.patch(f"/labels/{label}", {"name": "soon"})
    assert {(row.project_id, row.user_id) for row in rows()} == {
        (None, alice.user.id),
        (uuid.UUID(shared["id"]), None),
    }


def test_a_membership_is_logged_for_the_member_and_the_project(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    with logged() as rows:
        share(project, bob)
        Membership.objects.all().delete()
    members = [row for row in rows() if row.kind == "member"]
    assert brief(members) == [("member", "created"), ("member", "deleted")]
    assert {(str(row.project_id), row.user_id) for row in members} == {(project["id"], bob.user.id)}


def test_statements_that_no_code_of_ours_sends_are_logged(alice: Person) -> None:
    post_task(alice)
    with logged() as rows, connection.cursor() as cursor:
        cursor.execute("UPDATE todos_task SET title = 'Weed'")
        cursor.execute("DELETE FROM todos_task")
    assert brief(rows()) == [("task", "updated"), ("task", "deleted")]
    assert [row.actor_id for row in rows()] == [None, None]


def test_what_is_rolled_back_is_not_logged(alice: Person) -> None:
    with logged() as rows, transaction.atomic():
        make_task(alice, project=Project.objects.get(owner=alice.user))
        transaction.set_rollback(True)
    assert rows() == []


def test_many_rows_in_one_statement(alice: Person) -> None:
    project = Project.objects.get(owner=alice.user)
    with logged() as rows:
        for _ in range(3):
            make_task(alice, project=project)
        Task.objects.update(priority=2)
    assert brief(rows()) == [("task", "created")] * 3 + [("task", "updated")] * 3


def test_the_admin_names_the_operator(alice: Person, operator: Client) -> None:  # noqa: F811 - the fixture
    label = make(alice, "labels", name="urgent")["id"]
    with logged() as rows:
        operator.post("/admin/todos/label/", {"action": "move_to_trash", "_selected_action": label})
    assert [(row.kind, list(row.fields)) for row in rows()] == [("label", ["deleted_at"])]
    assert {row.actor_id for row in rows()} == {uuid.UUID(operator.session["_auth_user_id"])}
    assert actor.current() is None


def test_an_import_is_logged(alice: Person) -> None:
    data = calendar(todo("CATEGORIES:urgent", uid="a", summary="Dig"), todo(uid="b", summary="Weed"))
    with logged() as rows:
        imports.import_ics(user=alice.user, contents=components.parse(data), now=timezone.now)
    assert sorted(brief(rows())) == [
        ("label", "created"),
        ("task", "created"),
        ("task", "created"),
        ("task", "updated"),
    ]


def test_the_job_of_an_import_names_the_person(alice: Person) -> None:
    data = calendar(todo(uid="a", summary="Dig"))
    with logged() as rows:
        started = imports.start_import(user=alice.user, data=data, project_id=None, now=timezone.now())
        if connection.vendor == "postgresql":  # elsewhere it has run
            run(import_id=str(started.id))
    assert [(row.kind, row.actor_id, row.token_id) for row in rows()] == [("task", alice.user.id, None)]


def test_demo_data_is_logged(db: None) -> None:
    with logged() as rows:
        call_command("demo_data", verbosity=0)
    found = {(row.kind, row.object_id) for row in rows() if row.action == "created"}
    for kind in (Project, Section, Task, Label):
        assert {(kind._meta.model_name, id_) for id_ in kind.objects.values_list("id", flat=True)} <= found
    assert TaskLabel.objects.exists()


def test_the_purge_is_logged(alice: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    label = make(alice, "labels", name="urgent")["id"]
    task = post_task(alice, section_id=section["id"], labels=[label])
    alice.api.delete(f"/projects/{project['id']}")
    alice.api.delete(f"/labels/{label}")
    now = timezone.now() + dt.timedelta(days=1)
    with logged() as rows:
        purge.purge_trash(before=now, now=now)
    deleted = [(row.kind, str(row.object_id)) for row in rows() if row.action == "deleted"]
    wanted = [("task", task["id"]), ("section", section["id"]), ("project", project["id"]), ("label", label)]
    assert sorted(deleted) == sorted(wanted)


def test_what_goes_with_an_account_is_logged(alice: Person) -> None:
    post_task(alice)
    with logged() as rows:
        alice.user.delete()
    assert set(brief(rows())) == {("project", "deleted"), ("task", "deleted"), ("filter", "deleted")}


def test_no_write_is_attributed_to_the_caller_before(alice: Person, anonymous: Any) -> None:
    post_task(alice)
    with logged() as rows:
        answer = anonymous.post(
            "/auth/register", {"email": "eve@example.org", "password": "correct horse battery staple", "name": "E"}
        )
    assert answer.status_code == 201
    assert {row.actor_id for row in rows()} == {None}


def test_a_batch_names_the_caller_in_each_operation(alice: Person) -> None:
    operations = [{"method": "POST", "path": "/tasks", "body": {"title": title}} for title in ("Dig", "Weed")]
    with logged() as rows:
        alice.api.post("/batch", {"operations": operations})
    assert [row.actor_id for row in rows()] == [alice.user.id] * 2
    assert len({row.request_id for row in rows()}) == 1


def test_the_actor_costs_no_statement(alice: Person, settings: Any) -> None:
    settings.REQUESTS_PER_TOKEN = 0
    task = post_task(alice)
    with CaptureQueriesContext(connection) as sent:
        alice.api.post(f"/tasks/{task['id']}/complete")
    statements = [each["sql"] for each in sent if not each["sql"].startswith(("BEGIN", "COMMIT"))]
    assert len(statements) == 3  # token, read, update


def test_old_rows_are_purged_and_others_stay(alice: Person, settings: Any) -> None:
    settings.CHANGES_RETENTION_DAYS = 90
    for _ in range(5):
        post_task(alice)
    old = dt.timedelta(days=91, minutes=1)
    oldest = list(Change.objects.order_by("id").values_list("id", flat=True)[:4])
    Change.objects.filter(id__in=oldest).update(at=timezone.now() - old)
    purge_changes()
    assert not Change.objects.filter(id__in=oldest).exists()
    assert Change.objects.exists()


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_the_purge_goes_on_until_a_row_is_young(alice: Person, batch: int) -> None:
    for _ in range(4):
        post_task(alice)
    count = Change.objects.count()
    young = Change.objects.newest_first().first()
    assert young is not None
    Change.objects.exclude(id=young.id).update(at=timezone.now() - dt.timedelta(days=9))
    assert changes.purge_changes(before=timezone.now() - dt.timedelta(days=2), batch=batch) == count - 1
    assert list(Change.objects.all()) == [young]


@pytest.mark.postgres
def test_a_function_of_the_log_names_no_column_of_its_table(alice: Person) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'log_todos_task'")
        (source,) = cursor.fetchone()
    used = set(re.findall(r"\b(?:OLD|NEW)\.(\w+)", source))
    assert used == {"id", "project_id", "owner_id", "deleted_at"}
