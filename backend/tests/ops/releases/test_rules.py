"""Each operation that breaks the previous release is found, and its harmless twin is not."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.postgres import operations as postgres
from django.db import connection, migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.db.models.functions import Now

from todo_project.ops.releases.incompatibility import OperationContext
from todo_project.ops.releases.rules import check

CHECK = models.CheckConstraint(condition=models.Q(count__gte=0), name="count_is_not_negative")
UNIQUE = models.UniqueConstraint(fields=["title"], name="title_is_unique")
INDEX = models.Index(fields=["count"], name="by_count")
FIELDS: dict[str, models.Field[Any, Any]] = {
    "id": models.BigAutoField(primary_key=True),
    "title": models.CharField(max_length=100),
    "count": models.IntegerField(db_default=0),
    "note": models.TextField(null=True),
    "price": models.DecimalField(max_digits=6, decimal_places=2),
    "code": models.CharField(max_length=10, unique=True),
    "kept": models.IntegerField(db_column="was"),
    "owner": models.ForeignKey("todos.Person", models.CASCADE),
    "loose": models.ForeignKey("todos.Person", models.CASCADE, db_constraint=False, related_name="+"),
    "friends": models.ManyToManyField("todos.Person", related_name="+"),
}


def context(*, big: bool = False, **known: Any) -> OperationContext:
    state = ProjectState()
    for name in ("Person", "Other"):
        state.add_model(ModelState("todos", name, [("id", models.BigAutoField(primary_key=True))]))
    options = {"constraints": [CHECK, UNIQUE], "indexes": [INDEX], "unique_together": {("title", "count")}}
    state.add_model(ModelState("todos", "Thing", list(FIELDS.items()), options))
    return OperationContext(app="todos", state=state, connection=connection, is_big=lambda _: big, **known)


def alter(name: str, field: models.Field[Any, Any]) -> Operation:
    return migrations.AlterField("thing", name, field)


def add(field: models.Field[Any, Any]) -> Operation:
    return migrations.AddField("thing", "extra", field)


def nothing(*_: Any) -> None:
    """A migration's code."""


def separate(*database: Operation, state: tuple[Operation, ...] = ()) -> Operation:
    return migrations.SeparateDatabaseAndState(database_operations=list(database), state_operations=list(state))


class Own(Operation):
    """An operation that nobody has heard of."""


BREAKING: list[tuple[Operation, str]] = [
    (migrations.RemoveField("thing", "title"), "uses thing.title"),
    (migrations.DeleteModel("Thing"), "uses the table of Thing"),
    (migrations.RenameModel("Thing", "Item"), "expects Thing under its old name"),
    (migrations.RenameField("thing", "title", "name"), "expects thing.title under its old name"),
    (migrations.AlterModelTable("thing", "things"), "expects Thing in todos_thing"),
    (add(models.IntegerField(default=0)), "NOT NULL and has no default in the database"),
    (add(models.ForeignKey("todos.Person", models.CASCADE)), "NOT NULL and has no default in the database"),
    (alter("note", models.TextField(default="")), "may write NULL"),
    (alter("title", models.CharField(max_length=99)), "may not hold the previous release"),
    (alter("title", models.IntegerField()), "may not hold the previous release"),
    (alter("title", models.CharField(max_length=100, unique=True)), "the same value twice"),
    (alter("title", models.CharField(max_length=100, db_column="name")), "the column under its old name"),
    (alter("code", models.CharField(max_length=10)), "ON CONFLICT fails"),
    (alter("count", models.SmallIntegerField(db_default=0)), "may not hold"),
    (alter("count", models.PositiveIntegerField(db_default=0)), "values are checked"),
    (alter("count", models.IntegerField()), "relies on the database's default"),
    (alter("owner", models.ForeignKey("todos.Other", models.CASCADE)), "keys of another table"),
    (alter("owner", models.BigIntegerField(db_column="owner_id")), "ceases to be a foreign key"),
    (alter("loose", models.ForeignKey("todos.Person", models.CASCADE)), "foreign keys to missing rows"),
    (alter("friends", models.ManyToManyField("todos.Person", db_table="x")), "in its old table"),
    (migrations.AddConstraint("thing", CHECK), "count_is_not_negative refuses"),
    (migrations.AddConstraint("thing", UNIQUE), "title_is_unique refuses"),
    (postgres.AddConstraintNotValid("thing", CHECK), "count_is_not_negative refuses"),
    (migrations.RemoveConstraint("thing", "title_is_unique"), "may rely on title_is_unique"),
    (migrations.AlterUniqueTogether("thing", {("code", "title")}), "that it refuses"),
    (migrations.AlterUniqueTogether("thing", set()), "rely on what is removed"),
    (migrations.AlterOrderWithRespectTo("thing", "owner"), "_order of thing is added or removed"),
    (migrations.RunSQL("DROP TABLE todos_thing", migrations.RunSQL.noop), "effect of its SQL"),
    (migrations.RunPython(nothing, nothing), "effect of its code"),
    (separate(migrations.RemoveField("thing", "title")), "uses thing.title"),
    (separate(migrations.RunSQL("…")), "effect of its SQL"),
    (Own(), "is unknown"),
]

HARMLESS: list[Operation] = [
    migrations.CreateModel("New", [("id", models.BigAutoField(primary_key=True))]),
    add(models.IntegerField(null=True)),
    add(models.IntegerField(db_default=0)),
    add(models.DateTimeField(db_default=Now())),
    add(models.ManyToManyField("todos.Person", related_name="+")),
    add(models.ForeignKey("todos.Person", models.CASCADE, null=True, related_name="+")),
    alter("title", models.CharField(max_length=101)),
    alter("title", models.CharField(max_length=100, verbose_name="the title", default="…")),
    alter("title", models.CharField(max_length=100, db_column="title")),
    alter("title", models.TextField()),
    alter("title", models.CharField(max_length=100, null=True)),
    alter("count", models.BigIntegerField(db_default=0)),
    alter("price", models.DecimalField(max_digits=8, decimal_places=2)),
    alter("owner", models.ForeignKey("todos.Person", models.PROTECT)),
    alter("owner", models.ForeignKey("todos.Person", models.CASCADE, db_constraint=False)),
    migrations.RenameField("thing", "kept", "other"),
    migrations.AlterModelTable("thing", "todos_thing"),
    migrations.AlterModelOptions("thing", {"ordering": ["title"]}),
    migrations.RemoveConstraint("thing", "count_is_not_negative"),
    migrations.RemoveIndex("thing", "by_count"),
    migrations.AddIndex("thing", INDEX),
    migrations.AlterUniqueTogether("thing", {("title", "count")}),
    migrations.RunSQL(migrations.RunSQL.noop),
    migrations.RunPython(migrations.RunPython.noop),
    separate(state=(migrations.RemoveField("thing", "title"),)),
    separate(alter("title", models.CharField(max_length=100, null=True))),
]

LOCKING: list[tuple[Operation, str]] = [
    (migrations.AddIndex("thing", INDEX), "by_count is built in one blocking statement"),
    (add(models.IntegerField(null=True, db_index=True)), "thing.extra is indexed in one blocking statement"),
    (
        add(models.ForeignKey("todos.Person", models.CASCADE, null=True)),
        "thing.extra is indexed in one blocking statement",
    ),
    (alter("note", models.TextField(null=True, db_index=True)), "thing.note is indexed in one blocking statement"),
]


def reasons(found: list[Any]) -> str:
    return "\n".join(f"{item.kind}: {item.reason}" for item in found)


@pytest.mark.parametrize(("operation", "reason"), BREAKING)
def test_what_breaks_the_release_before_is_found(operation: Operation, reason: str) -> None:
    found = check(operation, context())
    assert len(found) == 1, reasons(found)
    assert reason in found[0].reason
    assert found[0].instead


@pytest.mark.parametrize("operation", HARMLESS)
def test_what_the_release_before_can_live_with_is_not(operation: Operation) -> None:
    assert reasons(check(operation, context())) == ""


@pytest.mark.parametrize(("operation", "reason"), LOCKING)
def test_an_index_is_found_on_a_big_table_only(operation: Operation, reason: str) -> None:
    assert reasons(check(operation, context())) == ""
    found = check(operation, context(big=True))
    assert [reason in item.reason for item in found] == [True], reasons(found)


def test_a_rewrite_is_found_on_a_big_table_only() -> None:
    wider = alter("count", models.BigIntegerField(db_default=0))
    assert "rewritten in every row" in reasons(check(wider, context(big=True)))
    assert reasons(check(alter("title", models.TextField()), context(big=True))) == ""


def test_an_index_that_is_built_beside_the_traffic_is_not_found_on_a_big_table() -> None:
    assert check(postgres.AddIndexConcurrently("thing", INDEX), context(big=True)) == []


@pytest.mark.parametrize(("operation", "reason"), BREAKING[:3] + BREAKING[5:7])
def test_a_table_that_pending_migrations_made_is_used_by_nobody(operation: Operation, reason: str) -> None:
    assert check(operation, context(new_models={("todos", "thing")}, big=True)) == []


def test_a_renamed_new_table_is_still_used_by_nobody() -> None:
    seen = context(new_models={("todos", "thing")})
    assert check(migrations.RenameModel("Thing", "Item"), seen) == []
    assert ("todos", "item") in seen.new_models


@pytest.mark.parametrize("option", [{"managed": False}, {"proxy": True}])
def test_a_model_without_a_table_of_its_own_breaks_nothing(option: dict[str, bool]) -> None:
    seen = context()
    seen.state.models["todos", "thing"].options |= option
    assert check(migrations.DeleteModel("Thing"), seen) == []


def test_the_code_of_a_new_app_works_on_tables_that_nobody_uses() -> None:
    assert check(migrations.RunSQL("CREATE TABLE x ()"), context(is_new_app=True)) == []
    assert check(migrations.RunPython(nothing), context(is_new_app=True)) == []
