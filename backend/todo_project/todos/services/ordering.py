"""The position of a row in its list: behind all others, where the client wants it, or beside a neighbour.

Every function takes the list as `siblings`: all rows whose positions are compared, those in the trash too, without
the row that is to be put somewhere. The caller holds the lock under which positions of this list are written: of
the project for tasks and sections, of the account's projects for projects.

Rows may have equal positions (subtasks keep theirs when they move with their parent); their ids order them. Such
ties, and gaps without a short position left, cost a move at most WINDOW other rows.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Max, Q

from todo_project.db import positions
from todo_project.errors import Conflict, InvalidInput
from todo_project.todos.models import OwnedQuerySet, Project, Section, Task
from todo_project.todos.services import placement

WINDOW = 32
_SIDE = WINDOW // 2
_Siblings = OwnedQuerySet[Any]
_Listed = Project | Section | Task


class NoRoomInList(Conflict):
    """The positions around this place of the list are as long and as dense as they can be."""


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
    """Return the neighbour's place as fields; raises InvalidInput when there is no such other task."""
    others = Task.objects.visible_to(owner_id).alive().exclude(id=task_id)
    neighbour = others.filter(id=beside.id).first()
    if neighbour is None:
        raise InvalidInput("You have no other task with this id.", pointer=beside.pointer, code="not_found")
    return asdict(placement.place_of(neighbour))


def position_beside(task: Task, beside: Beside, *, now: dt.datetime) -> str:
    """Return a position for the task, which is in its place, right before or after the neighbour.

    Raises InvalidInput when the neighbour is elsewhere, and NoRoomInList.
    """
    place = placement.place_of(task)
    siblings = placement.siblings(task.owner_id, place).exclude(id=task.id)
    neighbour = siblings.alive().filter(id=beside.id, parent_id=place.parent_id).first()
    if neighbour is None:
        raise InvalidInput("This task is not in the place that you name.", pointer=beside.pointer, code="elsewhere")
    return _insert(siblings, neighbour, before=beside.before, now=now)


def last(siblings: _Siblings) -> str:
    """Return a position behind all of the rows."""
    highest: str | None = siblings.order_by().aggregate(last=Max("position"))["last"]
    return positions.between(highest, None)


def free(siblings: _Siblings, position: str, *, now: dt.datetime) -> str:
    """Return the position that a client chose, or one right after the rows that have it already."""
    # the greatest id is the last of those that have it
    taken = siblings.filter(position=position).order_by("-id").first()
    return position if taken is None else _insert(siblings, taken, before=False, now=now)


def _insert(siblings: _Siblings, neighbour: _Listed, *, before: bool, now: dt.datetime) -> str:
    """Return a position right before or after the neighbour, after making room where there is none."""
    below, above = _around(siblings, neighbour, before=before)
    for count in range(_SIDE + 1):
        low, high = min(count, len(below)), min(count, len(above))
        found = _spread(low + 1 + high, _position(below, low), _position(above, high))
        if found is not None:
            own = found.pop(low)
            _write(siblings, [*reversed(below[:low]), *above[:high]], found, now)
            return own
    return _insert_behind_ties(siblings, neighbour, before=before, now=now)


def _insert_behind_ties(siblings: _Siblings, neighbour: _Listed, *, before: bool, now: dt.datetime) -> str:
    """Take the neighbour out of more ties than a window holds to their end, and return a position beside it."""
    ties = siblings.filter(position=neighbour.position)
    _, above = _around(siblings.exclude(id=neighbour.id), ties.order_by("-id")[0], before=False)
    for high in range(min(_SIDE, len(above)) + 1):
        found = _spread(2 + high, neighbour.position, _position(above, high))
        if found is not None:
            own = found.pop(0 if before else 1)
            _write(siblings, [neighbour, *above[:high]], found, now)
            return own
    raise NoRoomInList("There is no room at this place of the list. Move the task elsewhere, or to the end.")


def _around(siblings: _Siblings, neighbour: _Listed, *, before: bool) -> tuple[list[Any], list[Any]]:
    """Return the rows on both sides of the gap beside the neighbour, the nearest first."""
    own = neighbour.position
    is_below = Q(position__lt=own) | Q(**{"position": own, "id__lt" if before else "id__lte": neighbour.id})
    # The bounds say nothing new; they let PostgreSQL read only the first entries of the index.
    below = siblings.filter(is_below, position__lte=own).order_by(*_order(siblings, "-"))
    above = siblings.filter(~is_below, position__gte=own).order_by(*_order(siblings, ""))
    return list(below.only("id", "position")[: _SIDE + 1]), list(above.only("id", "position")[: _SIDE + 1])


def _order(siblings: _Siblings, sign: str) -> list[str]:
    # The section says nothing new either; it lets PostgreSQL take the order of tasks from the index task_order.
    names = ("section_id", "position", "id") if siblings.model is Task else ("position", "id")
    return [sign + name for name in names]


def _position(rows: Sequence[Any], index: int) -> str | None:
    """Return the position of one of the rows, or None, an open end, after the last."""
    return rows[index].position if index < len(rows) else None


def _spread(count: int, start: str | None, end: str | None) -> list[str] | None:
    """Return that many positions in between, or None when there is no room for them."""
    if start is not None and end is not None and start >= end:
        return None
    if count == 1 and len(between := positions.between(start, end)) <= positions.MAX_LENGTH:
        return [between]
    return positions.evenly(count, start, end, length=positions.MAX_LENGTH)


def _write(siblings: _Siblings, rows: Sequence[Any], found: Sequence[str], now: dt.datetime) -> None:
    """Write the positions of the rows, locked, each as its next version."""
    wanted = {row.id: position for row, position in zip(rows, found, strict=True)}
    if not wanted:
        return
    locked = siblings.filter(id__in=wanted).order_by("id").select_for_update(of=("self",), no_key=True)
    changed = list(locked.only("id", "position", "version"))
    for row in changed:
        row.position, row.version, row.updated_at = wanted[row.id], row.version + 1, now
    siblings.bulk_update(changed, ["position", "version", "updated_at"])
