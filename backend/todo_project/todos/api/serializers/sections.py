"""What a section looks like, coming in and going out."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from django.db import models
from rest_framework import serializers

from todo_project.api.listing import Reading, answers_of
from todo_project.api.serializers import ChangesQuery, StrictSerializer, StrictUUIDField
from todo_project.todos.api.serializers.fields import NameField, PositionField
from todo_project.todos.models import Section, SectionQuerySet

COLUMNS = ("id", "project_id", "name", "position", "created_at", "updated_at", "deleted_at", "version")


class SectionIn(StrictSerializer):
    """What a client may set of a section; in another project it takes its tasks along."""

    project_id = StrictUUIDField()
    name = NameField()
    position = PositionField(required=False, help_text="Without one, it comes behind the others.")


class SectionQuery(ChangesQuery):
    """The query parameters of the list."""

    project_id = StrictUUIDField(default=None, help_text="Only sections of this project.")


class SectionOut(serializers.Serializer[Any]):
    """A section."""

    id = serializers.UUIDField()
    project_id = serializers.UUIDField()
    name = serializers.CharField()
    position = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    deleted_at = serializers.DateTimeField(allow_null=True)


_Answer = answers_of(SectionOut)


def shape(row: tuple[Any, ...]) -> msgspec.Struct:
    """Make the answer of one row of COLUMNS."""
    return _Answer(*row[:-1])


def _narrow(rows: SectionQuerySet, *, project_id: uuid.UUID | None = None) -> SectionQuerySet:
    return rows if project_id is None else rows.filter(project_id=project_id)


READING = Reading(
    rows=Section.objects.all,
    columns=COLUMNS,
    shape=shape,
    filters={"project_id": models.UUIDField()},
    narrow=_narrow,
)
