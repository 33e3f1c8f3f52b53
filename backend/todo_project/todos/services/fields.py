"""Which fields a task has for its services. A plain field is named here once (docs/recipes/add-a-task-field.md)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, TypedDict, cast

from todo_project.todos.models import Task
from todo_project.todos.services import moments
from todo_project.todos.services.moments import Moment


class Recurrence(TypedDict, total=False):
    """An RRULE, whether the next one counts from the start or from the completion (MODES), and days to leave out.

    What is left out stays; of a task that does not recur yet the mode is by schedule. Without a start the rule
    counts from the due date. The days are "YYYY-MM-DD" in the zone of what the rule counts from.
    """

    rule: str
    mode: str
    excluded_dates: list[str]


class TaskFields(TypedDict, total=False):
    """What a task may be created with or changed to; whoever read the request has checked types and lengths.

    The last three are for imports. A reminder is {"at": RFC 3339 text} or {"offset_seconds", "relative_to"}.
    """

    project_id: uuid.UUID | None
    section_id: uuid.UUID | None
    parent_id: uuid.UUID | None
    title: str
    description: str
    priority: int
    labels: list[uuid.UUID]
    due: Moment | None
    start: Moment | None
    deadline: Moment | None
    recurrence: Recurrence | None
    reminders: list[dict[str, Any]]
    position: str
    completed_at: dt.datetime | None
    uid: str
    ical: str


_NOT_COLUMNS = {"project_id", "section_id", "parent_id", "labels", "recurrence", *moments.NAMES}
# The fields that are the column of the same name.
PLAIN = tuple(name for name in TaskFields.__annotations__ if name not in _NOT_COLUMNS)
_KEPT = {"title", "position", "completed_at", "uid", "ical"}


def defaults() -> TaskFields:
    """Return what a replacement sets the fields to that it leaves out; a position stays."""
    new = Task()
    values: Any = {name: getattr(new, name) for name in PLAIN if name not in _KEPT}
    values |= {"labels": [], "due": None, "start": None, "deadline": None, "recurrence": None}
    return cast(TaskFields, values)


# The columns that hold neither place, state nor identity: what the next task of a series has from the last.
CONTENT = (
    *(name for name in PLAIN if name not in _KEPT - {"title"}),
    *("recurrence_rule", "recurrence_mode", "excluded_dates"),
    *(f"{name}_{part}" for name in moments.NAMES for part in ("date", "at", "time_zone")),
)
