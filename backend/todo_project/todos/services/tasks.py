"""Creates, changes, replaces and moves tasks. completion.py completes them, trash.py deletes and restores them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction

from todo_project.accounts.models import User
from todo_project.db import inserts
from todo_project.db.rows import uuid7
from todo_project.errors import InputErrors, InvalidInput
from todo_project.todos.models import Task
from todo_project.todos.services import (
    assignees,
    locks,
    moments,
    ordering,
    people,
    placement,
    recurrence,
    rows,
    series,
    task_labels,
)
from todo_project.todos.services.fields import PLAIN, TaskFields, defaults

_REMINDERS_AND_THEIR_MOMENTS = {"reminders", "due_date", "due_at", "start_date", "start_at"}
_RECURRENCE_AND_ITS_MOMENTS = {
    *("recurrence_rule", "recurrence_mode", "due_date", "due_at", "due_time_zone"),
    *("start_date", "start_at", "start_time_zone"),
}


@transaction.atomic
def create_task(*, user: User, fields: TaskFields, now: dt.datetime, task_id: uuid.UUID | None = None) -> Task:
    """Create a task, at the end of its list unless it has a position; by default in the Inbox.

    Raises InvalidInput with all invalid values, access.RoleTooLow, rows.IdTaken, and IntegrityError if another task
    in the project has the same uid.
    """
    errors = InputErrors()
    projects = locks.lock_projects(user_id=user.pk, fields=fields)
    labels = _labels(user, fields, projects=projects, task=None, errors=errors)
    task = Task(id=task_id or uuid7(), owner=user, created_at=now, updated_at=now)
    assign(task, fields, errors)
    place = placement.find(user_id=user.pk, fields=fields, projects=projects, task=None, errors=errors)
    _check_assignees(fields, place, errors)
    errors.raise_if_any()
    task.owner_id = projects[place.project_id].owner_id
    task.project_id, task.section_id, task.parent_id = place.project_id, place.section_id, place.parent_id
    if task.position:
        task.position = ordering.free(ordering.siblings_at(place), task.position, now=now)
    else:
        task.position = ordering.last_at(place)
    if task_id is None:
        inserts.insert([task])
    else:
        rows.insert(Task.objects, task)
    task.label_ids, task.assignee_ids = [], []
    task_labels.put_on(task, labels)
    assignees.set_for(task, fields.get("assignees", []))
    return task


@transaction.atomic
def update_task(
    *,
    user: User,
    task_id: uuid.UUID,
    changes: TaskFields,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
    known_labels: Collection[uuid.UUID] = (),
    may_be_last: bool = False,
) -> Task:
    """Change the given fields; if no value differs, the task keeps its version.

    A task that moves to another project or section takes its subtasks along, and goes to the end there unless
    `changes` has a position. It may get `known_labels`, besides the labels that the user may put on any task.
    `may_be_last` is as for `assign`. Raises NotFound, access.RoleTooLow, StaleVersion, and InvalidInput with all
    invalid values.
    """
    projects = _projects_for(user, task_id, changes)
    seen = Task.objects.visible_to(user.pk).alive()
    task = locks.locked_task(seen, user_id=user.pk, task_id=task_id, expected_versions=expected_versions)
    return _change(
        user, task, changes, projects=projects, now=now, known_labels=known_labels, may_be_last=may_be_last
    )


def put_task(
    *,
    user: User,
    task_id: uuid.UUID,
    fields: TaskFields,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
    precondition: rows.Precondition = None,
) -> tuple[Task, bool]:
    """Create the task with an id that the client chose, or replace its values; see rows.put.

    Fields that are left out are reset to their defaults, except the position. Raises InvalidInput, and what
    rows.put raises.
    """
    return rows.put(
        Task.objects.visible_to(user.pk),
        row_id=task_id,
        precondition=precondition,
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
    expected_versions: rows.Versions = None,
) -> Task:
    """Move the task right before or after another one, into its place, or to the end of the place `to`.

    Raises NotFound, access.RoleTooLow, StaleVersion, and InvalidInput if the neighbour is not in the place that
    `to` names.
    """
    if beside is not None:
        to = {**ordering.fields_of(beside, user_id=user.pk, task_id=task_id), **to}
    projects = locks.lock_projects(user_id=user.pk, fields=to, task_id=task_id)
    seen = Task.objects.visible_to(user.pk).alive()
    task = locks.locked_task(seen, user_id=user.pk, task_id=task_id, expected_versions=expected_versions)
    errors = InputErrors()
    place = placement.find(user_id=user.pk, fields=to, projects=projects, task=task, errors=errors)
    errors.raise_if_any()
    changed = placement.move(task, place, user_id=user.pk, projects=projects, now=now)
    if beside is None:
        task.position = ordering.last_at(place)
    else:
        task.position = ordering.position_beside(task, beside, now=now)
    rows.save(task, fields=changed | {"position"}, now=now)
    return task


# the assignees too, so that nobody who is assigned leaves the project meanwhile
_UNDER_LOCK = {*placement.KEYS, "position", "assignees"}


def _projects_for(user: User, task_id: uuid.UUID, changes: TaskFields) -> locks.Projects | None:
    """Lock the projects if their members or the order matter, or for a member (see locks.py)."""
    if not user.is_member and not _UNDER_LOCK & changes.keys():
        return None
    return locks.lock_projects(user_id=user.pk, fields=changes, task_id=task_id)


def _change(
    user: User,
    task: Task,
    changes: TaskFields,
    *,
    projects: locks.Projects | None,
    now: dt.datetime,
    known_labels: Collection[uuid.UUID],
    may_be_last: bool,
) -> Task:
    errors = InputErrors()
    old, old_position = task.label_ids, task.position
    labels = _labels(user, changes, projects=projects, task=task, errors=errors, known=known_labels)
    changed = assign(task, changes, errors, may_be_last=may_be_last)
    if projects is not None:
        place = placement.find(user_id=user.pk, fields=changes, projects=projects, task=task, errors=errors)
        _check_assignees(changes, place, errors)
        errors.raise_if_any()
        moved = placement.move(task, place, user_id=user.pk, projects=projects, now=now)
        labels = [label_id for label_id in labels if label_id in task.label_ids or label_id not in old]
        changed |= moved | _positioned(task, changes, changed | moved, now)
        if task.position == old_position:  # a repeated request for a position that was taken
            changed.discard("position")
    errors.raise_if_any()
    assigned = sorted(changes.get("assignees", task.assignee_ids))
    if changed or labels != old or assigned != task.assignee_ids:
        # before the task moves, so that the log of its new project does not name them
        task_labels.take_off(task, but=labels)
        rows.save(task, fields=changed, now=now)
        task_labels.put_on(task, labels)
        assignees.set_for(task, assigned)
    return task


def _check_assignees(fields: TaskFields, place: placement.Place, errors: InputErrors) -> None:
    people.check(fields.get("assignees", []), field="assignees", project_id=place.project_id, errors=errors)


def _labels(
    user: User,
    fields: TaskFields,
    *,
    projects: locks.Projects | None,
    task: Task | None,
    errors: InputErrors,
    known: Collection[uuid.UUID] = (),
) -> list[uuid.UUID]:
    """Return the task's new labels, and add those that it cannot have in its new project to `errors`."""
    old, old_project_id = ([], None) if task is None else (task.label_ids, task.project_id)
    if "labels" not in fields:
        return old
    # of two locked projects, the other one is where the task goes
    others = [project_id for project_id in projects or () if project_id != old_project_id]
    project_id = others[0] if others else old_project_id
    allowed = {*old, *known}
    return task_labels.usable(fields["labels"], user_id=user.pk, project_id=project_id, old=allowed, errors=errors)


def _positioned(task: Task, changes: TaskFields, changed: set[str], now: dt.datetime) -> set[str]:
    """Find a free position for a task that changed its list or its position; return the names of changed fields."""
    if not changed & {"project", "section", "position"}:
        return set()
    place = placement.place_of(task)
    if "position" in changes:
        siblings = ordering.siblings_at(place).exclude(id=task.id)
        task.position = ordering.free(siblings, task.position, now=now)
    else:
        task.position = ordering.last_at(place)
    return {"position"}


def assign(task: Task, fields: Mapping[str, Any], errors: InputErrors, *, may_be_last: bool = False) -> set[str]:
    """Set the columns of all fields except place and labels; return the names of those that changed.

    Every write of a task goes through this, imports too. The caller must not save a task with `errors`. If the task
    `may_be_last`, as one of a file may, a new recurrence need not give another date until its UNTIL.
    """
    values: dict[str, Any] = {name: fields[name] for name in PLAIN if name in fields}
    for name in moments.NAMES:
        if name in fields:
            with errors.collecting():
                moment = moments.merged(moments.of(task, name), fields[name], pointer=f"/{name}")
                values |= moments.columns(name, moment)
    if skipped := moments.skipped({name: fields.get(name) for name in moments.NAMES}):
        values["skipped_wall_times"] = {**(task.skipped_wall_times or {}), **skipped}
    if "recurrence" in fields:
        values |= _merged_recurrence(task, fields["recurrence"])
    changed = {name for name, value in values.items() if getattr(task, name) != value}
    for name in changed:
        setattr(task, name, values[name])
    with errors.collecting():
        _check_recurrence(task, changed, may_be_last=may_be_last)
    if not changed.isdisjoint(_REMINDERS_AND_THEIR_MOMENTS):
        with errors.collecting():
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


def _check_recurrence(task: Task, changed: set[str], *, may_be_last: bool) -> None:
    """Raise InvalidInput unless the task has a date to recur from, and a rule that gives another one."""
    if not task.recurrence_mode:
        return
    rule = recurrence.parse(task.recurrence_rule)
    first = moments.of(task, "start") or moments.of(task, "due")
    if first is None:
        raise InvalidInput(
            "A recurring task needs a date. Set `due` or `start`.", pointer="/recurrence", code="no_date"
        )
    # not if other fields change: the last task of a series may be at the end of the calendar
    if task.recurrence_mode != recurrence.SCHEDULE or changed.isdisjoint(_RECURRENCE_AND_ITS_MOMENTS):
        return
    zone = task.owner.time_zone
    day = moments.wall_time(first, default_zone=zone).date()
    recurrence.check_recurs(rule, day)
    # not if only a date changes: the last task of a series may be moved
    is_new = not changed.isdisjoint({"recurrence_rule", "recurrence_mode"})
    if is_new and not may_be_last and series.ends_at_once(rule, first, zone=zone):
        raise recurrence.never_again(day)
