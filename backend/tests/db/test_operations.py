"""Indexes are built without blocking writes where the database can do that; extensions are created, or refused."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import ProgrammingError, connection, models
from django.db.migrations.state import ProjectState
from django.test import TransactionTestCase

from todo_project.api.models import RateCounter
from todo_project.db.postgresql.operations import AddIndexConcurrently, CreateExtension, ExtensionRefused

TABLE = RateCounter._meta.db_table


def indexes() -> dict[str, Any]:
    with connection.cursor() as cursor:
        return connection.introspection.get_constraints(cursor, TABLE)


class TestAddIndexConcurrently(TransactionTestCase):
    def setUp(self) -> None:
        self.operation = AddIndexConcurrently("RateCounter", models.Index(fields=["window_end"], name="by_end"))
        self.before = ProjectState.from_apps(RateCounter._meta.apps)
        self.after = self.before.clone()
        self.operation.state_forwards("common", self.after)

    def build(self) -> None:
        with connection.schema_editor(atomic=False) as editor:
            self.operation.database_forwards("common", editor, self.before, self.after)

    def drop(self) -> None:
        with connection.schema_editor(atomic=False) as editor:
            self.operation.database_backwards("common", editor, self.after, self.before)

    def test_the_index_comes_and_goes(self) -> None:
        self.build()
        assert "by_end" in indexes()
        self.drop()
        assert "by_end" not in indexes()

    @pytest.mark.postgres
    def test_a_build_that_was_cut_off_is_repeated(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE INDEX by_end ON {TABLE} (window_end)")
            cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_end'::regclass")
        try:
            self.build()
            with connection.cursor() as cursor:
                cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_end'::regclass")
                assert cursor.fetchone() == (True,)
        finally:
            self.drop()


def refuse(execute: Any, statement: Any, *given: Any) -> Any:
    """Answer like a database in which the role may not create extensions."""
    if not str(statement).startswith("CREATE EXTENSION"):
        return execute(statement, *given)
    cause = psycopg.errors.InsufficientPrivilege("permission denied to create extension")
    raise ProgrammingError(str(cause)) from cause


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_role_without_the_right_is_told_who_creates_the_extension() -> None:
    state = ProjectState()
    with connection.schema_editor(atomic=False) as editor, connection.execute_wrapper(refuse):
        CreateExtension("plpgsql").database_forwards("search", editor, state, state)  # exists already
        with pytest.raises(
            ExtensionRefused, match=r"As its owner or a superuser, run once .*: CREATE EXTENSION cube;"
        ):
            CreateExtension("cube").database_forwards("search", editor, state, state)
