"""Converts a VTODO component (RFC 5545, section 3.6.2) to the values of a task, without using the database.

docs/imports.md says which property becomes which field.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from todo_project.imports.services import alarms, dates, values
from todo_project.imports.services.components import Component, Line, UnusableComponent, unescaped
from todo_project.imports.services.properties import Properties, note_component
from todo_project.imports.services.report import Unsupported, UnsupportedProperties
from todo_project.todos.models import LABEL_LENGTH, UID_LENGTH
from todo_project.todos.services.fields import LABELS_MAX
from todo_project.todos.services.moments import Moment

NO_TITLE = "(no title)"
TOO_MANY_LABELS = f"A task can have at most {LABELS_MAX} labels; only the first are kept."
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_A_DAY = dt.timedelta(days=1)
_PRIORITIES = (0, 4, 3, 3, 3, 2, 1, 1, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskValues:
    """The values of a task that a VTODO contains."""

    title: str
    description: str
    priority: int
    due: Moment | None
    start: Moment | None
    recurrence_rule: str
    excluded_dates: tuple[str, ...]
    reminders: list[dict[str, Any]]
    completed_at: dt.datetime | None
    labels: tuple[str, ...]
    parent_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTask:
    """A VTODO that can be imported: its UID, its values, and its unsupported properties."""

    uid: str
    is_uid_made: bool
    is_occurrence: bool
    values: TaskValues
    created_at: dt.datetime | None
    revision: tuple[int, dt.datetime, dt.datetime]
    unsupported: list[Unsupported]


def read_task(component: Component, *, clock: values.Clock) -> ImportedTask:
    """Return the task in a VTODO; raise UnusableComponent with the reason if it cannot be imported."""
    notes = UnsupportedProperties()
    todo = Properties(component, notes)
    _check(component)
    is_occurrence, has_uid = todo.peek("RECURRENCE-ID") is not None, todo.peek("UID") is not None
    uid = _uid(todo, component)
    title, description = _texts(todo)
    found = dates.read_dates(todo, clock)
    revision = _revision(todo, clock)
    created_at = _created(todo, clock)
    task = TaskValues(
        title=title,
        description=description,
        priority=_priority(todo),
        due=found.due,
        start=found.start,
        recurrence_rule=found.recurrence_rule,
        excluded_dates=found.excluded_dates,
        reminders=_reminders(todo, clock, alarms.Anchors(has_start=bool(found.start), has_due=bool(found.due))),
        completed_at=_completed(todo, clock),
        labels=_labels(todo),
        parent_uid=_parent(todo, uid),
    )
    todo.note_rest()
    return ImportedTask(
        uid=uid,
        is_uid_made=not has_uid,
        is_occurrence=is_occurrence,
        values=task,
        created_at=created_at,
        revision=revision,
        unsupported=notes.all(),
    )


def stored_uid(uid: str) -> str:
    """Return the UID as it is stored: its digest if it is too long."""
    uid = uid.strip()
    return uid if len(uid) <= UID_LENGTH else "sha256:" + hashlib.sha256(uid.encode("utf-8", "replace")).hexdigest()


def _check(component: Component) -> None:
    if component.defect:
        raise UnusableComponent(component.defect)
    if not component.children and all(
        line.name == "DTSTAMP" or not line.value.strip() for line in component.lines if not line.is_broken
    ):
        raise UnusableComponent("It is empty.")


def _signature(component: Component) -> tuple[Any, ...]:
    """Return what identifies a component without a UID: everything except DTSTAMP, in any order."""
    lines = sorted((line.name, line.value, sorted(line.parameters.items())) for line in component.lines)
    kept = tuple((name, value, tuple(rest)) for name, value, rest in lines if name != "DTSTAMP")
    return component.name, kept, tuple(_signature(child) for child in component.children)


def _uid(todo: Properties, component: Component) -> str:
    line = todo.take("UID")
    if line is None:
        digest = hashlib.sha256(repr(_signature(component)).encode("utf-8", "replace")).hexdigest()
        todo.note("UID", "It is missing; one was derived from the content.")
        return f"content:{digest[:40]}"
    if len(line.value.strip()) > UID_LENGTH:
        todo.note("UID", f"It is longer than {UID_LENGTH} characters; its digest is stored instead.")
    return stored_uid(line.value)


def _texts(todo: Properties) -> tuple[str, str]:
    """Return title and description; a title that is too long is added to the description."""
    summary, notes = todo.take("SUMMARY"), todo.take("DESCRIPTION")
    title = unescaped(summary.value).strip() if summary else ""
    description = unescaped(notes.value) if notes else ""
    limit = settings.TASK_TITLE_MAX_LENGTH
    if not title:
        title = NO_TITLE
        todo.note("SUMMARY", f"It is missing; the title is {NO_TITLE}.")
    elif len(title) > limit:
        description = f"{title}\n\n{description}" if description else title
        title = title[: limit - 1] + "…"
        todo.note("SUMMARY", f"It is longer than {limit} characters; the description begins with all of it.")
    if len(description) > settings.TASK_DESCRIPTION_MAX_LENGTH:
        raise UnusableComponent(
            f"Its description has {len(description)} characters, but the maximum is "
            f"{settings.TASK_DESCRIPTION_MAX_LENGTH} (TASK_DESCRIPTION_MAX_LENGTH)."
        )
    return title, description


def _priority(todo: Properties) -> int:
    line = todo.take("PRIORITY")
    if line is None:
        return 0
    priority = values.integer(line.value)
    if priority is None or not 0 <= priority < len(_PRIORITIES):
        todo.note("PRIORITY", f"{line.value[:40]} is not between 0 and 9.")
        return 0
    return _PRIORITIES[priority]


def _completed(todo: Properties, clock: values.Clock) -> dt.datetime | None:
    """Return when the task was closed. STATUS decides; without one, COMPLETED or PERCENT-COMPLETE:100 does."""
    done, status = todo.take("COMPLETED", parameters=("VALUE", "TZID")), todo.take("STATUS")
    percent = _percent(todo)
    state = status.value.strip().upper() if status else ""
    is_closed = state in {"COMPLETED", "CANCELLED"} or (not state and (done is not None or percent == 100))
    if state == "CANCELLED":
        todo.note("STATUS", "CANCELLED is kept in the stored component; the task was imported as completed.")
    elif state not in {"", "NEEDS-ACTION", "COMPLETED"}:
        todo.note("STATUS", f"{state[:40]} is not supported; the task was imported as open.")
    if percent is not None and percent != (100 if is_closed else 0):
        imported_as = "completed" if is_closed else "open"
        todo.note("PERCENT-COMPLETE", f"{percent} is not supported; the task was imported as {imported_as}.")
    if not is_closed:
        if done:
            todo.note("COMPLETED", "STATUS says that the task is open.")
        return None
    at = _completed_at(todo, done, clock) if done else None
    return at or _last_change(todo, clock) or clock.now


def _completed_at(todo: Properties, done: Line, clock: values.Clock) -> dt.datetime | None:
    """Return the time in COMPLETED; None if it is not a time in the past, which is noted."""
    at = values.instant_or_noon(done, clock)
    if at is not None and at <= clock.now + _A_DAY:
        return min(at, clock.now)  # it may be noon of today, or the time of a clock that is ahead
    todo.note("COMPLETED", f"{done.value[:40]} is {'not a time' if at is None else 'in the future'}.")
    return None


def _percent(todo: Properties) -> int | None:
    line = todo.take("PERCENT-COMPLETE")
    percent = values.integer(line.value) if line else None
    if line and percent is None:
        todo.note("PERCENT-COMPLETE", f"{line.value[:20]} is not a number.")
    return percent


def _last_change(todo: Properties, clock: values.Clock) -> dt.datetime | None:
    """Return the time of the last change, as the best guess of when the task was closed."""
    for name in ("LAST-MODIFIED", "LAST-MOD", "DTSTAMP"):
        line = todo.peek(name)
        if line and (found := values.instant(line, clock)) and found <= clock.now:
            return found
    return None


def _revision(todo: Properties, clock: values.Clock) -> tuple[int, dt.datetime, dt.datetime]:
    """Return a sort key for versions of a task."""
    sequence, modified, stamp = (todo.peek(name) for name in ("SEQUENCE", "LAST-MODIFIED", "DTSTAMP"))
    return (
        (values.integer(sequence.value) or 0) if sequence else 0,
        (values.instant(modified, clock) or _EPOCH) if modified else _EPOCH,
        (values.instant(stamp, clock) or _EPOCH) if stamp else _EPOCH,
    )


def _created(todo: Properties, clock: values.Clock) -> dt.datetime | None:
    line = todo.take("CREATED", parameters=("VALUE", "TZID"))
    found = values.instant(line, clock) if line else None
    if line and (found is None or not _EPOCH <= found <= clock.now):
        todo.note("CREATED", f"{line.value[:40]} is not a time between 1970 and now.")
        return None
    return found


def _labels(todo: Properties) -> tuple[str, ...]:
    names: dict[str, str] = {}
    written = (name for line in todo.take_all("CATEGORIES") for name in values.texts(line.value))
    for count, name in enumerate(" ".join(each.split()) for each in written):
        if len(names) >= LABELS_MAX or count >= 10 * LABELS_MAX:
            todo.note("CATEGORIES", TOO_MANY_LABELS)
            break
        if len(name) > LABEL_LENGTH:
            todo.note("CATEGORIES", f"{name[:40]}… is too long for a label.")
        elif name:
            names.setdefault(name.lower(), name)
    return tuple(names.values())


def _parent(todo: Properties, uid: str) -> str:
    parents = []
    for line in todo.take_all("RELATED-TO", parameters=("RELTYPE",)):
        kind = line.parameters.get("RELTYPE", "PARENT").upper()
        if kind != "PARENT":
            todo.note("RELATED-TO", f"Only the parent is kept, not {kind[:40]}.")
        elif stored_uid(line.value) == uid:
            todo.note("RELATED-TO", "A task cannot be its own parent.")
        else:
            parents.append(stored_uid(line.value))
    if len(parents) > 1:
        todo.note("RELATED-TO", "It has several parents; only the first is kept.")
    return parents[0] if parents else ""


def _reminders(todo: Properties, clock: values.Clock, anchors: alarms.Anchors) -> list[dict[str, Any]]:
    found = [child for child in todo.component.children if child.name == "VALARM"]
    for child in todo.component.children:
        if child.name != "VALARM":
            note_component(child, todo.notes)
    return alarms.reminders(found, anchors=anchors, notes=todo.notes, clock=clock)
