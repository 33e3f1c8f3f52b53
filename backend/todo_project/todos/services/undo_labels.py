"""The labels of tasks that an undo moves back or gives back."""

from __future__ import annotations

import uuid

from todo_project.todos.models import Change, Label, Task, TaskLabel
from todo_project.todos.services import placement
from todo_project.todos.services.net_changes import NetChange
from todo_project.todos.services.undo_content import CannotUndo, named

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


def borne(net: NetChange) -> _Links:
    """Return the (task, label) pairs of what moves back to another project, except labels put on since it moved."""
    if "project_id" not in net.old:
        return set()
    if net.kind == "task":
        moving = placement.all_below(Task(id=net.object_id)) | Task.objects.filter(id=net.object_id)
    else:
        moving = Task.objects.filter(section_id=net.object_id)
    links = {*TaskLabel.objects.filter(task__in=moving.order_by()).values_list("task_id", "label_id")}
    task_ids = {task_id for task_id, _ in links}
    later = Change.objects.filter(kind="task", object_id__in=task_ids, id__gt=net.last_id, fields__has_key="labels")
    return links - {(row.object_id, label_id) for row in later for label_id in row.sides(Task)[1]["labels"]}


def put_back(links: _Links) -> None:
    """Put labels on again that tasks lost on the way."""
    present = {
        *TaskLabel.objects.filter(task_id__in={task_id for task_id, _ in links}).values_list("task_id", "label_id")
    }
    lost = sorted(links - present)
    TaskLabel.objects.bulk_create([TaskLabel(task_id=task_id, label_id=label_id) for task_id, label_id in lost])
