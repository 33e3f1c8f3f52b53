"""Migration operations that do not block writers and can be repeated after an interruption."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres import operations
from django.db import ProgrammingError
from django.db.migrations import AddConstraint, AddIndex, AlterField
from django.db.migrations.operations.base import Operation

from todo_project.db.postgresql import collation

_INSUFFICIENT_PRIVILEGE = "42501"


class ExtensionRefused(ProgrammingError):
    """The role of the migration may not create an extension."""


class CreateExtension(operations.CreateExtension):
    """Create an extension unless it exists; keep it when the migration is reversed. SQLite needs none.

    A trusted extension needs no superuser, but the right to create in the database, which its owner has.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Create the extension, or raise ExtensionRefused, which says who can create it and how."""
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        except ProgrammingError as error:
            if getattr(error.__cause__, "sqlstate", None) != _INSUFFICIENT_PRIVILEGE:
                raise
            given = schema_editor.connection.settings_dict
            raise ExtensionRefused(
                f"The role {given['USER']} may not create the extension {self.name} in the database "
                f"{given['NAME']}. As its owner or a superuser, run once in that database: "
                f"CREATE EXTENSION {self.name}; and start the migration again."
            ) from error

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Keep the extension, which an operator may have created."""


class AddIndexConcurrently(operations.AddIndexConcurrently):
    """Build an index concurrently; on SQLite, in the usual way.

    An invalid index that an interrupted build left behind is dropped first. A valid one is kept.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
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
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)


class AddConstraintNotValid(operations.AddConstraintNotValid):
    """Add a check for new rows; `ValidateConstraint` checks existing ones. On SQLite, add it in the usual way.

    A constraint that an interrupted migration left behind is dropped first.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
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
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)


def _constraints(connection: Any, model: Any, name: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the constraints and indexes of a field's column alone, by name, as Django's introspection has them."""
    meta = model._meta  # noqa: SLF001 - public API
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, meta.db_table)
    columns = [meta.get_field(name).column]
    return [(each, details) for each, details in found.items() if details["columns"] == columns]


class DropForeignKeyIndex(AlterField):
    """Drop the index of a foreign key concurrently; the field has `db_index=False`.

    Use it if another index begins with the foreign key. `AlterField` would also recreate the foreign key, which
    locks both tables.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        named = {index.name for index in model._meta.indexes}  # noqa: SLF001 - public API
        for name, each in _constraints(connection, model, self.name):
            if each["index"] and not each["unique"] and name not in named:
                schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(name)}")


class _OfField(Operation):
    """An operation on the column of a field, of which Django's state knows nothing."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name = model_name
        self.name = name

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the state as it is."""


class CheckImmediately(_OfField):
    """Check a foreign key when a row is written, which locks the row it refers to, instead of at the end.

    SQLite runs one writing transaction at a time, so it needs no change.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._alter(to_state.apps.get_model(app_label, self.model_name), schema_editor, "IMMEDIATE")

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Let the constraint be checked at the end of a transaction, as Django creates it."""
        self._alter(from_state.apps.get_model(app_label, self.model_name), schema_editor, "DEFERRED")

    def _alter(self, model: Any, schema_editor: Any, when: str) -> None:
        connection, quote = schema_editor.connection, schema_editor.quote_name
        if connection.vendor != "postgresql":
            return
        table = quote(model._meta.db_table)  # noqa: SLF001 - public API
        for name, each in _constraints(connection, model, self.name):
            if each["foreign_key"]:
                schema_editor.execute(
                    f"ALTER TABLE {table} ALTER CONSTRAINT {quote(name)} DEFERRABLE INITIALLY {when}"
                )

    def describe(self) -> str:
        return f"Check {self.name} of {self.model_name} immediately"


class SortByCodePoint(_OfField):
    """Give a text column the collation "C", unless its collation already sorts positions by code point.

    Most locales do, such as `en_US` and `C`: their tables stay as they are, because the change would lock a table
    until its index is rebuilt. SQLite needs no change.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Change the collation if it sorts in another way."""
        connection = schema_editor.connection
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)  # noqa: SLF001 - public API
        where = {"table": model._meta.db_table, "column": field.column}  # noqa: SLF001 - public API
        if not collation.sorts_by_code_point(connection, **where):
            schema_editor.execute(collation.statement(connection, **where, db_type=field.db_type(connection)))

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Leave the collation as it is: earlier releases need it too."""

    def describe(self) -> str:
        return f"Sort {self.name} of {self.model_name} by code point"
