"""Takes changes back, through the services: what they refuse cannot be undone.

First all changes are checked: each thing still has to be as the change left it. Then each is taken back. What was
created goes to the trash, what went to the trash comes back, and changed fields get their old values. All this is
logged as other writes are, so it can be undone itself.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from todo_project.accounts.models import User
from todo_project.errors import NOT_FOUND, Conflict, InvalidInput, NotFound
from todo_project.todos.models import (
    Change,
    ChangeQuerySet,
    Label,
    OwnedRow,
    Project,
    Section,
    Task,
    TaskAssignee,
    TaskLabel,
)
from todo_project.todos.services import completion, fields, labels, projects, sections, tasks, trash

# the fields of a task that are lists of links, and their tables and columns
_LISTS: Mapping[str, tuple[Any, str]] = {
    "labels": (TaskLabel, "label_id"),
    "assignees": (TaskAssignee, "user_id"),
}
_PLACE = ("project_id", "section_id", "parent_id")
Thing = tuple[str, uuid.UUID]


class CannotUndo(Conflict):
    """Something stands in the way of undoing a change."""


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """A kind of thing, and the services that write it; `settable` are the columns that go back to old values."""

    model: type[OwnedRow]
    settable: tuple[str, ...]
    update: Callable[..., object]
    trash: Callable[..., object]
    restore: Callable[..., object]


_KINDS = {
    "project": _Kind(
        model=Project,
        settable=("name", "color", "parent_id", "is_archived", "position"),
        update=projects.update_project,
        trash=trash.trash_project,
        restore=trash.restore_project,
    ),
    "section": _Kind(
        model=Section,
        settable=("name", "project_id", "position"),
        update=sections.update_section,
        trash=trash.trash_section,
        restore=trash.restore_section,
    ),
    "task": _Kind(
        model=Task,
        settable=("title", "description", "priority", "reminders", "position", *_LISTS, *_PLACE, *fields.COMBINED),
        update=tasks.update_task,
        trash=trash.trash_task,
        restore=trash.restore_task,
    ),
    "label": _Kind(
        model=Label,
        settable=("name", "color"),
        update=labels.update_label,
        trash=trash.trash_label,
        restore=trash.restore_label,
    ),
}
_STATES = ("deleted_at", "completed_at")


def undo_change(*, user: User, change_id: int, now: dt.datetime) -> list[Thing]:
    """Take one change back, and return the thing; raises NotFound, access.RoleTooLow, and CannotUndo."""
    return _undo(user, Change.objects.visible_to(user.pk).filter(id=change_id), now)


def undo_request(*, user: User, request_id: str, now: dt.datetime) -> list[Thing]:
    """Take back all that a request of the user changed, or nothing; raises as undo_change does."""
    seen = Change.objects.visible_to(user.pk).for_people()
    return _undo(user, seen.of_request(request_id, actor_id=user.pk), now)


@transaction.atomic
def _undo(user: User, rows: ChangeQuerySet, now: dt.datetime) -> list[Thing]:
    found = list(rows.exclude(has_left=True).newest_first())
    if not found:
        raise NotFound(NOT_FOUND)
    made = {(row.kind, row.object_id) for row in found if row.action == Change.Action.CREATED}
    # what was created is undone as a whole, and what a service sets besides goes back with the rest
    undone = [row for row in found if (row.kind, row.object_id) not in made and _is_by_itself(row)]
    undone += [row for row in found if row.action == Change.Action.CREATED]
    if not undone:
        raise CannotUndo(
            f"{_named(found[0])} got no value that could be changed back. Undo the change it came with."
        )
    for row in undone:
        _check(user, row)
    # projects first: what they hold goes to the trash and comes back with them
    for row in sorted(undone, key=lambda row: list(_KINDS).index(row.kind)):
        try:
            _take_back(user, row, now)
        except InvalidInput as error:
            raise CannotUndo(f"{_named(row)} cannot be changed back: {error.detail}") from error
    return list(dict.fromkeys((row.kind, row.object_id) for row in undone))


def _check(user: User, row: Change) -> None:
    """Raise CannotUndo unless the thing is as the change left it."""
    if row.kind not in _KINDS:
        raise CannotUndo(f"The change of a {row.kind} cannot be taken back here. Change the {row.kind} itself.")
    if "owner_id" in row.fields:
        raise CannotUndo("A transfer cannot be taken back here. The new owner can transfer the project again.")
    kind = _KINDS[row.kind]
    thing = kind.model.objects.visible_to(user.pk).filter(id=row.object_id).first()  # type: ignore[attr-defined] # each has objects
    if thing is None:
        raise CannotUndo(f"{_named(row)} is not there any more, so it cannot be changed back.")
    if thing.deleted_at is not None and "deleted_at" not in row.fields:
        raise CannotUndo(f"{_named(row)} is in the trash. Restore it first.")
    if row.action == Change.Action.UPDATED:
        _check_values(user, row, kind, thing)


def _is_by_itself(row: Change) -> bool:
    kind = _KINDS.get(row.kind)
    return row.action != Change.Action.UPDATED or kind is None or bool(_compared(row, kind))


def _compared(row: Change, kind: _Kind) -> list[str]:
    return [name for name in row.fields if name in {*kind.settable, *_STATES, "owner_id"}]


def _check_values(user: User, row: Change, kind: _Kind, thing: OwnedRow) -> None:
    _, new = row.sides(kind.model)
    for name in _compared(row, kind):
        is_kept = _has_links(thing, row, name) if name in _LISTS else getattr(thing, name) == new[name]
        if not is_kept:
            later = Change.objects.visible_to(user.pk).later(row, name).newest_first().first()
            which = f" by the change {later.id}. Undo that one first" if later is not None else ""
            raise CannotUndo(
                f"`{fields.shown_as(name)}` of {_named(row, at_start=False)} was changed later{which}."
            )


def _has_links(task: OwnedRow, row: Change, name: str) -> bool:
    removed, added = (side[name] for side in row.sides(Task))
    table, column = _LISTS[name]
    present = set(table.objects.filter(task_id=task.id).values_list(column, flat=True))
    return present >= set(added) and present.isdisjoint(removed)


def _take_back(user: User, row: Change, now: dt.datetime) -> None:
    kind = _KINDS[row.kind]
    who: dict[str, Any] = {"user": user} if row.kind == "task" else {"user_id": user.pk}
    who |= {f"{row.kind}_id": row.object_id, "now": now}
    if row.action == Change.Action.CREATED:
        kind.trash(**who)
        return
    old, new = row.sides(kind.model)
    if "deleted_at" in new:
        write = kind.trash if new["deleted_at"] is None else kind.restore
        write(**who)
    if "completed_at" in new and row.kind == "task":
        state = completion.complete_task if new["completed_at"] is None else completion.reopen_task
        state(**who)
    changes = _changes(row, {name: old[name] for name in old if name in kind.settable}, new)
    if changes and "deleted_at" not in new:
        kind.update(**who, changes=changes)


def _changes(row: Change, old: dict[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the old values as the services take them."""
    if row.kind != "task":
        return old
    if not old.keys().isdisjoint(_LISTS):
        task = Task.objects.with_links().get(id=row.object_id)
        present = {"labels": task.label_ids, "assignees": task.assignee_ids}
        old |= {
            name: sorted((set(present[name]) - set(new[name])) | set(old[name])) for name in _LISTS if name in old
        }
    values = fields.combined(old)
    if values.get("recurrence"):
        values["recurrence"] = {"excluded_dates": [], **values["recurrence"]}
    return {name: value for name, value in values.items() if name not in fields.COMBINED}


def _named(row: Change, *, at_start: bool = True) -> str:
    return f"{'The' if at_start else 'the'} {row.kind} {row.object_id}"
