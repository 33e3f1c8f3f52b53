"""Connections of one's own, beside Django's: for probes and for the migration lock."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader

from todo_project.ops.startup import known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

CONNECT_TIMEOUT_SECONDS = 3


@contextmanager
def fresh_connection(
    *, statement_timeout_ms: int, connect_timeout_seconds: int | None = None
) -> Iterator[BaseDatabaseWrapper]:
    """Open a connection to the default database that nobody else uses, in one transaction, and close it at the end.

    The transaction may idle while others work. A timeout of 0 means none; on SQLite it is Django's own.
    """
    default = connections["default"]
    settings = copy.deepcopy(default.settings_dict)
    settings["CONN_MAX_AGE"] = 0
    if default.vendor == "postgresql":
        settings["OPTIONS"].pop("pool", None)
        settings["OPTIONS"]["connect_timeout"] = connect_timeout_seconds or CONNECT_TIMEOUT_SECONDS
    connection = type(default)(settings, alias="default")
    try:
        connection.set_autocommit(False)
        if connection.vendor == "postgresql":
            _set_timeouts(connection, statement_timeout_ms)
        yield connection
        connection.rollback()
    finally:
        connection.close()


def _set_timeouts(connection: BaseDatabaseWrapper, statement_timeout_ms: int) -> None:
    # Of the transaction: PgBouncer refuses them when a connection starts, and gives a session's to others.
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(statement_timeout_ms)])
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


def pending_migrations(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the migrations of this release that the database lacks; newer ones it may have are fine."""
    if known.are_all_among(_applied(connection)):
        return []
    loader = MigrationLoader(connection)
    return sorted(
        f"{app}.{name}" for app, name in loader.graph.nodes if (app, name) not in loader.applied_migrations
    )


def _applied(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    """Return (app, name) of what was applied, without the model and the look at all tables that Django takes."""
    before = connection.savepoint()  # nothing outside of a transaction, where a failure harms none
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT app, name FROM django_migrations")
            return list(cursor.fetchall())
    except DatabaseError:  # there is no such table yet
        if before:
            connection.savepoint_rollback(before)
        return []
