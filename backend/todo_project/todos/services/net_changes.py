"""What rows of the log amount to: one change of each thing, from its first old values to its last new ones."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from todo_project.todos.models import (
    Change,
    Label,
    OwnedRow,
    Project,
    SavedFilter,
    Section,
    Task,
    TaskAssignee,
    TaskLabel,
)

Thing = tuple[str, uuid.UUID]
# by their names in the log, in an order in which each thing comes after those that it can be in, or bear
MODELS: Mapping[str, type[OwnedRow]] = {
    "project": Project,
    "label": Label,
    "section": Section,
    "task": Task,
    "filter": SavedFilter,
}
# the fields of a task that are lists of links, and their tables and columns
LISTS: Mapping[str, tuple[Any, str]] = {
    "labels": (TaskLabel, "label_id"),
    "assignees": (TaskAssignee, "user_id"),
}


@dataclass(kw_only=True)
class NetChange:
    """All that some rows changed of one thing. Of LISTS, `old` is what was taken off, and `new` what was put on.

    `torn` are the columns that another request changed between two of the rows. `labelled_in` are the projects in
    which labels were put on or taken off.
    """

    kind: str
    object_id: uuid.UUID
    last_id: int = 0
    is_new: bool = False
    is_purged: bool = False
    old: dict[str, Any] = field(default_factory=dict)
    new: dict[str, Any] = field(default_factory=dict)
    torn: set[str] = field(default_factory=set)
    labelled_in: set[uuid.UUID | None] = field(default_factory=set)

    @property
    def thing(self) -> Thing:
        """The kind and the id."""
        return self.kind, self.object_id

    @property
    def was_trashed(self) -> bool:
        """Whether the thing was in the trash before."""
        return self.old.get("deleted_at") is not None

    @property
    def is_trashed(self) -> bool:
        """Whether the thing was in the trash afterwards."""
        return self.new.get("deleted_at") is not None

    def add(self, row: Change) -> None:
        """Continue with the next row."""
        self.last_id = row.id
        self.is_new |= row.action == Change.Action.CREATED
        self.is_purged |= row.action == Change.Action.DELETED
        old, new = row.sides(MODELS[row.kind])
        if "labels" in new:
            self.labelled_in.add(row.project_id)
        for name in new:
            if name in LISTS:
                self._add_links(name, {*old[name]}, {*new[name]})
            else:
                if self.new.get(name, old[name]) != old[name]:
                    self.torn.add(name)
                self.old.setdefault(name, old[name])
                self.new[name] = new[name]

    def _add_links(self, name: str, removed: set[uuid.UUID], added: set[uuid.UUID]) -> None:
        off, on = {*self.old.get(name, ())}, {*self.new.get(name, ())}
        self.old[name] = sorted((off | (removed - on)) - added)
        self.new[name] = sorted((on - removed) | (added - off))


def fold(rows: Iterable[Change], *, at_most: int) -> list[NetChange]:
    """Return the changes of all things of MODELS, from rows in the order of their ids.

    Reads no further when there are more than `at_most`.
    """
    found: dict[Thing, NetChange] = {}
    for row in rows:
        thing = row.kind, row.object_id
        found.setdefault(thing, NetChange(kind=row.kind, object_id=row.object_id)).add(row)
        if len(found) > at_most:
            break
    return list(found.values())
