"""A connection beside Django's own, for probes and for the migration lock; and the pending migrations."""

from __future__ import annotations

import copy
import pkgutil
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_TIMEOUT_SECONDS = 3


@contextmanager
def fresh_connection(
    *, statement_timeout_ms: int, connect_timeout_seconds: int | None = None, database: str | None = None
) -> Iterator[BaseDatabaseWrapper]:
    """Open another connection to the default database, or another one of its server, and close it at the end.

    It has a transaction, which may stay idle. A timeout of 0 means no limit; SQLite keeps Django's own timeout.
    """
    default = connections["default"]
    settings = copy.deepcopy(default.settings_dict)
    settings["CONN_MAX_AGE"] = 0
    settings["NAME"] = database or settings["NAME"]
    if default.vendor == "postgresql":
        settings["OPTIONS"].pop("pool", None)
        # What is bound or prepared on the server keeps its snapshot until the next statement, and an idle
        # transaction with a snapshot holds up every CREATE INDEX CONCURRENTLY.
        settings["OPTIONS"] |= {"server_side_binding": False, "prepare_threshold": None}
        settings["OPTIONS"]["connect_timeout"] = connect_timeout_seconds or CONNECT_TIMEOUT_SECONDS
    connection = type(default)(settings, alias="default")
    try:
        connection.set_autocommit(False)
        if connection.vendor == "postgresql":
            set_timeouts(connection, statement_timeout_ms)
        yield connection
        connection.rollback()
    finally:
        BaseDatabaseWrapper.close(connection)  # SQLite's own close() leaves a database in memory open


def set_timeouts(connection: BaseDatabaseWrapper, statement_timeout_ms: int) -> None:
    """Limit statements of this transaction, and let it stay idle."""
    # For the transaction only: PgBouncer refuses them at connect, and a session's would reach other clients.
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(statement_timeout_ms)])
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


def pending_migrations(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the migrations of this release that the database lacks; newer ones it may have are fine."""
    if migration_files() <= MigrationRecorder(connection).applied_migrations().keys():
        return []  # without the loader, which imports every migration: 5 MB in each worker
    loader = MigrationLoader(connection)
    return sorted(
        f"{app}.{name}" for app, name in loader.graph.nodes if (app, name) not in loader.applied_migrations
    )


def migration_files() -> set[tuple[str, str]]:
    """Return (app, name) of every migration that the loader would find, squashed ones too."""
    found = set()
    for app in apps.get_app_configs():
        package, _ = MigrationLoader.migrations_module(app.label)
        spec = find_spec(package) if package else None
        if spec is not None:
            modules = pkgutil.iter_modules(spec.submodule_search_locations)
            found |= {(app.label, each.name) for each in modules if not each.ispkg and each.name[0] not in "_~"}
    return found
