"""Finds what a file changes in a task that was imported before, so that changes made here are kept."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from todo_project.errors import InputErrors, InvalidInput
from todo_project.imports.services import vtodo
from todo_project.imports.services.ics import FoundTask
from todo_project.imports.services.report import ImportReport, Unsupported, UnsupportedProperties
from todo_project.todos.models import Task
from todo_project.todos.services import batches, recurrence, tasks
from todo_project.todos.services.fields import LABELS_MAX, Recurrence, TaskFields

_LEFT_OUT = {
    "due": ("VTODO", "DUE", "It was left out."),
    "start": ("VTODO", "DTSTART", "It was left out."),
    "recurrence": ("VTODO", "RRULE", "The rule was left out."),
    "reminders": ("VALARM", "TRIGGER", "A reminder was left out."),
}


@dataclass(frozen=True, slots=True)
class Changed:
    """A locked task with its labels, its values at the last import (None if unknown), and the task in the file."""

    task: Task
    old: vtodo.TaskValues | None
    found: FoundTask

    @property
    def new(self) -> vtodo.TaskValues:
        return self.found.task.values

    @property
    def has_another_parent(self) -> bool:
        return self.old is None or self.old.parent_uid != self.new.parent_uid


def change_of(changed: Changed, label_ids: Mapping[str, uuid.UUID], report: ImportReport) -> batches.TaskChange:
    """Apply what has changed in the file since the last import; see merged."""
    before: dict[str, Any] = dict(fields_of(changed.old)) if changed.old else {}
    fields = {name: value for name, value in fields_of(changed.new).items() if before.get(name, ...) != value}
    names = [name.lower() for name in changed.new.labels]
    old_names = {name.lower() for name in changed.old.labels} if changed.old else set()
    removed = {label_ids[name] for name in old_names.difference(names) if name in label_ids}
    kept = {*changed.task.label_ids} - removed
    added = [label_ids[name] for name in names if name not in old_names and label_ids[name] not in kept]
    room = max(0, LABELS_MAX - len(kept))
    if len(added) > room:
        report.add(changed.task.uid, Unsupported("CATEGORIES", "VTODO", vtodo.TOO_MANY_LABELS))
    return batches.TaskChange(
        task=merged(changed.task, {**fields, "ical": changed.found.text}, report),
        added_labels=added[:room],
        removed_labels=removed,
    )


def merged(task: Task, fields: Mapping[str, Any], report: ImportReport) -> Task:
    """Return a copy of the task with these fields.

    They are checked as those of a request are. What the checks refuse is left out and reported: for example, a rule
    or a reminder whose date was removed, here or in the file.
    """
    wanted, notes = dict(fields), UnsupportedProperties()
    while True:
        result = copy.copy(task)
        error = _assign(result, wanted)
        if error is None:
            report.add(task.uid, *notes.all())
            return result
        _leave_out(error, result, wanted, notes)


def _assign(task: Task, fields: Mapping[str, Any]) -> InvalidInput | None:
    errors = InputErrors()
    tasks.assign(task, fields, errors, may_be_last=True)
    try:
        errors.raise_if_any()
    except InvalidInput as error:
        return error
    return None


def _leave_out(error: InvalidInput, result: Task, wanted: dict[str, Any], notes: UnsupportedProperties) -> None:
    """Drop the wanted field that is invalid; if the file did not set it, clear it in the task."""
    _, name, *rest = error.pointer.split("/")
    if name == "reminders":
        index = int(rest[0])
        wanted[name] = result.reminders[:index] + result.reminders[index + 1 :]
    elif name in wanted:
        del wanted[name]
    else:
        wanted[name] = None
    component, prop, what = _LEFT_OUT[name]
    notes.add(component, prop, f"{what} {error.detail}")


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
