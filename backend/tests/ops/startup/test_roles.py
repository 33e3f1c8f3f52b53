"""The superuser of the `db` service is told from others, and everything it owns gets an ordinary owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from tests.ownership import FOREIGN
from todo_project.config.environments import DB_HOST, DB_LOGINS
from todo_project.ops.startup import roles

OWNED = """
CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, number serial, text varchar);
CREATE VIEW titles AS SELECT text FROM notes;
CREATE TYPE pair AS (a int, b int);
CREATE DOMAIN small AS int CHECK (VALUE < 10);
CREATE FUNCTION sum_of(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a + b';
CREATE SCHEMA reports;
"""
# what the superuser of the tests' server has in `public` does not count
ALL_FOREIGN = f"{FOREIGN} AND place::regnamespace::text || owner::regrole::text <> 'publicpostgres'"


def ask(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


@pytest.mark.parametrize(("host", "user"), [("elsewhere", DB_LOGINS[0]), (DB_HOST, "somebody")])
def test_an_external_database_is_left_alone(
    db: None, monkeypatch: pytest.MonkeyPatch, host: str, user: str
) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", host)
    monkeypatch.setitem(connection.settings_dict, "USER", user)
    assert not roles.is_superuser_of_service(connection)


@pytest.fixture
def service(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The test database as the `db` service with a new volume, in a transaction that is rolled back."""
    if connection.vendor != "postgresql" or ask("SELECT rolname FROM pg_roles WHERE oid = 10") not in DB_LOGINS:
        pytest.skip("the superuser of this server is not the one that .ci/with-postgres makes")

    @contextmanager
    def same_connection(**_: Any) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(cursor=connection.cursor, connection=connection.connection, commit=lambda: None)

    monkeypatch.setattr(roles, "fresh_connection", same_connection)
    monkeypatch.setattr(roles, "_DATABASES", "SELECT current_database()")  # and not those of other test processes
    monkeypatch.setitem(connection.settings_dict, "HOST", DB_HOST)
    monkeypatch.setitem(connection.settings_dict, "USER", DB_LOGINS[0])
    with connection.cursor() as cursor:
        cursor.execute(OWNED)
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET SESSION AUTHORIZATION")


@pytest.mark.postgres
@pytest.mark.parametrize("pooler_password", ["", "the-password-of-the-pooler"])
def test_the_superuser_gets_another_name_and_an_ordinary_role_owns_everything(
    service: None, monkeypatch: pytest.MonkeyPatch, pooler_password: str
) -> None:
    if pooler_password:
        monkeypatch.setenv("POOLER_PASSWORD", pooler_password)
    before = ask("SELECT rolpassword FROM pg_authid WHERE oid = 10")
    assert roles.is_superuser_of_service(connection)

    roles.separate(connection)

    assert ask("SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolsuper") == "postgres"
    passwords = "SELECT json_object_agg(rolname, rolpassword) FROM pg_authid WHERE rolname !~ '^pg_'"
    found = ask(passwords)
    assert (found["postgres"], found["todo_user"], found["todo_user_b"]) == (None, before, before)
    assert bool(found["todo_pooler"]) is bool(pooler_password)
    assert ask("SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()") == "todo_user"
    assert ask(ALL_FOREIGN) == 0
    roles.separate(connection)  # another replica was faster


@pytest.mark.postgres
def test_a_start_that_was_killed_before_the_exchange_is_continued(
    service: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(roles, "_exchange", lambda *_: None)
        roles.separate(connection)
    assert roles.is_superuser_of_service(connection)

    roles.separate(connection)
    assert ask(ALL_FOREIGN) == 0
