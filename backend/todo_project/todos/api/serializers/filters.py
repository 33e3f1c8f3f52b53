"""The serializer of saved filters."""

from __future__ import annotations

from typing import Any

import msgspec

from todo_project.api.listing import Resource, struct_for
from todo_project.api.serializers import (
    MergePatch,
    RowIdField,
    StrictBooleanField,
    StrictCharField,
    StrictSerializer,
    TimestampField,
)
from todo_project.todos.api.serializers.fields import NameField, PositionField
from todo_project.todos.models import SavedFilter
from todo_project.todos.models.filtering.syntax import LENGTH_MAX


class FilterSerializer(StrictSerializer):
    """A filter of tasks that its owner keeps under a name."""

    id = RowIdField()
    name = NameField()
    query = StrictCharField(
        max_length=LENGTH_MAX, help_text="What `GET /tasks?filter=` takes, such as `label:urgent & due<today+7d`."
    )
    is_pinned = StrictBooleanField(required=False)
    position = PositionField(required=False, help_text="Sort key among your filters. Default: last.")
    created_at = TimestampField()
    updated_at = TimestampField()
    deleted_at = TimestampField(allow_null=True)

    computed = ("position",)
    request_example = {"name": "This week", "query": "is:open & due<today+7d", "is_pinned": True}
    example = request_example | {
        "id": "019aaf3e-7d10-7a00-8000-000000000111",
        "position": "i7",
        "created_at": "2026-11-29T08:00:00Z",
        "updated_at": "2026-11-29T08:00:00Z",
        "deleted_at": None,
    }


class FilterPatch(MergePatch, FilterSerializer):
    """A JSON merge patch of a saved filter."""

    cleared = {"is_pinned": bool}


_Answer = struct_for(FilterSerializer)


def shape(row: tuple[Any, ...]) -> msgspec.Struct:
    """Return the response for one tuple of columns."""
    return _Answer(*row[:-1])


RESOURCE = Resource(
    rows=SavedFilter.objects.all,
    columns=(*_Answer.__struct_fields__, "version"),
    struct=_Answer,
    shape=shape,
)
