"""The serializer of labels."""

from __future__ import annotations

from typing import Any

import msgspec

from todo_project.api.listing import Resource, struct_for
from todo_project.api.serializers import RowIdField, StrictSerializer, TimestampField
from todo_project.todos.api.serializers.fields import ColorField, NameField
from todo_project.todos.models import LABEL_LENGTH, Label


class LabelSerializer(StrictSerializer):
    """A label."""

    id = RowIdField()
    name = NameField(max_length=LABEL_LENGTH, help_text="Unique in the account, ignoring case.")
    color = ColorField(required=False)
    created_at = TimestampField()
    updated_at = TimestampField()
    deleted_at = TimestampField(allow_null=True)

    request_example = {"name": "urgent", "color": "#dc2626"}
    example = request_example | {
        "id": "019aaf3e-7d10-7a00-8000-0000000000f1",
        "created_at": "2026-11-29T08:00:00Z",
        "updated_at": "2026-11-29T08:00:00Z",
        "deleted_at": None,
    }


_Answer = struct_for(LabelSerializer)


def shape(row: tuple[Any, ...]) -> msgspec.Struct:
    """Return the response for one tuple of columns."""
    id_, name, color, *times, _ = row
    return _Answer(id_, name, color or None, *times)


RESOURCE = Resource(
    rows=Label.objects.all,
    columns=(*_Answer.__struct_fields__, "version"),
    struct=_Answer,
    shape=shape,
    place="id",
)
