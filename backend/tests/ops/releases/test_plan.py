"""What is pending, in its order, with what breaks the previous release; for people and for deploy's preflight."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, migrations, models
from django.db.migrations.loader import MigrationLoader

from todo_project.ops.releases import check_pending

COMMAND = "todo_project.ops.management.commands.migration_plan"


def migration(name: str, after: str, *operations: Any, **said: Any) -> migrations.Migration:
    made = type("Migration", (migrations.Migration,), said)(name, "todos")
    made.dependencies = [("todos", after)]
    made.operations = list(operations)
    return made


@pytest.fixture
def plant(db: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Add migrations of todos to those on the disk."""
    load_disk = MigrationLoader.load_disk
    last = MigrationLoader(connection).graph.leaf_nodes("todos")[0][1]

    def add(*operations: Any, **said: Any) -> None:
        planted = [
            migration("9001_first", last, migrations.AddField("task", "extra", models.IntegerField(null=True))),
            migration("9002_second", "9001_first", *operations, **said),
        ]

        def load(self: MigrationLoader) -> None:
            load_disk(self)
            self.disk_migrations |= {(each.app_label, each.name): each for each in planted}

        monkeypatch.setattr(MigrationLoader, "load_disk", load)

    return add


def run(**options: Any) -> str:
    out = StringIO()
    call_command("migration_plan", stdout=out, **options)
    return out.getvalue()


def test_a_migrated_database_has_nothing_pending(db: None) -> None:
    assert run() == "no migration is pending\n"
    assert json.loads(run(as_json=True)) == {"pending": [], "incompatible": False}


def test_pending_migrations_are_listed_in_order_with_what_breaks(plant: Any) -> None:
    plant(migrations.RemoveField("task", "extra"), migrations.RemoveField("task", "title"))

    facts = json.loads(run(as_json=True))

    assert [each["name"] for each in facts["pending"]] == ["9001_first", "9002_second"]
    assert [each["app"] for each in facts["pending"]] == ["todos", "todos"]
    assert facts["pending"][0]["operations"] == []
    assert [each["kind"] for each in facts["pending"][1]["operations"]] == ["RemoveField", "RemoveField"]
    assert "task.title" in facts["pending"][1]["operations"][1]["reason"]
    assert facts["incompatible"] is True


def test_people_read_the_reason_and_what_to_do_instead(plant: Any) -> None:
    plant(migrations.RemoveField("task", "title"))

    assert run() == (
        "todos.9001_first: compatible with the previous release\n"
        "todos.9002_second: incompatible with the previous release\n"
        "  RemoveField: the previous release uses task.title\n"
        "    instead: stop using it in one release (SeparateDatabaseAndState), drop it in the next\n"
        "2 pending: 1 incompatible with the previous release\n"
    )


def test_migrations_that_roll_are_compatible(plant: Any) -> None:
    plant(migrations.AlterField("task", "extra", models.BigIntegerField(null=True)))

    assert json.loads(run(as_json=True))["incompatible"] is False
    assert run().endswith("2 pending: the previous release can keep running\n")


def test_a_migration_may_declare_that_it_rolls(plant: Any) -> None:
    plant(migrations.RunSQL("SELECT 1", ""), safe_to_roll="it only looks")

    assert [each.incompatibilities for each in check_pending(connection)] == [[], []]


def test_a_migration_may_declare_that_it_does_not_roll(plant: Any) -> None:
    plant(migrations.AlterModelOptions("task", {}), unsafe_to_roll="the old code would double every task")

    [item] = check_pending(connection)[1].incompatibilities
    assert (item.kind, item.reason) == ("Declared", "the old code would double every task")


def test_a_state_that_parts_from_the_database_is_judged_by_the_database(plant: Any) -> None:
    plant(
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("task", "title")]),
        migrations.SeparateDatabaseAndState(database_operations=[migrations.DeleteModel("Label")]),
    )

    assert [item.kind for item in check_pending(connection)[1].incompatibilities] == ["DeleteModel"]


def test_nothing_breaks_on_an_empty_database(db: None) -> None:
    plan = check_pending(connection, applied=())

    assert {"accounts", "todos", "auth"} <= {each.app for each in plan}
    assert [each for each in plan if each.incompatibilities] == []


def test_migrations_of_installed_packages_are_examined_too(db: None) -> None:
    before = {("contenttypes", "0001_initial"), ("auth", "0001_initial")}

    plan = {f"{each.app}.{each.name}": each.incompatibilities for each in check_pending(connection, applied=before)}

    removed, code = plan["contenttypes.0002_remove_content_type_name"], plan["auth.0011_update_proxy_permissions"]
    assert [item.kind for item in (*removed, *code)] == ["RemoveField", "RunPython"]
    assert plan["auth.0002_alter_permission_name_max_length"] == []


@pytest.mark.postgres
def test_the_size_of_a_table_is_asked_of_the_database(plant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(migrations.AddIndex("task", models.Index(fields=["title"], name="by_title")))
    assert check_pending(connection)[1].incompatibilities == []

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE rows_of_a_page AS SELECT repeat('x', 4000) FROM generate_series(1, 10)")
        cursor.execute("ALTER TABLE todos_task RENAME TO was_task")
        cursor.execute("ALTER TABLE rows_of_a_page RENAME TO todos_task")
    monkeypatch.setattr("todo_project.ops.releases.plan.BIG_TABLE_BYTES", 4096)
    assert [item.kind for item in check_pending(connection)[1].incompatibilities] == ["AddIndex"]


def test_a_database_that_does_not_answer_is_an_error_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(f"{COMMAND}.check_pending", refuse)
    with pytest.raises(CommandError, match="cannot be compared with the database: connection refused"):
        run()
