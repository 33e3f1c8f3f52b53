"""How a project is written and read."""

from __future__ import annotations

from typing import Any

import msgspec
from rest_framework import serializers

from todo_project.api.listing import Reading, answers_of
from todo_project.api.serializers import (
    RowIdField,
    StrictBooleanField,
    StrictSerializer,
    StrictUUIDField,
    TimestampField,
)
from todo_project.todos.api.serializers.fields import ColorField, NameField, PositionField
from todo_project.todos.models import Project


class ProjectSerializer(StrictSerializer):
    """A project: a list of tasks. Projects nest."""

    id = RowIdField()
    parent_id = StrictUUIDField(required=False, allow_null=True, help_text="The project that this one is inside.")
    name = NameField()
    color = ColorField(required=False)
    is_inbox = serializers.BooleanField(
        read_only=True, help_text="True for the one project that every account has."
    )
    is_archived = StrictBooleanField(required=False)
    position = PositionField(required=False, help_text="Order among siblings. Without one, it goes last.")
    created_at = TimestampField()
    updated_at = TimestampField()
    deleted_at = TimestampField(allow_null=True)

    request_example = {"name": "Garden", "color": "#16a34a"}
    example = request_example | {
        "id": "019aaf3e-7d10-7a00-8000-0000000000b1",
        "parent_id": None,
        "is_inbox": False,
        "is_archived": False,
        "position": "i2",
        "created_at": "2026-11-29T08:00:00Z",
        "updated_at": "2026-11-29T08:00:00Z",
        "deleted_at": None,
    }


_Answer = answers_of(ProjectSerializer)


def shape(row: tuple[Any, ...]) -> msgspec.Struct:
    """Make the answer from one row of the columns."""
    id_, parent_id, name, color, *rest, _ = row
    return _Answer(id_, parent_id, name, color or None, *rest)


READING = Reading(rows=Project.objects.all, columns=(*_Answer.__struct_fields__, "version"), shape=shape)
