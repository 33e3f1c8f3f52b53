"""Finds what a file changes in a task that was imported before, so that changes made here are kept."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from todo_project.errors import InvalidInput
from todo_project.imports.services import vtodo
from todo_project.imports.services.ics import FoundTask
from todo_project.imports.services.report import ImportReport, Unsupported
from todo_project.todos.models import Task
from todo_project.todos.services import batches, moments, recurrence
from todo_project.todos.services.fields import Recurrence, TaskFields
from todo_project.todos.services.moments import Moment

_NO_RECURRENCE = "The task no longer recurs, because the file changes the date that its rule counts from."
_NO_REMINDER = "A reminder was removed, because the task does not have the date that it is relative to."


@dataclass(frozen=True, slots=True)
class Changed:
    """A locked task, its values at the last import (None if unknown), and the task in the file."""

    task: Task
    old: vtodo.TaskValues | None
    found: FoundTask

    @property
    def new(self) -> vtodo.TaskValues:
        return self.found.task.values

    @property
    def has_another_parent(self) -> bool:
        return self.old is None or self.old.parent_uid != self.new.parent_uid


def change_of(
    changed: Changed, label_ids: Mapping[str, uuid.UUID], *, report: ImportReport, zone: str
) -> batches.Change:
    """Return what has changed in the file since the last import.

    What no longer fits to the task's dates is removed and reported. `zone` is the zone of times without one.
    """
    before: dict[str, Any] = dict(fields_of(changed.old)) if changed.old else {}
    fields = {
        name: value
        for name, value in fields_of(changed.new).items()
        if changed.old is None or before[name] != value
    }
    fields |= _removed(changed.task, fields, zone, report)
    names = {name.lower() for name in changed.new.labels}
    old_names = {name.lower() for name in changed.old.labels} if changed.old else set()
    return batches.Change(
        task=changed.task,
        fields=cast(TaskFields, {**fields, "ical": changed.found.text}),
        added_labels={label_ids[name] for name in names - old_names},
        removed_labels={label_ids[name] for name in old_names - names if name in label_ids},
    )


def fields_of(task: vtodo.TaskValues) -> TaskFields:
    """Return the fields that a file sets."""
    return {
        "title": task.title,
        "description": task.description,
        "priority": task.priority,
        "due": task.due,
        "start": task.start,
        "recurrence": _recurrence(task),
        "reminders": task.reminders,
        "completed_at": task.completed_at,
    }


def _recurrence(task: vtodo.TaskValues) -> Recurrence | None:
    if not task.recurrence_rule:
        return None
    return {
        "rule": task.recurrence_rule,
        "mode": recurrence.SCHEDULE,
        "excluded_dates": list(task.excluded_dates),
    }


def _removed(task: Task, fields: Mapping[str, Any], zone: str, report: ImportReport) -> dict[str, Any]:
    """Return the recurrence and the reminders without what the dates of the changed task no longer allow."""
    dates: dict[str, Moment | None] = {
        name: fields[name] if name in fields else moments.of(task, name) for name in ("start", "due")
    }
    removed: dict[str, Any] = {}
    rule, mode = _rule_and_mode(task, fields)
    is_checked = bool(rule) and not fields.keys().isdisjoint({"start", "due", "recurrence"})
    if is_checked and not _recurs(rule, mode, dates["start"] or dates["due"], zone):
        removed["recurrence"] = None
        report.add(task.uid, Unsupported("RRULE", "VTODO", _NO_RECURRENCE))
    reminders = fields.get("reminders", task.reminders)
    kept = [each for each in reminders if "relative_to" not in each or dates[each["relative_to"]]]
    if len(kept) < len(reminders):
        removed["reminders"] = kept
        report.add(task.uid, Unsupported("TRIGGER", "VALARM", _NO_REMINDER))
    return removed


def _rule_and_mode(task: Task, fields: Mapping[str, Any]) -> tuple[str, str]:
    if "recurrence" not in fields:
        return task.recurrence_rule, task.recurrence_mode
    wanted = fields["recurrence"] or {"rule": "", "mode": ""}
    return wanted["rule"], wanted["mode"]


def _recurs(rule: str, mode: str, first: Moment | None, zone: str) -> bool:
    if first is None:
        return False
    try:
        if mode == recurrence.SCHEDULE:
            recurrence.check_recurs(recurrence.parse(rule), moments.wall_time(first, default_zone=zone).date())
    except InvalidInput:
        return False
    return True
