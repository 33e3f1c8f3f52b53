"""The names by which a filter can refer to projects, sections and labels."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from todo_project.db.compiled import CompiledQuery
from todo_project.todos.models import Label, Project, Section, SharedQuerySet


def _query(all_rows: SharedQuerySet[Any], *columns: str) -> CompiledQuery:
    def build(*, user_id: Any, is_shared: bool) -> Any:
        return all_rows.part_of(user_id, is_shared=is_shared).alive().values_list(*columns)

    return CompiledQuery(build, {"user_id": models.UUIDField()})


_PROJECTS = _query(Project.objects.all(), "id", "name", "parent_id")
_SECTIONS = _query(Section.objects.all(), "id", "name")
_LABELS = _query(Label.objects.all(), "id", "name")


@dataclass(frozen=True)
class Names:
    """The names of what somebody sees, each list of which is read once. `is_member` is that of the account."""

    user_id: uuid.UUID
    is_member: bool

    @functools.cached_property
    def projects(self) -> Sequence[tuple[uuid.UUID, str, uuid.UUID | None]]:
        """The id, the name and the parent of each project that the caller sees."""
        return self._rows(_PROJECTS)

    @functools.cached_property
    def sections(self) -> Sequence[tuple[uuid.UUID, str]]:
        """The id and the name of each section that the caller sees."""
        return self._rows(_SECTIONS)

    @functools.cached_property
    def labels(self) -> Sequence[tuple[uuid.UUID, str]]:
        """The id and the name of each label that the caller sees."""
        return self._rows(_LABELS)

    def _rows(self, query: CompiledQuery) -> list[Any]:
        parts = (False, True) if self.is_member else (False,)
        return [row for is_shared in parts for row in query.rows({"user_id": self.user_id}, is_shared=is_shared)]
