"""The labels of tasks that an undo moves back or gives back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from todo_project.db.among import Among
from todo_project.todos.models import Change, Label, Task, TaskLabel
from todo_project.todos.services.net_changes import NetChange
from todo_project.todos.services.undo_content import CannotUndo, named

_BATCH: Final = 500
_Links = set[tuple[uuid.UUID, uuid.UUID]]


def taken_off(net: NetChange, task: Task) -> list[uuid.UUID]:
    """Return the labels that the task had, and may have again in the project in which they were taken off.

    Raises CannotUndo if one is not there any more.
    """
    labels: list[uuid.UUID] = net.old.get("labels", [])
    present = set(Label.objects.alive().filter(id__in=labels).values_list("id", flat=True)) if labels else ()
    for label_id in labels:
        if label_id not in present:
            name = named(*net.thing, at_start=False)
            raise CannotUndo(f"The label {label_id} of {name} is in the trash or purged. Restore it first.")
    return labels if net.old.get("project_id", task.project_id) in net.labelled_in else []


def before_move(nets: Sequence[NetChange], *, first_id: int) -> _Links:
    """Return the (task, label) pairs of all that moves back to another project.

    Labels that were put on since the change with `first_id`, with which the request began, are left out.
    """
    moved = [net for net in nets if "project_id" in net.old]
    if not moved:
        return set()
    moving = Task.objects.filter(Among("id", _with_below([net.object_id for net in moved if net.kind == "task"])))
    moving |= Task.objects.filter(section_id__in=[net.object_id for net in moved if net.kind == "section"])
    links = TaskLabel.objects.filter(task__in=moving.order_by())
    later = Change.objects.labelled_since(first_id).filter(object_id__in=links.values("task_id"))
    put_on = {(row.object_id, label_id) for row in later for label_id in row.sides(Task)[1]["labels"]}
    return {*links.values_list("task_id", "label_id")} - put_on


def take_off_trashed(nets: Sequence[NetChange]) -> None:
    """Take off labels in the trash that were put on: the service that writes tasks leaves them there."""
    for net in nets:
        put_on = TaskLabel.objects.filter(task_id=net.object_id, label_id__in=net.new.get("labels", []))
        put_on.exclude(label__deleted_at=None).delete()


def put_back(labels: _Links) -> None:
    """Put labels on again that tasks lost on the way."""
    TaskLabel.objects.bulk_create(
        [TaskLabel(task_id=task_id, label_id=label_id) for task_id, label_id in sorted(labels)],
        ignore_conflicts=True,
        batch_size=_BATCH,
    )


def _with_below(ids: list[uuid.UUID]) -> set[uuid.UUID]:
    """Return the ids of these tasks and of all their descendants."""
    found, level = {*ids}, ids
    while level := list(
        Task.objects.filter(Among("parent_id", level)).exclude(Among("id", found)).values_list("id", flat=True)
    ):
        found |= {*level}
    return found
