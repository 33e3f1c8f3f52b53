"""The migration operations of the search."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.db.migrations.operations.base import Operation

from todo_project.db.words import postgresql, triggers
from todo_project.db.words.documents import Documents, sources

_BATCH = 100
# less than every other
_FIRST = uuid.UUID(int=0)


class _OnPostgreSQL(Operation):
    """An operation that SQLite does not need, and that leaves the state as it is."""

    reduces_to_sql = True
    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the state as it is."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            self.forwards(schema_editor)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Take it back on PostgreSQL; on SQLite, drop the triggers, which name a table that goes."""
        if schema_editor.connection.vendor == "postgresql":
            self.backwards(schema_editor)
        else:
            triggers.remove_from_sqlite(schema_editor.connection)

    def forwards(self, schema_editor: Any) -> None:
        raise NotImplementedError

    def backwards(self, schema_editor: Any) -> None:
        """Take it back."""


class CreateWords(_OnPostgreSQL):
    """Create the functions that find the words of a text."""

    def forwards(self, schema_editor: Any) -> None:
        postgresql.create_functions(schema_editor)

    def backwards(self, schema_editor: Any) -> None:
        postgresql.drop_functions(schema_editor)

    def describe(self) -> str:
        return "Create the functions that find the words of a text"


class KeepDocuments(_OnPostgreSQL):
    """Create the triggers that keep documents in step, each in a transaction, so that tables are locked briefly.

    The migration is not atomic. What is created is what the code registers now.
    """

    def forwards(self, schema_editor: Any) -> None:
        for documents in sources:
            # in a transaction, where statements have a lock timeout (ops/startup/locks.py)
            with transaction.atomic(using=schema_editor.connection.alias):
                triggers.install(schema_editor, documents)

    def backwards(self, schema_editor: Any) -> None:
        for documents in sources:
            with transaction.atomic(using=schema_editor.connection.alias):
                triggers.remove(schema_editor, documents)

    def describe(self) -> str:
        return "Create the triggers that keep the documents of the search"


class FillDocuments(_OnPostgreSQL):
    """Create the documents of rows that are older than the triggers, in batches.

    A batch locks its rows for the moment that it takes, so that none changes meanwhile. Documents that exist stay,
    so that an interrupted migration can be repeated.
    """

    def forwards(self, schema_editor: Any) -> None:
        for documents in sources:
            if documents.batch:
                _fill(schema_editor.connection, documents)

    def describe(self) -> str:
        return "Make the documents of the rows that exist"


class FoldAgain(_OnPostgreSQL):
    """Replace the functions, and update the documents that differ from then on, in batches.

    Those of ASCII texts never do. The migration is not atomic, and can be repeated.
    """

    def forwards(self, schema_editor: Any) -> None:
        connection = schema_editor.connection
        with transaction.atomic(using=connection.alias):
            postgresql.create_functions(schema_editor)
        for documents in sources:
            if documents.batch:
                again = _AGAIN.format(select=documents.select, key=documents.key, texts=documents.texts)
                _each_batch(connection, documents, again)

    def describe(self) -> str:
        return "Fold the texts of the search again"


_AGAIN = """
UPDATE search_document AS old SET title = new.title, words = new.words
FROM (
    {select} AND {key} = ANY(%s) AND octet_length({texts}) <> length({texts})
) AS new (kind, object_id, task_id, owner_id, project_id, title, words)
WHERE old.kind = new.kind AND old.object_id = new.object_id
AND (old.title, old.words) IS DISTINCT FROM (new.title, new.words)
"""


def _fill(connection: Any, documents: Documents) -> None:
    _each_batch(connection, documents, f"{documents.insert} AND {documents.key} = ANY(%s) ON CONFLICT DO NOTHING")


def _each_batch(connection: Any, documents: Documents, statement: str) -> None:
    """Run a statement for each batch of locked rows, whose ids it takes."""
    last: uuid.UUID | None = _FIRST
    while last:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(documents.batch, [last, _BATCH])
            ids = [row[0] for row in cursor.fetchall()]
            cursor.execute(statement, [ids])
        last = ids[-1] if ids else None
