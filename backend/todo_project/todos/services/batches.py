"""Writes many tasks with few statements.

The caller has locked the projects, checked the roles, and set the fields with `tasks.assign`, which checks them as
it does for single writes.
"""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Lower

from todo_project.db import positions
from todo_project.db.rows import uuid7
from todo_project.todos.models import Label, Project, Section, Task, TaskLabel
from todo_project.todos.services import fields, ordering, rows
from todo_project.todos.services.placement import Place

SIZE = 500
# what change_tasks writes
_COLUMNS = (
    *("title", "description", "priority", "reminders", "completed_at", "ical", "section", "parent", "position"),
    *("missing_parent_uid", "skipped_wall_times", *fields.COMBINED),
)
# SQLite takes at most 500 SELECTs in one statement
_UNION_SIZE = 100
_Item = TypeVar("_Item")


@dataclass(slots=True, kw_only=True)
class TaskChange:
    """A locked task, its new place if it moves, and the labels to add and remove."""

    task: Task
    place: Place | None = None
    added_labels: Collection[uuid.UUID] = field(default_factory=tuple)
    removed_labels: Collection[uuid.UUID] = field(default_factory=tuple)


def batched(items: Iterable[_Item], size: int = SIZE) -> Iterator[list[_Item]]:
    """Yield lists of `size` items; the last one may be shorter."""
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def insert_tasks(
    tasks: Collection[tuple[Task, Collection[uuid.UUID]]],
    *,
    wrote: Callable[[int], None],
) -> None:
    """Insert tasks, whose places are set, with their labels, each at the end of its list.

    `wrote` is called after each batch with its number of tasks.
    """
    ends = _Ends({(task.project_id, task.section_id) for task, _ in tasks})
    for batch in batched(tasks):
        for task, _ in batch:
            task.position = ends.next(task.project_id, task.section_id)
        Task.objects.bulk_create([task for task, _ in batch])
        _add_labels((task.id, label_id) for task, label_ids in batch for label_id in label_ids)
        wrote(len(batch))


def change_tasks(
    changes: Collection[TaskChange],
    *,
    now: dt.datetime,
    wrote: Callable[[int], None],
) -> None:
    """Save changed tasks, each with its next version. A task that moves to another section goes to its end.

    `wrote` is called after each batch with its number of tasks.
    """
    moving = {(place.project_id, place.section_id) for change in changes if (place := _new_list(change))}
    ends = _Ends(moving)
    for batch in batched(changes):
        for change in batch:
            _put(change, ends)
        rows.save_all(Task.objects, [change.task for change in batch], fields=_COLUMNS, now=now)
        _remove_labels(batch)
        _add_labels((change.task.id, label_id) for change in batch for label_id in change.added_labels)
        wrote(len(batch))


def labels_by_name(names: Iterable[str], *, owner_id: uuid.UUID, now: dt.datetime) -> dict[str, uuid.UUID]:
    """Create the labels with these names that are missing; return the ids of all labels by name in lower case."""
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
        ignore_conflicts=True,  # with a label that a concurrent request created
    )
    known = _labels(owner_id)
    return known | _folded_alike({key: name for key, name in missing.items() if key not in known}, owner_id)


def _labels(owner_id: uuid.UUID) -> dict[str, uuid.UUID]:
    alive = Label.objects.owned_by(owner_id).alive().values_list("name", "id")
    return {name.lower(): label_id for name, label_id in alive}


def _folded_alike(names: dict[str, str], owner_id: uuid.UUID) -> dict[str, uuid.UUID]:
    """Find labels whose names equal these in the database's lower case but not in Python's."""
    found: dict[str, uuid.UUID] = {}
    alive = Label.objects.owned_by(owner_id).alive().annotate(folded=Lower("name"))
    for batch in batched(names.items(), _UNION_SIZE):
        queries = [
            alive.filter(folded=Lower(Value(name))).annotate(key=Value(key)).values_list("key", "id")
            for key, name in batch
        ]
        found |= dict(queries[0].union(*queries[1:], all=True))
    return found


class _Ends:
    """The last positions of lists; a list is a section, or the tasks of a project outside its sections."""

    def __init__(self, lists: Collection[tuple[uuid.UUID, uuid.UUID | None]]) -> None:
        self._last: dict[tuple[uuid.UUID, uuid.UUID | None], str | None] = dict.fromkeys(lists)
        in_section = ordering.last_positions(project_id=OuterRef("project_id"), section_id=OuterRef("id"))
        outside_sections = ordering.last_positions(project_id=OuterRef("id"))
        sections = Section.objects.annotate(last=Subquery(in_section))
        projects = Project.objects.annotate(last=Subquery(outside_sections))
        for batch in batched({section_id for _, section_id in lists if section_id}):
            for project_id, section_id, last in sections.filter(id__in=batch).values_list(
                "project_id", "id", "last"
            ):
                self._last[project_id, section_id] = last
        for batch in batched({project_id for project_id, section_id in lists if not section_id}):
            for project_id, last in projects.filter(id__in=batch).values_list("id", "last"):
                self._last[project_id, None] = last

    def next(self, project_id: uuid.UUID, section_id: uuid.UUID | None) -> str:
        """Return a position at the end of the list, after those returned before."""
        position = positions.between(self._last[project_id, section_id], None)
        self._last[project_id, section_id] = position
        return position


def _new_list(change: TaskChange) -> Place | None:
    """Return the new place if the task moves to another section, else None."""
    place = change.place
    return place if place is not None and place.section_id != change.task.section_id else None


def _put(change: TaskChange, ends: _Ends) -> None:
    if place := _new_list(change):
        change.task.position = ends.next(place.project_id, place.section_id)
    if change.place is not None:
        change.task.section_id, change.task.parent_id = change.place.section_id, change.place.parent_id


def _remove_labels(changes: list[TaskChange]) -> None:
    removed = {(change.task.id, label_id) for change in changes for label_id in change.removed_labels}
    if not removed:
        return
    links = TaskLabel.objects.filter(task_id__in={task_id for task_id, _ in removed})
    ids = [link_id for link_id, *pair in links.values_list("id", "task_id", "label_id") if tuple(pair) in removed]
    for batch in batched(ids):
        TaskLabel.objects.filter(id__in=batch).delete()


def _add_labels(pairs: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> None:
    # the task may already have a label that is in the trash
    links = (TaskLabel(task_id=task_id, label_id=label_id) for task_id, label_id in pairs)
    TaskLabel.objects.bulk_create(links, batch_size=4 * SIZE, ignore_conflicts=True)
