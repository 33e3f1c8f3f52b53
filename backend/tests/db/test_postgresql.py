from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from psycopg.pq import TransactionStatus
from structlog.contextvars import bound_contextvars

from todo_project.db.changes import actor
from todo_project.todos.models import Task

pytestmark = pytest.mark.postgres
ROWS = 'SELECT %s::uuid, now(), \'[{"a": "ü"}]\'::jsonb, ARRAY[%s::uuid], NULL::date'
ID = "019aaaaa-0000-7000-8000-000000000001"


@pytest.fixture
def other(transactional_db: None) -> Any:
    """Return another connection of the same kind, which a test may break."""
    opened = connections.create_connection("default")
    opened.ensure_connection()
    yield opened
    opened.close()


def _terminate(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 120000)", [pid])


def test_a_standing_connection_is_usable_without_a_round_trip(other: Any) -> None:
    other.connection.cursor = None  # whoever asks the server fails
    assert other.is_usable()


def test_a_connection_that_the_server_ended_is_not_usable(other: Any) -> None:
    _terminate(other.connection.info.backend_pid)
    assert not other.is_usable()


def test_a_request_after_a_restart_of_the_database_finds_a_new_connection(other: Any) -> None:
    first = other.connection.info.backend_pid
    _terminate(first)
    other.health_check_enabled = True
    other.close_if_unusable_or_obsolete()  # as at the start of a request
    assert other.run_prepared("SELECT pg_backend_pid()", []).fetchall() != [(first,)]


def test_a_forgotten_transaction_ends(other: Any) -> None:
    with other.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("2min",)


def test_after_an_error_the_server_is_asked(other: Any) -> None:
    with pytest.raises(DatabaseError), other.cursor() as cursor:
        cursor.execute("SELECT nonsense")
    assert other.errors_occurred
    assert other.is_usable()
    other.connection.close()
    assert not other.is_usable()


@pytest.mark.django_db
def test_prepared_statements_give_the_same_values_as_djangos(alice: Any) -> None:
    alice.api.post("/tasks", {"title": "x", "reminders": [{"at": "2027-01-01T00:00:00Z"}]})
    sql, parameters = Task.objects.with_label_ids().values_list().query.sql_with_params()
    for statement, values in ((sql, parameters), (ROWS, (ID, ID))):
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            expected = cursor.fetchall()
        for row, text_row in zip(connection.run_prepared(statement, values).fetchall(), expected, strict=True):
            for value, text_value in zip(row, text_row, strict=True):
                is_json = isinstance(value, list) and isinstance(text_value, str)  # which converters read otherwise
                assert value == (json.loads(text_value) if is_json else text_value)


@pytest.mark.django_db
def test_prepared_statements_are_seen_by_whoever_captures_queries() -> None:
    with CaptureQueriesContext(connection) as captured:
        connection.run_prepared("SELECT %s::int", [7])
    assert [query["sql"] for query in captured] == ["SELECT 7::int"]


@pytest.fixture
def changed_column(other: Any) -> Iterator[Callable[[], None]]:
    """Prepare a statement on a table with `other`; return a function that widens a column from elsewhere."""

    def change(kind: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE todos_project ALTER COLUMN name TYPE {kind}")

    other.run_prepared("SELECT name FROM todos_project", [])
    yield lambda: change("varchar(250)")
    other.close()
    change("varchar(200)")


def test_a_statement_survives_a_change_of_its_columns_type(other: Any, changed_column: Callable[[], None]) -> None:
    first = other.connection.info.backend_pid
    changed_column()
    assert other.run_prepared("SELECT name FROM todos_project", []).fetchall() == []
    assert other.connection.info.backend_pid != first


def test_a_transaction_that_a_changed_column_breaks_asks_to_be_repeated(
    other: Any, changed_column: Callable[[], None]
) -> None:
    changed_column()
    other.set_autocommit(False)
    other.in_atomic_block = True  # as transaction.atomic does, which knows no connection of a test's own
    with pytest.raises(OperationalError, match="tables have changed"):
        other.run_prepared("SELECT name FROM todos_project", [])
    other.in_atomic_block = False
    other.close()
    assert other.run_prepared("SELECT name FROM todos_project", []).fetchall() == []


@pytest.mark.django_db
def test_prepared_statements_obey_a_broken_transaction() -> None:
    with transaction.atomic():
        with pytest.raises(DatabaseError, match="division"):
            connection.run_prepared("SELECT 1 / %s::int", [0])
        connection.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            connection.run_prepared("SELECT 1", [])


SOMEBODY = actor.Actor(uuid.UUID(ID), None)
NAMED = "SELECT " + ", ".join(f"current_setting('todo.{name}')" for name in ("actor_id", "token_id", "request_id"))


def test_a_transaction_begins_with_the_names_of_the_actor_for_as_long_as_it_lasts(other: Any) -> None:
    request_id = "it's {0} %s \\'; ROLLBACK; -- ü"
    with bound_contextvars(request_id=request_id), actor.acting(SOMEBODY):
        other.set_autocommit(False)
    assert other.connection.info.transaction_status == TransactionStatus.INTRANS
    assert other.run_prepared(NAMED, []).fetchall() == [(ID, "", request_id)]
    other.commit()
    other.set_autocommit(True)
    assert other.run_prepared(NAMED, []).fetchall() == [("", "", "")]


def test_without_an_actor_the_first_statement_begins_the_transaction(other: Any) -> None:
    other.set_autocommit(False)
    assert other.connection.info.transaction_status == TransactionStatus.IDLE


def test_a_transaction_cannot_begin_on_a_connection_that_the_server_ended(other: Any) -> None:
    _terminate(other.connection.info.backend_pid)
    with actor.acting(SOMEBODY), pytest.raises(OperationalError):
        other.set_autocommit(False)
    assert other.errors_occurred


def test_the_observer_gets_no_names_of_the_actor(other: Any) -> None:
    seen: list[str] = []
    other.observer = SimpleNamespace(statement=lambda sql, seconds: seen.append(sql))
    with actor.acting(SOMEBODY):
        other.set_autocommit(False)
    assert len(seen) == 1
    assert seen[0].startswith("BEGIN; SET LOCAL todo.actor_id = {};")
