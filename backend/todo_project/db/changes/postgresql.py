"""The triggers of the log on PostgreSQL: one function for each table, which knows its columns only as JSON."""

from __future__ import annotations

from typing import Any

from todo_project.db.changes.registry import COLUMNS, LOG, NOT_LOGGED, Also, Logged, action, places
from todo_project.db.triggers import Event

_FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $function$
DECLARE
    actor uuid := nullif(current_setting('todo.actor_id', true), '');
    token uuid := nullif(current_setting('todo.token_id', true), '');
    request text := coalesce(current_setting('todo.request_id', true), '');
    xid bigint := pg_current_xact_id()::text;
    changed jsonb := '{{}}';
    was jsonb;
    new_row jsonb;
BEGIN
{body}
    RETURN NULL;
END
$function$
"""
_EVENT = """
    IF TG_OP = '{event}' THEN
        {fields}
        INSERT INTO {log} ({columns})
        SELECT xid, now(), '{kind}', place.object_id, '{action}', place.project_id, place.user_id,
            actor, token, request, changed, place.has_left
        FROM ({places}) AS place;
        {also}
    END IF;
"""
_ALSO = """
        IF {when} THEN
            INSERT INTO {log} ({columns})
            SELECT xid, now(), seen.kind, seen.object_id, 'updated', seen.project_id, seen.user_id,
                actor, token, request, '{{}}', FALSE
            FROM ({select}) AS seen (kind, object_id, project_id, user_id);
        END IF;
"""
_DIFFERENCE = f"""
        was := to_jsonb(OLD);
        new_row := to_jsonb(NEW);
        SELECT coalesce(jsonb_object_agg(key, jsonb_build_array(was -> key, value)), '{{}}') INTO changed
        FROM jsonb_each(new_row) WHERE value <> was -> key AND key NOT IN {NOT_LOGGED};
"""  # noqa: S608 - our own names
_TOGETHER = """
        IF changed ?| '{{{names}}}' THEN
            SELECT changed || jsonb_object_agg(name, jsonb_build_array(was -> name, new_row -> name)) INTO changed
            FROM unnest('{{{names}}}'::text[]) AS name;
        END IF;
"""
_TRIGGER = """
CREATE OR REPLACE TRIGGER {name} AFTER {events} ON "{table}"
FOR EACH ROW EXECUTE FUNCTION {name}()
"""


def install(schema_editor: Any, logged: Logged) -> None:
    """Create the function and the trigger of a table, or replace them."""
    name = f"log_{logged.table}"
    body = "".join(_event(logged, event) for event in logged.events)
    # params=None: the texts contain no placeholders, and % needs no escape
    schema_editor.execute(_FUNCTION.format(name=name, body=body), params=None)
    schema_editor.execute(
        _TRIGGER.format(name=name, table=logged.table, events=" OR ".join(logged.events)), params=None
    )


def remove(schema_editor: Any, table: str) -> None:
    """Drop the function and the trigger of a table."""
    schema_editor.execute(f"DROP FUNCTION IF EXISTS log_{table}() CASCADE", params=None)


def _event(logged: Logged, event: Event) -> str:
    return _EVENT.format(
        log=LOG,
        columns=COLUMNS,
        event=event,
        kind=logged.kind,
        action=action(logged, event),
        fields=_fields(logged, event),
        places=places(logged, event, differs="IS DISTINCT FROM"),
        also="".join(_also(each) for each in logged.also if event in each.events),
    )


def _also(also: Also) -> str:
    return _ALSO.format(log=LOG, columns=COLUMNS, when=also.when, select=also.select)


def _fields(logged: Logged, event: Event) -> str:
    if logged.link is None:
        together = "".join(_TOGETHER.format(names=",".join(names)) for names in logged.together)
        return _DIFFERENCE + together if event == "UPDATE" else ""
    name, column = logged.link
    removed = "'[]'" if event == "INSERT" else f"jsonb_build_array(OLD.{column})"
    added = "'[]'" if event == "DELETE" else f"jsonb_build_array(NEW.{column})"
    return f"changed := jsonb_build_object('{name}', jsonb_build_array({removed}::jsonb, {added}::jsonb));"
