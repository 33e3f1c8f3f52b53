"""Changes the parents of many tasks in memory, with a constant number of statements per batch.

It keeps the invariant of `placement`: a subtask is in its parent's project and section.
"""

from __future__ import annotations

import itertools
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from todo_project.errors import InvalidInput
from todo_project.todos.models import Task
from todo_project.todos.services.batches import batched
from todo_project.todos.services.placement import DEPTH_MAX, Place, check_nesting

_Ids = Collection[uuid.UUID]


@dataclass(slots=True)
class _Node:
    id: uuid.UUID
    place: Place
    # None for a new task
    old_place: Place | None


class Tree:
    """Tasks with their ancestors and descendants. The caller has locked the projects, and saves the changes."""

    def __init__(self) -> None:
        self._nodes: dict[uuid.UUID, _Node] = {}
        self._children: dict[uuid.UUID, dict[uuid.UUID, None]] = defaultdict(dict)

    def load(self, task_ids: _Ids, *, parent_ids: _Ids = ()) -> None:
        """Load tasks that may move, with their descendants and ancestors, and tasks that may become parents.

        Takes one statement per batch and level.
        """
        below = self._add_rows("id", {*task_ids, *parent_ids}) & set(task_ids)
        while below:
            below = self._add_rows("parent_id", below)
        while above := self._missing_parents():
            if not self._add_rows("id", above):
                break

    def add(self, task_id: uuid.UUID, *, project_id: uuid.UUID) -> None:
        """Add a new task to a project, without section or parent."""
        place = Place(project_id=project_id, section_id=None, parent_id=None)
        self._nodes[task_id] = _Node(task_id, place, None)

    def place(self, task_id: uuid.UUID) -> Place:
        """Return the place of a task after the changes so far."""
        return self._nodes[task_id].place

    def detach(self, task_id: uuid.UUID) -> None:
        """Remove a task from its parent. It stays in its section and keeps its subtasks."""
        self._put(self._nodes[task_id], parent_id=None)

    def attach(self, task_id: uuid.UUID, parent_id: uuid.UUID) -> None:
        """Make a task, with its descendants, a subtask of another; raise InvalidInput if that is not allowed."""
        node, parent = self._nodes[task_id], self._nodes[parent_id]
        levels = list(itertools.islice(self._levels(task_id), DEPTH_MAX + 1))
        check_nesting(task_id, path=list(self._path_up(parent_id)), height=len(levels))
        along = [self._nodes[each] for level in levels for each in level]
        if node.place.project_id != parent.place.project_id and any(each.old_place for each in along):
            raise InvalidInput("Its parent is in another project.", pointer="/parent_id", code="in_another_project")
        self._put(node, parent_id=parent_id)
        for each in along:
            each.place = Place(
                project_id=parent.place.project_id,
                section_id=parent.place.section_id,
                parent_id=each.place.parent_id,
            )

    def moved(self) -> dict[uuid.UUID, Place]:
        """Return the new places of the existing tasks whose place has changed."""
        return {
            node.id: node.place
            for node in self._nodes.values()
            if node.old_place is not None and node.place != node.old_place
        }

    def _put(self, node: _Node, *, parent_id: uuid.UUID | None) -> None:
        old = node.place
        if old.parent_id is not None:
            self._children[old.parent_id].pop(node.id, None)
        if parent_id is not None:
            self._children[parent_id][node.id] = None
        node.place = Place(project_id=old.project_id, section_id=old.section_id, parent_id=parent_id)

    def _path_up(self, task_id: uuid.UUID | None) -> Iterator[uuid.UUID]:
        for _ in range(DEPTH_MAX + 1):
            if task_id is None:
                return
            yield task_id
            node = self._nodes.get(task_id)
            task_id = node.place.parent_id if node else None

    def _levels(self, task_id: uuid.UUID) -> Iterator[list[uuid.UUID]]:
        level = [task_id]
        while level:
            yield level
            level = [child for each in level for child in self._children.get(each, ())]

    def _missing_parents(self) -> set[uuid.UUID]:
        parents = {node.place.parent_id for node in self._nodes.values()}
        return {each for each in parents if each is not None and each not in self._nodes}

    def _add_rows(self, column: str, values: Iterable[uuid.UUID]) -> set[uuid.UUID]:
        """Load the tasks whose id or parent is among these; return those that were not loaded before."""
        new: set[uuid.UUID] = set()
        for batch in batched(values):
            rows = Task.objects.filter(**{f"{column}__in": batch})
            for task_id, project_id, section_id, parent_id in rows.values_list(
                "id", "project_id", "section_id", "parent_id"
            ):
                if task_id in self._nodes:
                    continue
                place = Place(project_id=project_id, section_id=section_id, parent_id=parent_id)
                self._nodes[task_id] = _Node(task_id, place, place)
                if parent_id is not None:
                    self._children[parent_id][task_id] = None
                new.add(task_id)
        return new
