"""The serializer of sections."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from django.db import models

from todo_project.api.listing import Resource, struct_for
from todo_project.api.serializers import (
    ChangesQuery,
    RowIdField,
    StrictSerializer,
    StrictUUIDField,
    TimestampField,
)
from todo_project.todos.api.serializers.fields import NameField, PositionField
from todo_project.todos.models import Section, SectionQuerySet


class SectionSerializer(StrictSerializer):
    """A section: a heading inside a project."""

    id = RowIdField()
    project_id = StrictUUIDField(help_text="The project. A section that moves takes its tasks along.")
    name = NameField()
    position = PositionField(required=False, help_text="Sort key within the project. Default: last.")
    created_at = TimestampField()
    updated_at = TimestampField()
    deleted_at = TimestampField(allow_null=True)

    computed = ("position",)
    request_example = {"project_id": "019aaf3e-7d10-7a00-8000-0000000000b1", "name": "Spring"}
    example = request_example | {
        "id": "019aaf3e-7d10-7a00-8000-0000000000c1",
        "position": "i1",
        "created_at": "2026-11-29T08:00:00Z",
        "updated_at": "2026-11-29T08:00:00Z",
        "deleted_at": None,
    }


class SectionQuery(ChangesQuery):
    """The query parameters of the list of sections."""

    project_id = StrictUUIDField(default=None, help_text="Only sections of this project.")


_Answer = struct_for(SectionSerializer)


def shape(row: tuple[Any, ...]) -> msgspec.Struct:
    """Return the response for one tuple of columns."""
    return _Answer(*row[:-1])


def _narrow(rows: SectionQuerySet, *, project_id: uuid.UUID | None = None) -> SectionQuerySet:
    return rows if project_id is None else rows.filter(project_id=project_id)


RESOURCE = Resource(
    rows=Section.objects.all,
    columns=(*_Answer.__struct_fields__, "version"),
    struct=_Answer,
    shape=shape,
    filters={"project_id": models.UUIDField()},
    narrow=_narrow,
    place="project_id",
)
