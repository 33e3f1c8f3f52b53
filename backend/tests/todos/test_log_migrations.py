"""The migrations that create the triggers of the log go back and forth."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase
from django.utils import timezone

from todo_project.accounts.models import User
from todo_project.todos.models import Change, Project, Task


def triggers() -> dict[str, str]:
    """Return the triggers of the log by name, and what they do."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgname, pg_get_triggerdef(oid) || pg_get_functiondef(tgfoid) FROM pg_trigger"
                " WHERE tgname LIKE 'log\\_%'"
            )
        else:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        return dict(cursor.fetchall())


class TestLogMigrations(TransactionTestCase):
    def tearDown(self) -> None:
        call_command("migrate", verbosity=0)

    def test_without_comments_tasks_are_still_logged(self) -> None:
        before = triggers()
        call_command("migrate", "comments", "zero", verbosity=0)
        self.assert_tasks_are_logged()
        assert {name for name in before if "comments" not in name} >= triggers().keys()
        call_command("migrate", verbosity=0)
        assert triggers() == before

    def test_all_triggers_come_back(self) -> None:
        before = triggers()
        call_command("migrate", "todos", "0013", verbosity=0)
        if connection.vendor == "postgresql":
            assert triggers() == {}
        call_command("migrate", verbosity=0)
        assert triggers() == before

    def assert_tasks_are_logged(self) -> None:
        times = {"created_at": timezone.now(), "updated_at": timezone.now()}
        owner = User.objects.create(email="alice@example.org", **times)
        project = Project.objects.create(owner=owner, name="Garden", position="i1", **times)
        task = Task.objects.create(owner=owner, project=project, title="Dig", position="i1", **times)
        Task.objects.filter(id=task.id).update(deleted_at=timezone.now())
        rows = Change.objects.filter(object_id=task.id).order_by("id")
        assert [row.action for row in rows] == ["created", "updated"]
