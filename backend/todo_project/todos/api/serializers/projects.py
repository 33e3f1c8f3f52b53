"""What a project looks like, coming in and going out."""

from __future__ import annotations

from typing import Any

import msgspec
from rest_framework import serializers

from todo_project.api.listing import Reading, answers_of
from todo_project.api.serializers import StrictBooleanField, StrictSerializer, StrictUUIDField
from todo_project.todos.api.serializers.fields import ColorField, NameField, PositionField
from todo_project.todos.models import Project

COLUMNS = (
    "id",
    "parent_id",
    "name",
    "color",
    "is_inbox",
    "is_archived",
    "position",
    "created_at",
    "updated_at",
    "deleted_at",
    "version",
)


class ProjectIn(StrictSerializer):
    """What a client may set of a project."""

    name = NameField()
    parent_id = StrictUUIDField(required=False, allow_null=True)
    color = ColorField(required=False)
    is_archived = StrictBooleanField(required=False)
    position = PositionField(required=False, help_text="Without one, it comes behind the others.")


class ProjectOut(serializers.Serializer[Any]):
    """A project."""

    id = serializers.UUIDField()
    parent_id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()
    color = serializers.CharField(allow_null=True)
    is_inbox = serializers.BooleanField()
    is_archived = serializers.BooleanField()
    position = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    deleted_at = serializers.DateTimeField(allow_null=True)


_Answer = answers_of(ProjectOut)


def shape(row: tuple[Any, ...]) -> msgspec.Struct:
    """Make the answer of one row of COLUMNS."""
    id_, parent_id, name, color, *rest, _ = row
    return _Answer(id_, parent_id, name, color or None, *rest)


READING = Reading(rows=Project.objects.all, columns=COLUMNS, shape=shape)
