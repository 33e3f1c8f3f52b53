"""Migration operations that do not block writers and can be repeated after an interruption."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres import operations
from django.db.migrations import AddConstraint, AddIndex, AlterField


class AddIndexConcurrently(operations.AddIndexConcurrently):
    """Build an index concurrently; on SQLite, in the usual way.

    An invalid index that an interrupted build left behind is dropped first. A valid one is kept.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Build the index."""
        if schema_editor.connection.vendor != "postgresql":
            AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
            return
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)",
                [schema_editor.quote_name(self.index.name)],
            )
            found = cursor.fetchone()
            if found == (True,):
                return
            if found:
                cursor.execute(f"DROP INDEX CONCURRENTLY {schema_editor.quote_name(self.index.name)}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the index."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)


class AddConstraintNotValid(operations.AddConstraintNotValid):
    """Add a check for new rows; `ValidateConstraint` checks existing ones. On SQLite, add it in the usual way.

    A constraint that an interrupted migration left behind is dropped first.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Add the constraint."""
        if schema_editor.connection.vendor != "postgresql":
            AddConstraint.database_forwards(self, app_label, schema_editor, from_state, to_state)
            return
        quote = schema_editor.quote_name
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table  # noqa: SLF001 - public API
        schema_editor.execute(f"ALTER TABLE {quote(table)} DROP CONSTRAINT IF EXISTS {quote(self.constraint.name)}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)


class ValidateConstraint(operations.ValidateConstraint):
    """Check existing rows without blocking writers; on SQLite, adding the constraint has checked them."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Validate the constraint."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class DropForeignKeyIndex(AlterField):
    """Drop the index of a foreign key concurrently; the field has `db_index=False`.

    Use it if another index begins with the foreign key. `AlterField` would also recreate the foreign key, which
    locks both tables.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the index."""
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        named = {index.name for index in model._meta.indexes}  # noqa: SLF001 - public API
        column = model._meta.get_field(self.name).column  # noqa: SLF001 - public API
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, model._meta.db_table)  # noqa: SLF001 - public API
        for name, each in found.items():
            if each["index"] and not each["unique"] and each["columns"] == [column] and name not in named:
                schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(name)}")
