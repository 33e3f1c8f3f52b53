"""Finds the position of a row in its list: at the end, at a position that the client chose, or beside a neighbour.

`siblings` are the rows whose positions are compared, including those in the trash, without the row that gets the
position; for a task, they are all tasks of its project and section (`siblings_at`). The caller holds the lock under
which the positions of this list are written: that of the project for tasks and sections, that of all projects of
the account for projects, that of the account for saved filters.

Rows can have equal positions (subtasks keep theirs when they move with their parent); their ids then decide the
order. If there is no free position between two rows, a move also writes up to WINDOW of their neighbours.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import models
from django.db.models import Max, Q

from todo_project.db import positions
from todo_project.db.compiled import CompiledQuery
from todo_project.errors import Conflict, InvalidInput
from todo_project.todos.models import OwnedQuerySet, Project, SavedFilter, Section, Task
from todo_project.todos.services import placement
from todo_project.todos.services.placement import Place

WINDOW = 32
_SIDE = WINDOW // 2
_ID = models.UUIDField()
_Siblings = OwnedQuerySet[Any]
_Listed = Project | Section | Task | SavedFilter


class NoRoomInList(Conflict):
    """There is no free position here, even if up to WINDOW neighbours are moved."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Right before or right after another task."""

    id: uuid.UUID
    before: bool

    @property
    def pointer(self) -> str:
        """The JSON pointer to the id of the other task."""
        return "/before" if self.before else "/after"


def fields_of(beside: Beside, *, user_id: uuid.UUID, task_id: uuid.UUID) -> dict[str, Any]:
    """Return the neighbour's place as fields; raise InvalidInput if the neighbour does not exist."""
    others = Task.objects.visible_to(user_id).alive().exclude(id=task_id)
    neighbour = others.filter(id=beside.id).first()
    if neighbour is None:
        raise InvalidInput(
            "You have no other task with this id. Check the id.", pointer=beside.pointer, code="not_found"
        )
    return asdict(placement.place_of(neighbour))


def position_beside(task: Task, beside: Beside, *, now: dt.datetime) -> str:
    """Return a position right before or after the neighbour for a task whose place is already set.

    Raises NoRoomInList, and InvalidInput if the neighbour is in another place.
    """
    place = placement.place_of(task)
    siblings = siblings_at(place).exclude(id=task.id)
    neighbour = siblings.alive().filter(id=beside.id, parent_id=place.parent_id).first()
    if neighbour is None:
        raise InvalidInput(
            f"The task in `{beside.pointer[1:]}` is not in the given project, section or parent. "
            "Leave those fields out, or name a task that is there.",
            pointer=beside.pointer,
            code="elsewhere",
        )
    return _insert(siblings, neighbour, before=beside.before, now=now)


def siblings_at(place: Place) -> OwnedQuerySet[Task]:
    """Return the tasks of the place's project and section, including those in the trash.

    Whoever sees the project sees its tasks. With a filter by owner as well, PostgreSQL would read all
    tasks of the account instead of one end of the list's index.
    """
    return Task.objects.filter(Q(section_id=place.section_id), project_id=place.project_id)


def last(siblings: _Siblings) -> str:
    """Return a position after all siblings."""
    highest: str | None = siblings.order_by().aggregate(last=Max("position"))["last"]
    return positions.between(highest, None)


def last_at(place: Place) -> str:
    """Return a position at the end of the place's project and section."""
    values = {"project_id": place.project_id}
    if place.section_id is not None:
        values["section_id"] = place.section_id
        highest = _LAST_IN_SECTION.rows(values)
    else:
        highest = _LAST_OUTSIDE_SECTIONS.rows(values)
    return positions.between(highest[0][0] if highest else None, None)


def last_positions(*, project_id: Any, section_id: Any = None) -> Any:
    """Select the last position of a project's section, or of its tasks outside of sections."""
    place = Place(project_id=project_id, section_id=section_id, parent_id=None)
    # ordered by section too: otherwise PostgreSQL sorts all rows where it is null instead of using the index
    return siblings_at(place).order_by("-section_id", "-position").values_list("position")[:1]


_LAST_OUTSIDE_SECTIONS = CompiledQuery(last_positions, {"project_id": _ID})
_LAST_IN_SECTION = CompiledQuery(last_positions, {"project_id": _ID, "section_id": _ID})


def free(siblings: _Siblings, position: str, *, now: dt.datetime) -> str:
    """Return the position that the client chose, or one right after the rows that have it already."""
    # of rows with equal positions, the one with the greatest id is the last
    taken = siblings.filter(position=position).order_by("-id").first()
    return position if taken is None else _insert(siblings, taken, before=False, now=now)


def _insert(siblings: _Siblings, neighbour: _Listed, *, before: bool, now: dt.datetime) -> str:
    """Return a position right before or after the neighbour, moving other rows if there is no room."""
    below, above = _around(siblings, neighbour, before=before)
    for count in range(_SIDE + 1):
        low, high = min(count, len(below)), min(count, len(above))
        found = _spread(low + 1 + high, _position(below, low), _position(above, high))
        if found is not None:
            own = found.pop(low)
            _write(siblings, [*reversed(below[:low]), *above[:high]], found, now)
            return own
    return _insert_after_ties(siblings, neighbour, before=before, now=now)


def _insert_after_ties(siblings: _Siblings, neighbour: _Listed, *, before: bool, now: dt.datetime) -> str:
    """Move the neighbour after the rows with its position, which are too many to move, and insert beside it."""
    ties = siblings.filter(position=neighbour.position)
    _, above = _around(siblings.exclude(id=neighbour.id), ties.order_by("-id")[0], before=False)
    for high in range(min(_SIDE, len(above)) + 1):
        found = _spread(2 + high, neighbour.position, _position(above, high))
        if found is not None:
            own = found.pop(0 if before else 1)
            _write(siblings, [neighbour, *above[:high]], found, now)
            return own
    raise NoRoomInList("The list has no room at this position. Move the task to another position, or to the end.")


def _around(siblings: _Siblings, neighbour: _Listed, *, before: bool) -> tuple[list[Any], list[Any]]:
    """Return the rows on both sides of the gap beside the neighbour, nearest first."""
    own = neighbour.position
    is_below = Q(position__lt=own) | Q(**{"position": own, "id__lt" if before else "id__lte": neighbour.id})
    # The bounds are redundant, but let PostgreSQL read only the first entries of the index.
    below = siblings.filter(is_below, position__lte=own).order_by(*_order(siblings, "-"))
    above = siblings.filter(~is_below, position__gte=own).order_by(*_order(siblings, ""))
    return list(below.only("id", "position")[: _SIDE + 1]), list(above.only("id", "position")[: _SIDE + 1])


def _order(siblings: _Siblings, sign: str) -> list[str]:
    # The section is redundant too, but lets PostgreSQL read tasks in the order of the index task_order.
    names = ("section_id", "position", "id") if siblings.model is Task else ("position", "id")
    return [sign + name for name in names]


def _position(rows: Sequence[Any], index: int) -> str | None:
    """Return the position of the row with this index, or None (the end of the list) after the last one."""
    return rows[index].position if index < len(rows) else None


def _spread(count: int, start: str | None, end: str | None) -> list[str] | None:
    """Return `count` positions in between, or None if there is no room for them."""
    if start is not None and end is not None and start >= end:
        return None
    if count == 1 and len(between := positions.between(start, end)) <= positions.MAX_LENGTH:
        return [between]
    return positions.evenly(count, start, end, length=positions.MAX_LENGTH)


def _write(siblings: _Siblings, rows: Sequence[Any], found: Sequence[str], now: dt.datetime) -> None:
    """Lock the rows and save their positions, each with its next version."""
    wanted = {row.id: position for row, position in zip(rows, found, strict=True)}
    if not wanted:
        return
    locked = siblings.filter(id__in=wanted).locked()
    changed = list(locked.only("id", "position", "version"))
    for row in changed:
        row.position, row.version, row.updated_at = wanted[row.id], row.version + 1, now
    siblings.bulk_update(changed, ["position", "version", "updated_at"])
