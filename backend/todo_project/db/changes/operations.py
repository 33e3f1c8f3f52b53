"""The migration operation that begins to log the changes of tables."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.migrations.operations.base import Operation

from todo_project.db.changes import postgresql, registry, sqlite


class LogChanges(Operation):
    """Create the triggers of registered tables, or replace them after their registration has changed.

    Name each table in the migration that creates it. The migration is not atomic, so that each table is locked
    for an instant only. On SQLite, the triggers are created after all migrations. With `replaces`, earlier
    migrations created the triggers, which stay when this one is reversed.

    What is created is what the code registers now, as far as it needs no table that comes later.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, *names: str, replaces: bool = False) -> None:
        self.names = names
        self.replaces = replaces

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the state as it is."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            return
        existing = connection.introspection.table_names()
        for name in self.names:
            if name in registry.tables:
                self._install(schema_editor, registry.logged(name, existing))

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the triggers, or replace those that an earlier migration created and this one extended."""
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            sqlite.remove(connection)
            return
        if self.replaces:
            return
        existing = {*connection.introspection.table_names()} - {*self.names}
        for name in self.names:
            if registry.is_extended(name, self.names):
                self._install(schema_editor, registry.logged(name, existing))
            else:
                postgresql.remove(schema_editor, name)

    def _install(self, schema_editor: Any, logged: registry.Logged) -> None:
        # in a transaction, where statements have a lock timeout (ops/startup/locks.py)
        with transaction.atomic(using=schema_editor.connection.alias):
            postgresql.install(schema_editor, logged)

    def describe(self) -> str:
        return f"Log the changes of {', '.join(self.names)}"
