"""Connections of one's own, beside Django's: for probes and for the migration lock."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connections
from django.db.migrations.loader import MigrationLoader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

CONNECT_TIMEOUT_SECONDS = 3


@contextmanager
def fresh_connection(*, statement_timeout_ms: int) -> Iterator[BaseDatabaseWrapper]:
    """Open a connection to the default database that nobody else uses, and close it at the end.

    A timeout of 0 means none. On SQLite the timeouts are Django's own.
    """
    default = connections["default"]
    settings = copy.deepcopy(default.settings_dict)
    settings["CONN_MAX_AGE"] = 0
    if default.vendor == "postgresql":
        options = settings["OPTIONS"]
        options.pop("pool", None)
        options["connect_timeout"] = CONNECT_TIMEOUT_SECONDS
        options["options"] = f"{options.get('options', '')} -c statement_timeout={statement_timeout_ms}".strip()
    connection = type(default)(settings, alias="default")
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def in_transaction(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Keep one transaction open on a connection of one's own; it ends when the connection closes."""
    connection.set_autocommit(False)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # it idles while others work
    yield
    connection.rollback()


def pending_migrations(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the migrations of this release that the database lacks; newer ones it may have are fine."""
    loader = MigrationLoader(connection)
    return sorted(
        f"{app}.{name}" for app, name in loader.graph.nodes if (app, name) not in loader.applied_migrations
    )
