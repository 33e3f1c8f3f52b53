"""Positions are sorted by code point, whatever the locale of the database."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import pytest
from django.apps import apps
from django.core.checks import Tags, run_checks
from django.core.exceptions import FieldDoesNotExist
from django.db import connection
from django.db.migrations.state import ProjectState
from django.test.utils import CaptureQueriesContext

from tests.conftest import Person
from tests.todos.stories import make_task, post_task
from todo_project.db.postgresql.operations import SortByCodePoint
from todo_project.ops.health.doctor import database
from todo_project.todos.models import Project, Task

MIGRATIONS = [
    importlib.import_module(f"todo_project.todos.migrations.{name}").Migration
    for name in ("0008_sort_by_code_point", "0020_saved_filter")
]
OPERATIONS = [
    each for migration in MIGRATIONS for each in migration.operations if isinstance(each, SortByCodePoint)
]


@pytest.fixture
def danish(db: None) -> None:
    """Sort positions as a database with the locale `da` does: `aa` after `z`."""
    with connection.cursor() as cursor:
        for table in ("project", "section", "task", "savedfilter"):
            cursor.execute(f'ALTER TABLE todos_{table} ALTER COLUMN position TYPE varchar(100) COLLATE "da-x-icu"')


def migrate() -> int:
    """Run the operations of the migration; return how many columns they change."""
    state = ProjectState.from_apps(apps)
    with CaptureQueriesContext(connection) as queries, connection.schema_editor() as editor:
        for operation in OPERATIONS:
            operation.database_forwards("todos", editor, state, state)
    return sum("ALTER COLUMN" in query["sql"] for query in queries)


def add_two(alice: Person) -> list[str]:
    """Add two tasks after one whose position sorts in another way in Danish; return all positions."""
    for position in ("ja9", "jaa"):
        make_task(alice, project=Project.objects.get(owner=alice.user), position=position)
    return [post_task(alice)["position"] for _ in range(2)]


def test_the_migration_names_every_position() -> None:
    with_position = set()
    for model in apps.get_models():
        try:
            model._meta.get_field("position")
        except FieldDoesNotExist:
            continue
        with_position.add(model._meta.model_name)
    assert {operation.model_name for operation in OPERATIONS} == with_position
    assert {operation.name for operation in OPERATIONS} == {"position"}


@pytest.mark.postgres
def test_a_database_that_sorts_by_code_point_is_left_alone(db: None) -> None:
    assert migrate() == 0


def test_the_database_of_the_tests_sorts_by_code_point(db: None) -> None:
    assert run_checks(tags=[Tags.database], databases=["default"]) == []
    assert [diagnosis.level for diagnosis in database.system_checks()] == ["ok"]


@pytest.mark.postgres
def test_a_danish_database_gives_each_task_its_own_position(danish: None, person: Callable[[str], Person]) -> None:
    assert migrate() == 4
    assert add_two(person("alice")) == ["jab", "jac"]
    assert run_checks(tags=[Tags.database], databases=["default"]) == []


@pytest.mark.postgres
def test_a_collation_that_a_restore_brings_back_is_found(danish: None) -> None:
    found = run_checks(tags=[Tags.database], databases=["default"])
    assert [message.id for message in found] == ["todos.E001"] * 4
    assert [diagnosis.level for diagnosis in database.system_checks()] == ["failure"] * 4
    with connection.cursor() as cursor:
        for message in found:
            cursor.execute(str(message.hint).partition(": ")[2])
    assert run_checks(tags=[Tags.database], databases=["default"]) == []


@pytest.mark.postgres
def test_danish_really_sorts_in_another_way(danish: None, alice: Person) -> None:
    add_two(alice)
    assert Task.objects.values("position").distinct().count() < Task.objects.count()
