"""Beside which other task a task comes."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Q

from todo_project.errors import InvalidInput
from todo_project.todos.models import POSITION_LENGTH, OwnedQuerySet, Task
from todo_project.todos.services import placement, positions


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Right before or right after another task."""

    id: uuid.UUID
    before: bool

    @property
    def pointer(self) -> str:
        """Where a client names the other task."""
        return "/before" if self.before else "/after"


def fields_of(beside: Beside, *, owner_id: uuid.UUID, task_id: uuid.UUID) -> dict[str, Any]:
    """Give the neighbour's place as fields; raises InvalidInput when there is no such other task."""
    others = Task.objects.visible_to(owner_id).alive().exclude(id=task_id)
    neighbour = others.filter(id=beside.id).first()
    if neighbour is None:
        raise InvalidInput("You have no other task with this id.", pointer=beside.pointer, code="not_found")
    return asdict(placement.place_of(neighbour))


def position_beside(task: Task, beside: Beside, *, now: dt.datetime) -> str:
    """Give a position for the task, which is in its place, right before or after the neighbour.

    Raises InvalidInput when the neighbour is elsewhere.
    """
    place = placement.place_of(task)
    siblings = placement.siblings(task.owner_id, place).alive().exclude(id=task.id)
    neighbour = siblings.filter(id=beside.id, parent_id=place.parent_id).first()
    if neighbour is None:
        raise InvalidInput("This task is not in the place that you name.", pointer=beside.pointer, code="elsewhere")
    position = _free_position(siblings, neighbour, before=beside.before)
    if position is None:
        _spread(siblings, now)
        neighbour.refresh_from_db(fields=["position"])
        position = _free_position(siblings, neighbour, before=beside.before)
    if position is None:  # a spread leaves room everywhere
        raise placement.moved()
    return position


def _free_position(siblings: OwnedQuerySet[Task], neighbour: Task, *, before: bool) -> str | None:
    # the bound and the section, which say nothing new, let PostgreSQL read one row of the index task_order
    own = neighbour.position
    low: str | None
    high: str | None
    if before:
        beyond = siblings.filter(Q(position__lt=own) | Q(position=own, id__lt=neighbour.id), position__lte=own)
        other = beyond.order_by("-section_id", "-position", "-id").only("position").first()
        low, high = other.position if other else None, own
    else:
        beyond = siblings.filter(Q(position__gt=own) | Q(position=own, id__gt=neighbour.id), position__gte=own)
        other = beyond.order_by("section_id", "position", "id").only("position").first()
        low, high = own, other.position if other else None
    if low == high:
        return None
    position = positions.between(low, high)
    return position if len(position) <= POSITION_LENGTH else None


def _spread(siblings: OwnedQuerySet[Task], now: dt.datetime) -> None:
    """Give all siblings short positions in the order that they have."""
    ordered = list(siblings.order_by("position", "id").only("id", "position", "version"))
    changed = []
    for sibling, position in zip(ordered, positions.spread(len(ordered)), strict=True):
        if sibling.position != position:
            sibling.position, sibling.version, sibling.updated_at = position, sibling.version + 1, now
            changed.append(sibling)
    Task.objects.bulk_update(changed, ["position", "version", "updated_at"], batch_size=200)
