"""The migration operation that begins to log the changes of tables."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.migrations.operations.base import Operation

from todo_project.db.changes import postgresql, registry, sqlite


class LogChanges(Operation):
    """Create the triggers of registered tables, or replace them after their registration has changed.

    A migration states what it creates: for each table, the `postgresql.digest` of its trigger. If the code has
    another one by now, a later migration states that, and this one leaves the table alone. Of what other apps
    register for a table, a trigger has the part that reads no table which comes later.

    The migration is not atomic, so that each table is locked for an instant only. On SQLite, the triggers are
    created after all migrations. With `replaces`, earlier migrations created the triggers, which stay when this one
    is reversed.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, *, replaces: bool = False, **digests: str) -> None:
        self.replaces = replaces
        self.digests = digests

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the state as it is."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Create the triggers."""
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            return
        existing = connection.introspection.table_names()
        for name in self.digests.keys() & registry.tables.keys():
            logged = registry.logged(name, existing)
            if postgresql.digest(logged) == self.digests[name]:
                self._install(schema_editor, logged)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the triggers, or replace those that an earlier migration created and this one extended."""
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            sqlite.remove(connection)
            return
        if self.replaces:
            return
        existing = {*connection.introspection.table_names()} - self.digests.keys()
        for name in self.digests:
            if registry.is_extended(name, self.digests):
                self._install(schema_editor, registry.logged(name, existing))
            else:
                postgresql.remove(schema_editor, name)

    def _install(self, schema_editor: Any, logged: registry.Logged) -> None:
        # in a transaction, where statements have a lock timeout (ops/startup/locks.py)
        with transaction.atomic(using=schema_editor.connection.alias):
            postgresql.install(schema_editor, logged)

    def describe(self) -> str:
        """Return what the operation does, for `migrate --plan`."""
        return f"Log the changes of {', '.join(self.digests)}"
