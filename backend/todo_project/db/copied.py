"""Columns that copy a value of the row that their row refers to, for an index that begins with it.

Triggers set the copy when a row is inserted, and when the original changes, so no write can forget it, nor can the
release before, which does not know the column. On SQLite, they are created after migrations (db/triggers.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.migrations.operations.base import Operation

from todo_project.db.triggers import drop_on_sqlite

_PREFIX = "copy_"
# FOR SHARE: the original changes before this or afterwards, but not unnoticed at the same time
_FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT {column} INTO NEW.{column} FROM {original} WHERE id = NEW.{reference} FOR SHARE;
        RETURN NEW;
    END IF;
    UPDATE {table} SET {column} = NEW.{column} WHERE {reference} = NEW.id;
    RETURN NULL;
END
$function$
"""
_ON_INSERT = "CREATE OR REPLACE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
_ON_UPDATE = """
CREATE OR REPLACE TRIGGER {name} AFTER UPDATE OF {column} ON {original}
FOR EACH ROW WHEN (OLD.{column} <> NEW.{column}) EXECUTE FUNCTION {name}()
"""
_SQLITE_ON_INSERT = """
CREATE TRIGGER {name}_insert AFTER INSERT ON {table} BEGIN
    UPDATE {table} SET {column} = (SELECT {column} FROM {original} WHERE id = NEW.{reference}) WHERE id = NEW.id;
END
"""
_SQLITE_ON_UPDATE = """
CREATE TRIGGER {name}_update AFTER UPDATE OF {column} ON {original} WHEN OLD.{column} <> NEW.{column} BEGIN
    UPDATE {table} SET {column} = NEW.{column} WHERE {reference} = NEW.id;
END
"""


@dataclass(frozen=True, kw_only=True)
class Copied:
    """A column of a table, which copies the column of the same name in the row that `reference` names."""

    table: str
    column: str
    reference: str
    original: str

    def sql(self, template: str) -> str:
        """Fill in a template."""
        return template.format(name=f"{_PREFIX}{self.table}_{self.column}", **vars(self))


# of all models, which add theirs
columns: list[Copied] = []


class KeepCopies(Operation):
    """Create the triggers that keep a copied column; the migration is not atomic, and locks each table briefly.

    Rows that exist get the value when they are written, or from a later operation.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, copied: Copied) -> None:
        self.copied = copied

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the state as it is."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            for template in (_FUNCTION, _ON_INSERT, _ON_UPDATE):
                # in a transaction, where statements have a lock timeout (ops/startup/locks.py)
                with transaction.atomic(using=schema_editor.connection.alias):
                    schema_editor.execute(self.copied.sql(template), params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(self.copied.sql("DROP FUNCTION IF EXISTS {name}() CASCADE"), params=None)
        else:
            remove_from_sqlite(schema_editor.connection)

    def describe(self) -> str:
        return f"Keep {self.copied.table}.{self.copied.column} as {self.copied.original} has it"


def install_on_sqlite(connection: Any) -> None:
    """Create the triggers of all `columns` that exist."""
    remove_from_sqlite(connection)
    with connection.cursor() as cursor:
        existing = connection.introspection.table_names(cursor)
        for copied in columns:
            if copied.table in existing and copied.column in _columns(connection, cursor, copied.table):
                cursor.execute(copied.sql(_SQLITE_ON_INSERT))
                cursor.execute(copied.sql(_SQLITE_ON_UPDATE))


def remove_from_sqlite(connection: Any) -> None:
    """Drop the triggers of all tables."""
    drop_on_sqlite(connection, _PREFIX)


def _columns(connection: Any, cursor: Any, table: str) -> set[str]:
    return {column.name for column in connection.introspection.get_table_description(cursor, table)}
