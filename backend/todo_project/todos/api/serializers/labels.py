"""What a label looks like, coming in and going out."""

from __future__ import annotations

from typing import Any

import msgspec
from rest_framework import serializers

from todo_project.api.listing import Reading, answers_of
from todo_project.api.serializers import StrictSerializer
from todo_project.todos.api.serializers.fields import ColorField, NameField
from todo_project.todos.models import Label

COLUMNS = ("id", "name", "color", "created_at", "updated_at", "deleted_at", "version")


class LabelIn(StrictSerializer):
    """What a client may set of a label."""

    name = NameField(max_length=100, help_text="Once per account, whatever the case of its letters.")
    color = ColorField(required=False)


class LabelOut(serializers.Serializer[Any]):
    """A label."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    color = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    deleted_at = serializers.DateTimeField(allow_null=True)


_Answer = answers_of(LabelOut)


def shape(row: tuple[Any, ...]) -> msgspec.Struct:
    """Make the answer of one row of COLUMNS."""
    id_, name, color, *times, _ = row
    return _Answer(id_, name, color or None, *times)


READING = Reading(rows=Label.objects.all, columns=COLUMNS, shape=shape)
