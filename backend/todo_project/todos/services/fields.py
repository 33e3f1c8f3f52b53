"""The fields of a task as services take them (docs/recipes/add-a-task-field.md shows how to add one)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, TypedDict, cast

from todo_project.todos.models import Task
from todo_project.todos.services import moments
from todo_project.todos.services.moments import Moment

# how many a task can have
LABELS_MAX = 100
ASSIGNEES_MAX = 100
REMINDERS_MAX = 20
# of a reminder, before or after its moment
OFFSET_MAX_SECONDS = 366 * 24 * 3600


class Recurrence(TypedDict, total=False):
    """An RRULE, its mode (recurrence.MODES), and the days that the series skips.

    In a change, absent keys keep their values; the default mode is `schedule`. The rule counts from the start date,
    or from the due date if there is no start. The days are "YYYY-MM-DD" in the zone of that date.
    """

    rule: str
    mode: str
    excluded_dates: list[str]


class TaskFields(TypedDict, total=False):
    """The fields that a task can be created with or changed to; the serializer has checked types and lengths.

    The last three are for imports. A reminder is {"at": RFC 3339 text} or {"offset_seconds", "relative_to"}.
    """

    project_id: uuid.UUID | None
    section_id: uuid.UUID | None
    parent_id: uuid.UUID | None
    title: str
    description: str
    priority: int
    labels: list[uuid.UUID]
    assignees: list[uuid.UUID]
    due: Moment | None
    start: Moment | None
    deadline: Moment | None
    recurrence: Recurrence | None
    reminders: list[dict[str, Any]]
    position: str
    completed_at: dt.datetime | None
    uid: str
    ical: str


_NOT_COLUMNS = {"project_id", "section_id", "parent_id", "labels", "assignees", "recurrence", *moments.NAMES}
# The fields that are stored in a column of the same name.
PLAIN = tuple(name for name in TaskFields.__annotations__ if name not in _NOT_COLUMNS)
_KEPT = {"title", "position", "completed_at", "uid", "ical"}


def defaults() -> TaskFields:
    """Return the values that PUT sets for fields that the body leaves out; the position keeps its value."""
    new = Task()
    values: Any = {name: getattr(new, name) for name in PLAIN if name not in _KEPT}
    values |= {"labels": [], "assignees": [], "due": None, "start": None, "deadline": None, "recurrence": None}
    return cast(TaskFields, values)


_RECURRENCE = ("recurrence_rule", "recurrence_mode", "excluded_dates")
# The columns of the fields that are stored in several.
_COLUMNS = {
    **{f"{name}_{part}": name for name in moments.NAMES for part in ("date", "at", "time_zone")},
    **dict.fromkeys(_RECURRENCE, "recurrence"),
}
COMBINED = tuple(_COLUMNS)

# The columns that the next task of a series copies: all but place, state and identity.
CONTENT = (*(name for name in PLAIN if name not in _KEPT - {"title"}), *COMBINED)


def shown_as(column: str) -> str:
    """Return the name of the field that a column belongs to."""
    return _COLUMNS.get(column, column)


def recurrence_of(rule: str, mode: str, excluded_dates: list[str] | None) -> Recurrence | None:
    """Return the recurrence that is stored in three columns."""
    if not rule:
        return None
    return (
        {"rule": rule, "mode": mode, "excluded_dates": excluded_dates}
        if excluded_dates
        else {"rule": rule, "mode": mode}
    )


def combined(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of some columns of a task, with the moments and the recurrence that they make."""
    fields = dict(columns)
    for name in moments.NAMES:
        if f"{name}_date" in columns:
            parts = (columns[f"{name}_{part}"] for part in ("date", "at", "time_zone"))
            fields[name] = moments.from_columns(*parts)
    if "recurrence_rule" in columns:
        fields["recurrence"] = recurrence_of(*(columns[name] for name in _RECURRENCE))
    return fields
