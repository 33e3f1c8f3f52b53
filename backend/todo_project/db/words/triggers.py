"""The triggers that keep documents in step with what is searched, on both databases.

On SQLite, they are created after migrations (db/triggers.py), with all documents.
"""

from __future__ import annotations

from typing import Any

from todo_project.db.triggers import EVENTS, Event, drop_on_sqlite
from todo_project.db.words.documents import PREFIX, TABLE, Documents, sources

# Plans are kept, and a statement can write thousands of rows. A plan that was made while a table was small must not
# read the whole table for each of them.
_FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $function$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {on_insert}
    ELSIF TG_OP = 'DELETE' THEN
        {on_delete}
    ELSIF {has_changed} THEN
        {on_update}
    END IF;
    RETURN NULL;
END
$function$
"""
_TRIGGER = """
CREATE OR REPLACE TRIGGER {name} AFTER {events} OF {changing} ON {table}
FOR EACH ROW EXECUTE FUNCTION {name}()
"""

_CLEAR = "DELETE FROM search_document"


def install(schema_editor: Any, documents: Documents) -> None:
    """Create the function and the trigger of some documents on PostgreSQL, or replace them."""
    bodies = {f"on_{event.lower()}": " ".join(documents.statements(event)) for event in EVENTS}
    function = _FUNCTION.format(
        name=documents.name, has_changed=documents.has_changed("IS DISTINCT FROM"), **bodies
    )
    # the columns follow UPDATE, which is the last
    events = " OR ".join(sorted(documents.events))
    changing = ", ".join(documents.changing)
    trigger = _TRIGGER.format(name=documents.name, table=documents.table, events=events, changing=changing)
    # params=None: the texts contain no placeholders, and % needs no escape
    schema_editor.execute(function, params=None)
    schema_editor.execute(trigger, params=None)


def remove(schema_editor: Any, documents: Documents) -> None:
    """Drop the function and the trigger on PostgreSQL."""
    schema_editor.execute(f"DROP FUNCTION IF EXISTS {documents.name}() CASCADE", params=None)


def install_on_sqlite(connection: Any) -> None:
    """Create all triggers and all documents."""
    remove_from_sqlite(connection)
    existing = {*connection.introspection.table_names()}
    if not existing.issuperset({TABLE, *(each.table for each in sources)}):
        return
    with connection.cursor() as cursor:
        cursor.execute(_CLEAR)
        for documents in sources:
            for event in documents.events:
                cursor.execute(_on_sqlite(documents, event))
        for documents in sources:
            if documents.batch:
                cursor.execute(documents.insert)


def _on_sqlite(documents: Documents, event: Event) -> str:
    when = f" WHEN {documents.has_changed('IS NOT')}" if event == "UPDATE" else ""
    return (
        f"CREATE TRIGGER {documents.name}_{event.lower()} AFTER {event} ON {documents.table}{when} "
        f"BEGIN {' '.join(documents.statements(event))} END"
    )


def remove_from_sqlite(connection: Any) -> None:
    """Drop all triggers."""
    drop_on_sqlite(connection, PREFIX)
