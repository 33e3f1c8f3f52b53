"""Which task is under which: RELATED-TO within a file and between the file and the project."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from todo_project.todos.models import Task
from todo_project.todos.services.batches import batched
from todo_project.todos.services.placement import DEPTH_MAX

NOT_HERE = "Its parent is neither in this file nor in the project."
CYCLE = "Its parents lead back to itself."
TOO_DEEP = f"Tasks nest at most {DEPTH_MAX} deep here."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task of the project is: its id, its section, and how many levels down."""

    id: uuid.UUID
    section_id: uuid.UUID | None
    depth: int


class Families:
    """Gives each new task its parent, its section and its depth; what cannot be is told to `lost`."""

    def __init__(
        self,
        *,
        wanted: dict[str, str],
        ids: dict[str, uuid.UUID],
        known: dict[str, Place],
        lost: Callable[[str, str], None],
    ) -> None:
        self._wanted = wanted
        self._ids = ids
        self._places = dict(known)
        self._lost = lost
        self.parents: dict[str, uuid.UUID | None] = {}

    def place(self, uid: str) -> Place:
        """Give the place of a task of the file, and first that of each above it."""
        chain: dict[str, None] = {}
        above = uid
        while above and above not in self._places:
            if above in chain:
                # the first of the circle stays on top
                self._lost(above, CYCLE)
                self._set(above, None)
                break
            if above not in self._ids:
                self._lost(next(reversed(chain)), NOT_HERE)
                break
            chain[above] = None
            above = self._wanted.get(above, "")
        for each in reversed(chain):
            if each not in self._places:
                self._set(each, self._places.get(self._wanted.get(each, "")))
        return self._places[uid]

    def _set(self, uid: str, parent: Place | None) -> None:
        if parent is not None and parent.depth >= DEPTH_MAX:
            self._lost(uid, TOO_DEEP)
            parent = None
        self.parents[uid] = parent.id if parent else None
        section_id = parent.section_id if parent else None
        self._places[uid] = Place(self._ids[uid], section_id, parent.depth + 1 if parent else 1)


def places_of(uids: Iterable[str], *, project_id: uuid.UUID, owner_id: uuid.UUID) -> dict[str, Place]:
    """Give the places of the project's tasks with these UIDs."""
    found: dict[str, tuple[uuid.UUID, uuid.UUID | None, uuid.UUID | None]] = {}
    mine = Task.objects.visible_to(owner_id).alive()
    for batch in batched(uids):
        rows = mine.filter(project_id=project_id, uid__in=batch)
        for uid, *place in rows.values_list("uid", "id", "section_id", "parent_id"):
            found[uid] = (place[0], place[1], place[2])
    depths = _depths({place[0]: place[2] for place in found.values()}, owner_id=owner_id)
    return {uid: Place(id_, section_id, depths[id_]) for uid, (id_, section_id, _) in found.items()}


def _depths(parents: dict[uuid.UUID, uuid.UUID | None], *, owner_id: uuid.UUID) -> dict[uuid.UUID, int]:
    known = dict(parents)
    while missing := {above for above in known.values() if above is not None and above not in known}:
        for batch in batched(missing):
            rows = Task.objects.visible_to(owner_id).filter(id__in=batch)
            known |= dict(rows.values_list("id", "parent_id"))
    depths: dict[uuid.UUID, int] = {}
    for task_id in parents:
        depth, above = 1, known[task_id]
        while above is not None:
            depth, above = depth + 1, known[above]
        depths[task_id] = depth
    return depths
