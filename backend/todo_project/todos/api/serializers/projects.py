"""The serializer of projects."""

from __future__ import annotations

from typing import Any

import msgspec
from rest_framework import serializers

from todo_project.api.listing import Resource, struct_for
from todo_project.api.serializers import (
    MergePatch,
    RowIdField,
    StrictBooleanField,
    StrictSerializer,
    StrictUUIDField,
    TimestampField,
)
from todo_project.todos.api.serializers.fields import ROLES, ColorField, NameField, PositionField
from todo_project.todos.models import Project, ProjectQuerySet


class ProjectSerializer(StrictSerializer):
    """A project: a list of tasks. Projects can be nested."""

    id = RowIdField()
    parent_id = StrictUUIDField(required=False, allow_null=True, help_text="The project that contains this one.")
    name = NameField()
    color = ColorField(required=False)
    is_inbox = serializers.BooleanField(read_only=True, help_text="True for the Inbox, which every account has.")
    is_archived = StrictBooleanField(required=False)
    position = PositionField(required=False, help_text="Sort key among its siblings. Default: last.")
    role = serializers.ChoiceField(choices=ROLES, read_only=True, help_text="What you may do in the project.")
    created_at = TimestampField()
    updated_at = TimestampField()
    deleted_at = TimestampField(allow_null=True)

    computed = ("position",)
    request_example = {"name": "Garden", "color": "#16a34a"}
    example = request_example | {
        "id": "019aaf3e-7d10-7a00-8000-0000000000b1",
        "parent_id": None,
        "is_inbox": False,
        "is_archived": False,
        "position": "i2",
        "role": "owner",
        "created_at": "2026-11-29T08:00:00Z",
        "updated_at": "2026-11-29T08:00:00Z",
        "deleted_at": None,
    }


class ProjectPatch(MergePatch, ProjectSerializer):
    """A JSON merge patch of a project."""

    cleared = {"is_archived": bool}


_Answer = struct_for(ProjectSerializer)
_COLUMNS = [name if name != "parent_id" else "shown_parent_id" for name in _Answer.__struct_fields__]


def shape(row: tuple[Any, ...]) -> msgspec.Struct:
    """Return the response for one tuple of columns."""
    id_, parent_id, name, color, is_inbox, is_archived, position, role, *times, _ = row
    return _Answer(id_, parent_id, name, color or None, is_inbox, is_archived, position, ROLES[role - 1], *times)


RESOURCE = Resource(
    rows=Project.objects.all,
    columns=(*_COLUMNS, "version"),
    struct=_Answer,
    shape=shape,
    place="id",
    seen_by=ProjectQuerySet.seen_by,
    tag_column="role",
)
