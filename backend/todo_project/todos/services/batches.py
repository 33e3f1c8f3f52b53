"""Many tasks in few statements, by the rules of tasks.py. Whoever calls holds the lock of the project."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db.models import Value
from django.db.models.functions import Lower

from todo_project.db.rows import uuid7
from todo_project.todos.models import Label, Task, TaskLabel
from todo_project.todos.services import moments, placement, positions, recurrence
from todo_project.todos.services.fields import TaskFields

SIZE = 500
# what change_tasks writes: all that is neither place nor identity
_CONTENT = (
    *("title", "description", "priority", "reminders", "completed_at", "ical", "version", "updated_at"),
    *("recurrence_rule", "recurrence_mode", "excluded_dates"),
    *(f"{name}_{part}" for name in moments.NAMES for part in ("date", "at", "time_zone")),
)
_Item = TypeVar("_Item")


@dataclass(slots=True, kw_only=True)
class Change:
    """A locked task, what of it changes, and the labels that come and go."""

    task: Task
    fields: TaskFields
    added_labels: Collection[uuid.UUID] = field(default_factory=tuple)
    removed_labels: Collection[uuid.UUID] = field(default_factory=tuple)


def batched(items: Iterable[_Item], size: int = SIZE) -> Iterator[list[_Item]]:
    """Cut into lists of `size`, the last one shorter."""
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def columns(fields: TaskFields) -> dict[str, Any]:
    """Give the columns of all fields but the place and the labels."""
    values: dict[str, Any] = {
        name: value
        for name, value in fields.items()
        if name not in {*placement.KEYS, *moments.NAMES, "labels", "recurrence"}
    }
    for name in moments.NAMES:
        if name in fields:
            values |= moments.columns(name, fields[name])  # type: ignore[literal-required] # of NAMES
    if "recurrence" in fields:
        wanted = fields["recurrence"] or {"rule": "", "mode": ""}
        mode = wanted.get("mode") or (recurrence.SCHEDULE if wanted["rule"] else "")
        excluded_dates = wanted.get("excluded_dates") or None
        values |= {"recurrence_rule": wanted["rule"], "recurrence_mode": mode, "excluded_dates": excluded_dates}
    return values


def insert_tasks(tasks: Iterable[tuple[Task, Collection[uuid.UUID]]]) -> None:
    """Write new tasks with their labels. They have their places; a position they get here, behind the others."""
    last: dict[placement.Place, str] = {}
    for batch in batched(tasks):
        for task, _ in batch:
            place = placement.Place(project_id=task.project_id, section_id=task.section_id, parent_id=None)
            if place in last:
                task.position = positions.between(last[place], None)
            else:
                task.position = placement.last_position(place, owner_id=task.owner_id)
            last[place] = task.position
        Task.objects.bulk_create([task for task, _ in batch])
        _add_labels((task.id, label_id) for task, label_ids in batch for label_id in label_ids)


def change_tasks(changes: Iterable[Change], *, now: dt.datetime) -> None:
    """Write changed tasks, each as its next version; their places stay."""
    for batch in batched(changes):
        for change in batch:
            for name, value in columns(change.fields).items():
                setattr(change.task, name, value)
            change.task.version += 1
            change.task.updated_at = now
        _save([change.task for change in batch])
        for change in batch:
            if change.removed_labels:
                TaskLabel.objects.filter(task=change.task, label_id__in=change.removed_labels).delete()
        _add_labels((change.task.id, label_id) for change in batch for label_id in change.added_labels)


def labels_by_name(names: Iterable[str], *, owner_id: uuid.UUID, now: dt.datetime) -> dict[str, uuid.UUID]:
    """Give the ids of all labels by name in lower case; those of these names that are missing are made."""
    known = _labels(owner_id)
    missing = {name.lower(): name for name in names if name.lower() not in known}
    if not missing:
        return known
    Label.objects.bulk_create(
        (
            Label(id=uuid7(), owner_id=owner_id, name=name, created_at=now, updated_at=now)
            for name in missing.values()
        ),
        batch_size=SIZE,
        ignore_conflicts=True,  # with a label that was made meanwhile
    )
    known = _labels(owner_id)
    for key, name in missing.items():
        if key not in known and (label_id := _alike(owner_id, name)):
            known[key] = label_id
    return known


def _labels(owner_id: uuid.UUID) -> dict[str, uuid.UUID]:
    alive = Label.objects.visible_to(owner_id).alive().values_list("name", "id")
    return {name.lower(): label_id for name, label_id in alive}


def _alike(owner_id: uuid.UUID, name: str) -> uuid.UUID | None:
    """Find a label that has the name by the database's own notion of lower case."""
    alive = Label.objects.visible_to(owner_id).alive().annotate(key=Lower("name"))
    return alive.filter(key=Lower(Value(name))).values_list("id", flat=True).first()


def _save(tasks: list[Task]) -> None:
    """Write locked tasks in one statement, which bulk_update would take minutes to put together."""
    Task.objects.bulk_create(tasks, update_conflicts=True, unique_fields=["id"], update_fields=_CONTENT)


def _add_labels(pairs: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> None:
    # one that is in the trash may be there already
    links = (TaskLabel(task_id=task_id, label_id=label_id) for task_id, label_id in pairs)
    TaskLabel.objects.bulk_create(links, batch_size=4 * SIZE, ignore_conflicts=True)
