"""The triggers of the log on SQLite (db/triggers.py says when they exist)."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import models

from todo_project.db.changes import actor
from todo_project.db.changes.registry import COLUMNS, LOG, NOT_LOGGED, Logged, action, logged, places, tables
from todo_project.db.triggers import Event, drop_on_sqlite

_INSERT = """
INSERT INTO {log} ({columns})
SELECT 0, strftime('%Y-%m-%d %H:%M:%f', 'now'), {kind}, seen.object_id, '{action}', seen.project_id, seen.user_id,
    change_actor(), change_token(), change_request(), {fields}, seen.has_left
FROM ({select}) AS seen;
"""
# the first SELECT of a UNION gives the columns their names
_NAMED = """
SELECT NULL AS kind, NULL AS object_id, NULL AS project_id, NULL AS user_id, FALSE AS has_left WHERE FALSE
UNION ALL SELECT *, FALSE FROM ({select})
"""
_DIFFERENCE = "(SELECT json_group_object(name, json_array(was, now)) FROM ({values}))"
_TRIGGER = "CREATE TRIGGER {name} AFTER {event} ON {table} WHEN {when} BEGIN {insert} END"


def add_functions(connection: Any) -> None:
    """Register the functions that the triggers call on a new connection."""
    connection.connection.create_function("change_actor", 0, lambda: _hex("user_id"))
    connection.connection.create_function("change_token", 0, lambda: _hex("token_id"))
    connection.connection.create_function(
        "change_request", 0, lambda: actor.request_id() if actor.current() else ""
    )


def _hex(name: str) -> str | None:
    value = getattr(actor.current(), name, None)
    return None if value is None else value.hex


def install(connection: Any) -> None:
    """Create the triggers of all registered tables that exist."""
    existing = set(connection.introspection.table_names())
    if LOG not in existing:
        return
    models_by_table = {model._meta.db_table: model for model in apps.get_models()}  # noqa: SLF001 - public API
    remove(connection)
    for table in tables.keys() & existing:
        _create(connection, _statements(logged(table, existing), models_by_table[table]))


def _create(connection: Any, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def remove(connection: Any) -> None:
    """Drop the triggers of all tables."""
    drop_on_sqlite(connection, "log_")


def _statements(logged: Logged, model: type[models.Model]) -> list[str]:
    statements = []
    for event in logged.events:
        name = f"log_{logged.table}_{event.lower()}"
        insert = _INSERT.format(
            log=LOG,
            columns=COLUMNS,
            kind=f"'{logged.kind}'",
            action=action(logged, event),
            fields=_fields(logged, event, model),
            select=places(logged, event, differs="IS NOT"),
        )
        statements.append(_trigger(logged, event, name, insert))
        for number, also in enumerate(each for each in logged.also if event in each.events):
            select = _NAMED.format(select=also.select)
            insert = _INSERT.format(
                log=LOG, columns=COLUMNS, kind="seen.kind", action="updated", fields="'{}'", select=select
            )
            statements.append(_trigger(logged, event, f"{name}_{number}", insert, when=also.when))
    return statements


def _trigger(logged: Logged, event: Event, name: str, insert: str, *, when: str = "TRUE") -> str:
    return _TRIGGER.format(name=name, event=event, table=logged.table, when=when, insert=insert)


def _fields(logged: Logged, event: Event, model: type[models.Model]) -> str:
    if logged.link is not None:
        name, column = logged.link
        removed = "" if event == "INSERT" else f"OLD.{column}"
        added = "" if event == "DELETE" else f"NEW.{column}"
        return f"json_object('{name}', json_array(json_array({removed}), json_array({added})))"
    if event != "UPDATE":
        return "'{}'"
    groups = {name: names for names in logged.together for name in names}
    columns = [str(field.column) for field in model._meta.concrete_fields]  # noqa: SLF001 - public API
    values = " UNION ALL ".join(
        f"SELECT '{column}' AS name, OLD.{column} AS was, NEW.{column} AS now WHERE "
        + " OR ".join(f"OLD.{each} IS NOT NEW.{each}" for each in groups.get(column, (column,)))
        for column in columns
        if column not in NOT_LOGGED
    )
    return _DIFFERENCE.format(values=values)
