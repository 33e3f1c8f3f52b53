"""What keeps a created or restored thing from going to the trash: that it holds what came there later."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from django.db.models import Q

from todo_project.errors import Conflict
from todo_project.todos.models import Change, ChangeQuerySet, OwnedQuerySet, Project, Section, Task
from todo_project.todos.services import placement
from todo_project.todos.services.net_changes import NetChange


class CannotUndo(Conflict):
    """Something stands in the way of undoing a change."""


def named(kind: str, object_id: uuid.UUID, *, at_start: bool = True) -> str:
    """Return how messages name a thing."""
    return f"{'The' if at_start else 'the'} {kind} {object_id}"


def came_with(change: Change) -> ChangeQuerySet:
    """Return the rows of what was created, trashed or restored by the request that made this change."""
    if not change.request_id or change.actor_id is None:  # written by a command
        return Change.objects.filter(id=change.id)
    same = Change.objects.of_request(change.request_id, actor_id=change.actor_id)
    return same.filter(Q(action=Change.Action.CREATED) | Q(fields__has_key="deleted_at"))


def check(net: NetChange, came: ChangeQuerySet) -> None:
    """Raise CannotUndo if the thing holds anything that is not in the trash and did not come with it."""
    name = named(*net.thing)
    for kind, held in _held_by(net):
        other = held.alive().exclude(id__in=came.order_by().values("object_id")).first()
        if other is not None:
            raise CannotUndo(
                f"{name} holds {named(kind, other.id, at_start=False)}, which came there later. "
                "Move it elsewhere or delete it first."
            )
    bearing = Task.objects.alive().with_label(net.object_id).exclude(id__in=came.order_by().values("object_id"))
    if net.is_new and net.kind == "label" and bearing.exists():
        raise CannotUndo(f"{name} has been put on other tasks since. Delete the label itself instead.")
    commented = Task.objects.alive().filter(id=net.object_id, comment_count__gt=0)
    if net.is_new and net.kind == "task" and commented.exists():
        raise CannotUndo(f"{name} has comments, which came there later. Delete the task itself instead.")


def _held_by(
    net: NetChange,
) -> Iterator[tuple[str, OwnedQuerySet[Project] | OwnedQuerySet[Section] | OwnedQuerySet[Task]]]:
    """Yield all that the thing holds, by kind."""
    if net.kind == "task":
        yield "task", placement.all_below(Task(id=net.object_id))
    elif net.kind == "section":
        yield "task", Task.objects.filter(section_id=net.object_id)
    elif net.kind == "project":
        below = _projects_below(net.object_id)
        yield "project", Project.objects.filter(id__in=below)
        yield "section", Section.objects.filter(project_id__in=[net.object_id, *below])
        yield "task", Task.objects.filter(project_id__in=[net.object_id, *below])


def _projects_below(project_id: uuid.UUID) -> list[uuid.UUID]:
    found: list[uuid.UUID] = []
    level = [project_id]
    while level := list(Project.objects.filter(parent_id__in=level).values_list("id", flat=True)):
        found += level
    return found
