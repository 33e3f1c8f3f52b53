"""Which tables are logged, and what their triggers write.

The texts are SQL that both databases understand. In them, `{row}` is the new row of an insert, the old row of a
delete, and each of the two in an update, so that a row that moves is logged where it was and where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# the table of todos.Change
LOG = "todos_change"
COLUMNS = "xid, at, kind, object_id, action, project_id, user_id, actor_id, token_id, request_id, fields"
NULL = "CAST(NULL AS uuid)"
Event = Literal["INSERT", "UPDATE", "DELETE"]


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
    a task: `link` has the name of the list and the column with the element's id.
    """

    table: str
    kind: str
    object_id: str = "{row}.id"
    project_id: str = NULL
    user_id: str = NULL
    link: tuple[str, str] | None = None
    also: tuple[Also, ...] = ()


tables: dict[str, Logged] = {}


def register(*logged: Logged) -> None:
    """Log the changes of these tables, from the migration on that has `LogChanges` with their names."""
    tables.update({each.table: each for each in logged})


def places(logged: Logged, event: Event) -> str:
    """Return a SELECT of where to log an event: (object_id, project_id, user_id)."""
    names = {"object_id": logged.object_id, "project_id": logged.project_id, "user_id": logged.user_id}
    select = "SELECT " + ", ".join(f"{value} AS {name}" for name, value in names.items())
    rows = {"INSERT": ("NEW",), "UPDATE": ("NEW", "OLD"), "DELETE": ("OLD",)}[event]
    return " UNION ".join(select.replace("{row}", row) for row in rows)


def action(logged: Logged, event: Event) -> str:
    """Return the action to log: a new link is an update of its thing."""
    return "updated" if logged.link else {"INSERT": "created", "UPDATE": "updated", "DELETE": "deleted"}[event]
