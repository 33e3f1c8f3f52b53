"""The migration operation that begins to log the changes of tables."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.migrations.operations.base import Operation

from todo_project.db.changes import postgresql, sqlite
from todo_project.db.changes.registry import tables


class LogChanges(Operation):
    """Create the triggers of registered tables, or replace them after their registration has changed.

    Name each table in the migration that creates it. The migration is not atomic, so that each table is locked
    for an instant only. On SQLite, the triggers are created after all migrations.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, *names: str) -> None:
        self.names = names

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the state as it is."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Create the triggers."""
        if schema_editor.connection.vendor != "postgresql":
            return
        for name in tables.keys() & {*self.names}:
            # in a transaction, where statements have a lock timeout (ops/startup/locks.py)
            with transaction.atomic(using=schema_editor.connection.alias):
                postgresql.install(schema_editor, tables[name])

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the triggers."""
        if schema_editor.connection.vendor != "postgresql":
            sqlite.remove(schema_editor.connection)
            return
        for name in self.names:
            postgresql.remove(schema_editor, name)

    def describe(self) -> str:
        """Return what the operation does, for `migrate --plan`."""
        return f"Log the changes of {', '.join(self.names)}"
