"""Which tables are logged, and what their triggers write.

The texts are SQL that both databases understand. In them, `{row}` is the new row of an insert, the old row of a
delete, and each of the two in an update, so that a row that moves is logged where it was and where it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from todo_project.db.triggers import EVENTS, Event

# the table of todos.Change
LOG = "todos_change"
COLUMNS = "xid, at, kind, object_id, action, project_id, user_id, actor_id, token_id, request_id, fields, has_left"
NULL = "CAST(NULL AS uuid)"
# not in `fields`: what changes with everything, and what no person changes
NOT_LOGGED = ("version", "updated_at", "written_in", "taken_back_id", "is_next_elsewhere")


@dataclass(frozen=True, kw_only=True)
class Also:
    """What else people see differently after an event, such as a renamed label in the projects that use it.

    `select` returns rows of (kind, object_id, project_id, user_id). `when` is a condition on OLD and NEW.
    """

    events: Sequence[Event]
    select: str
    when: str = "TRUE"


@dataclass(frozen=True, kw_only=True)
class Logged:
    """A table whose changes are logged.

    `kind` is the singular name of the API's resource. `project_id` and `user_id` say who can see the thing: the
    members of a project, or one person. A row of a `link` is an element of a list of the thing, such as a label of
    a task: `link` has the name of the list and the column with the element's id. Columns that make one value are
    logged `together` if one of them changes.
    """

    table: str
    kind: str
    object_id: str = "{row}.id"
    project_id: str = NULL
    user_id: str = NULL
    link: tuple[str, str] | None = None
    together: tuple[tuple[str, ...], ...] = ()
    also: tuple[Also, ...] = ()

    @property
    def events(self) -> Sequence[Event]:
        """The events that are logged: what links two things comes and goes."""
        return EVENTS if self.link is None else ("INSERT", "DELETE")


tables: dict[str, Logged] = {}


def register(*logged: Logged) -> None:
    """Log the changes of these tables, from the migration on that has `LogChanges` with their names."""
    tables.update({each.table: each for each in logged})


# (table, the table that the SELECTs read, what else is logged)
_more: list[tuple[str, str, Sequence[Also]]] = []


def register_also(table: str, *also: Also, reads: str) -> None:
    """Log more with the changes of a table of an app below, where the table exists that this `reads`."""
    _more.append((table, reads, also))


def logged(table: str, existing: Collection[str]) -> Logged:
    """Return what is logged of a table in a database with these tables."""
    more = [each for of, reads, also in _more if of == table and reads in existing for each in also]
    return replace(tables[table], also=(*tables[table].also, *more))


def is_extended(table: str, by: Collection[str]) -> bool:
    """Return whether more is logged of a table because of one of these."""
    return any(of == table and reads in by for of, reads, _ in _more)


def places(logged: Logged, event: Event, *, differs: str) -> str:
    """Return a SELECT of where to log an event: (object_id, project_id, user_id, has_left).

    `differs` is the database's operator that compares values of which some may be null.
    """
    place = f"{logged.project_id} AS project_id, {logged.user_id} AS user_id"
    select = f"SELECT {logged.object_id} AS object_id, {place}, FALSE AS has_left".replace
    if event != "UPDATE":
        return select("{row}", "NEW" if event == "INSERT" else "OLD")
    left = f"SELECT {logged.object_id}, {logged.project_id}, {logged.user_id}, TRUE".replace("{row}", "OLD")
    has_moved = " OR ".join(
        f"{value.replace('{row}', 'OLD')} {differs} {value.replace('{row}', 'NEW')}"
        for value in (logged.project_id, logged.user_id)
        if "{row}" in value
    )
    return f"{select('{row}', 'NEW')} UNION ALL {left} WHERE {has_moved}"


def action(logged: Logged, event: Event) -> str:
    """Return the action to log: a new link is an update of its thing."""
    return "updated" if logged.link else {"INSERT": "created", "UPDATE": "updated", "DELETE": "deleted"}[event]
