"""Create, change, replace and move tasks. completion.py completes them, trash.py deletes and restores them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models, transaction

from todo_project.accounts.models import User
from todo_project.db.compiled import CompiledQuery
from todo_project.db.rows import uuid7
from todo_project.errors import InvalidInput, Problems
from todo_project.todos.models import Label, Task, TaskLabel
from todo_project.todos.services import moments, ordering, placement, recurrence, rows
from todo_project.todos.services.fields import PLAIN, TaskFields, defaults

Versions = frozenset[int] | None
_REMINDERS_AND_THEIR_MOMENTS = {"reminders", "due_date", "due_at", "start_date", "start_at"}


@transaction.atomic
def create_task(*, user: User, fields: TaskFields, now: dt.datetime, task_id: uuid.UUID | None = None) -> Task:
    """Create a task, in the Inbox when neither project, section nor parent is given, behind the others there.

    Raises InvalidInput with everything that cannot be used, rows.IdTaken, and IntegrityError for a uid that is in
    use in the project.
    """
    problems = Problems()
    projects = placement.lock_projects(owner_id=user.pk, fields=fields)
    labels = _known_labels(user, fields.get("labels", []), problems)
    task = Task(id=task_id or uuid7(), owner=user, created_at=now, updated_at=now)
    _assign(task, fields, problems)
    place = placement.find(owner_id=user.pk, fields=fields, projects=projects, task=None, problems=problems)
    problems.raise_any()
    task.project_id, task.section_id, task.parent_id = place.project_id, place.section_id, place.parent_id
    if task.position:
        task.position = ordering.free(placement.siblings(user.pk, place), task.position, now=now)
    else:
        task.position = placement.last_position(place, owner_id=user.pk)
    if task_id is None:
        task.save(force_insert=True)
    else:
        rows.insert(Task.objects.visible_to(user.pk), task)
    _set_labels(task, old=[], new=labels)
    return task


@transaction.atomic
def update_task(
    *,
    user: User,
    task_id: uuid.UUID,
    changes: TaskFields,
    now: dt.datetime,
    expected_versions: Versions = None,
) -> Task:
    """Change what `changes` names; a task that has it all already keeps its version.

    In another project or section it comes behind the others, unless `changes` has a position, with its subtasks.
    Raises NotFound, StaleVersion, InvalidInput with everything that cannot be used.
    """
    projects = _projects_for(user, task_id, changes)
    mine = Task.objects.visible_to(user.pk).alive()
    task = placement.locked_task(mine, task_id=task_id, expected_versions=expected_versions)
    return _change(user, task, changes, (projects, now))


def put_task(
    *,
    user: User,
    task_id: uuid.UUID,
    fields: TaskFields,
    now: dt.datetime,
    expected_versions: Versions = None,
    must: rows.Must = None,
) -> tuple[Task, bool]:
    """Create the task with the id that the client chose, or replace all of it; returns whether it was created.

    A field that is left out gets the value that a new task has; the position stays, and so does what only the
    service writes. Raises InvalidInput, StaleVersion, and what rows.put raises.
    """
    return rows.put(
        Task.objects.visible_to(user.pk),
        row_id=task_id,
        must=must,
        create=lambda: create_task(user=user, fields=fields, now=now, task_id=task_id),
        replace=lambda: update_task(
            user=user,
            task_id=task_id,
            changes=_replacement(fields),
            now=now,
            expected_versions=expected_versions,
        ),
    )


def _replacement(fields: TaskFields) -> TaskFields:
    changes: TaskFields = {**defaults(), **fields}
    if not changes.get("parent_id"):
        changes.setdefault("parent_id", None)
        if not changes.get("section_id"):
            changes.setdefault("project_id", None)
            changes.setdefault("section_id", None)
    return changes


@transaction.atomic
def move_task(
    *,
    user: User,
    task_id: uuid.UUID,
    to: Mapping[str, Any],
    now: dt.datetime,
    beside: ordering.Beside | None = None,
    expected_versions: Versions = None,
) -> Task:
    """Put the task right before or after another one, which gives the place, or behind the others in `to`.

    Raises NotFound, StaleVersion, InvalidInput for a neighbour that is not in the place that `to` names.
    """
    if beside is not None:
        to = {**ordering.fields_of(beside, owner_id=user.pk, task_id=task_id), **to}
    projects = placement.lock_projects(owner_id=user.pk, fields=to, task_id=task_id)
    mine = Task.objects.visible_to(user.pk).alive()
    task = placement.locked_task(mine, task_id=task_id, expected_versions=expected_versions)
    problems = Problems()
    place = placement.find(owner_id=user.pk, fields=to, projects=projects, task=task, problems=problems)
    problems.raise_any()
    changed = placement.move(task, place, now=now)
    if beside is None:
        task.position = placement.last_position(place, owner_id=user.pk)
    else:
        task.position = ordering.position_beside(task, beside, now=now)
    rows.save(task, fields=changed | {"position"}, now=now)
    return task


_UNDER_LOCK = {*placement.KEYS, "position"}


def _projects_for(user: User, task_id: uuid.UUID, changes: TaskFields) -> placement.Projects | None:
    """Lock the projects of a change of place or position; another change needs none."""
    if not _UNDER_LOCK & changes.keys():
        return None
    return placement.lock_projects(owner_id=user.pk, fields=changes, task_id=task_id)


def _change(
    user: User, task: Task, changes: TaskFields, how: tuple[placement.Projects | None, dt.datetime]
) -> Task:
    projects, now = how
    problems = Problems()
    old = task.label_ids
    labels = _known_labels(user, changes["labels"], problems) if "labels" in changes else old
    changed = _assign(task, changes, problems)
    if projects is not None:
        place = placement.find(owner_id=user.pk, fields=changes, projects=projects, task=task, problems=problems)
        problems.raise_any()
        moved = placement.move(task, place, now=now)
        changed |= moved | _positioned(task, changes, changed | moved, now)
    problems.raise_any()
    if changed or labels != old:
        rows.save(task, fields=changed, now=now)
        _set_labels(task, old=old, new=labels)
    return task


def _positioned(task: Task, changes: TaskFields, changed: set[str], now: dt.datetime) -> set[str]:
    """Give a task that changed its list, or its position there, a free position; returns the name if so."""
    if not changed & {"project", "section", "position"}:
        return set()
    place = placement.place_of(task)
    if "position" in changes:
        siblings = placement.siblings(task.owner_id, place).exclude(id=task.id)
        task.position = ordering.free(siblings, task.position, now=now)
    else:
        task.position = placement.last_position(place, owner_id=task.owner_id)
    return {"position"}


def _assign(task: Task, fields: Mapping[str, Any], problems: Problems) -> set[str]:
    """Set the columns of all fields but the place and the labels; returns the names of those that changed."""
    values: dict[str, Any] = {name: fields[name] for name in PLAIN if name in fields}
    for name in moments.NAMES:
        if name in fields:
            with problems.noted():
                moment = moments.merged(moments.of(task, name), fields[name], pointer=f"/{name}")
                values |= moments.columns(name, moment)
    if "recurrence" in fields:
        values |= _merged_recurrence(task, fields["recurrence"])
    changed = {name for name, value in values.items() if getattr(task, name) != value}
    for name in changed:
        setattr(task, name, values[name])
    with problems.noted():
        _check_recurrence(task)
    if not changed.isdisjoint(_REMINDERS_AND_THEIR_MOMENTS):
        with problems.noted():
            moments.check_reminders(task)
    return changed


def _merged_recurrence(task: Task, wanted: Mapping[str, Any] | None) -> dict[str, Any]:
    if wanted is None:
        return {"recurrence_rule": "", "recurrence_mode": "", "excluded_dates": None}
    return {
        "recurrence_rule": wanted.get("rule") or task.recurrence_rule,
        "recurrence_mode": wanted.get("mode") or task.recurrence_mode or recurrence.SCHEDULE,
        "excluded_dates": wanted.get("excluded_dates", task.excluded_dates) or None,
    }


def _check_recurrence(task: Task) -> None:
    if not task.recurrence_mode:
        return
    recurrence.parse(task.recurrence_rule)
    if moments.of(task, "due") is None and moments.of(task, "start") is None:
        raise InvalidInput(
            "A task that recurs needs a due or a start date to count from.", pointer="/recurrence", code="no_date"
        )


_KNOWN_LABELS = CompiledQuery(
    lambda owner_id, ids: Label.objects.visible_to(owner_id).alive().filter(id__in=ids).values_list("id"),
    {"owner_id": models.UUIDField(), "ids": models.UUIDField()},
)


def _known_labels(user: User, wanted: list[uuid.UUID], problems: Problems) -> list[uuid.UUID]:
    if not wanted:
        return []
    known = {row[0] for row in _KNOWN_LABELS.rows({"owner_id": user.pk, "ids": wanted})}
    for position, label_id in enumerate(wanted):
        if label_id not in known:
            problems.add(
                InvalidInput("You have no label with this id.", pointer=f"/labels/{position}", code="not_found")
            )
    return sorted(set(wanted))


def _set_labels(task: Task, *, old: Iterable[uuid.UUID], new: list[uuid.UUID]) -> None:
    added, removed = set(new) - set(old), set(old) - set(new)
    if removed:
        TaskLabel.objects.filter(task=task, label_id__in=removed).delete()
    if added:
        # one that is in the trash may be there already, and comes back at this moment
        TaskLabel.objects.bulk_create(
            [TaskLabel(task=task, label_id=label_id) for label_id in sorted(added)], ignore_conflicts=True
        )
    task.label_ids = new
