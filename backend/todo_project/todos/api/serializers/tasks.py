"""What a task looks like, coming in and going out."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import msgspec
from django.conf import settings
from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from todo_project.api.listing import Reading, answers_of
from todo_project.api.serializers import (
    ChangesQuery,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
    StrictUUIDField,
)
from todo_project.todos.api.serializers.fields import PositionField
from todo_project.todos.api.serializers.moments import (
    MOMENT_SCHEMA,
    REMINDER_SCHEMA,
    MomentChangeField,
    MomentField,
    RecurrenceChange,
    RecurrenceIn,
    ReminderField,
)
from todo_project.todos.models import Task
from todo_project.todos.services.moments import from_columns

LABELS_MAX = 100
REMINDERS_MAX = 20
_NOTHING: dict[str, Callable[[], Any]] = {"description": str, "priority": int, "labels": list, "reminders": list}
COLUMNS = (
    *("id", "project_id", "section_id", "parent_id", "title", "description", "priority", "label_ids"),
    *("due_date", "due_at", "due_time_zone", "start_date", "start_at", "start_time_zone"),
    *("deadline_date", "deadline_at", "deadline_time_zone", "recurrence_rule", "recurrence_mode", "reminders"),
    *("position", "completed_at", "next_task_id", "uid", "created_at", "updated_at", "deleted_at", "version"),
)


class TitleField(StrictCharField):
    """A title: not blank, at most TASK_TITLE_MAX_LENGTH characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": settings.TASK_TITLE_MAX_LENGTH} | options)


class DescriptionField(StrictCharField):
    """A text, kept with its white space, of at most TASK_DESCRIPTION_MAX_LENGTH characters."""

    def __init__(self, **options: Any) -> None:
        limit = settings.TASK_DESCRIPTION_MAX_LENGTH
        super().__init__(**{"max_length": limit, "allow_blank": True, "trim_whitespace": False} | options)


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "string", "format": "uuid"},
        "maxItems": LABELS_MAX,
        "uniqueItems": True,
    }
)
class LabelsField(serializers.ListField):
    """The ids of labels, each once."""

    child = StrictUUIDField()

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": LABELS_MAX} | options)

    def to_internal_value(self, data: Any) -> list[uuid.UUID]:
        """Refuse an id that is there already, at its place."""
        ids: list[uuid.UUID] = super().to_internal_value(data)
        again: dict[Any, Any] = {
            position: [serializers.ErrorDetail("This label is there already.", "repeated")]
            for position, id_ in enumerate(ids)
            if id_ in ids[:position]
        }
        if again:
            raise serializers.ValidationError(again)
        return ids


class PlaceIn(StrictSerializer):
    """Where a task is to be."""

    project_id = StrictUUIDField(
        required=False,
        allow_null=True,
        help_text="Without one it is that of the parent or the section, and for a new task else the Inbox.",
    )
    section_id = StrictUUIDField(required=False, allow_null=True)
    parent_id = StrictUUIDField(required=False, allow_null=True, help_text="The task that this is a subtask of.")


class TaskIn(PlaceIn):
    """What a client may set of a task."""

    title = TitleField()
    description = DescriptionField(required=False)
    priority = StrictIntegerField(required=False, min_value=0, max_value=4, help_text="4 is most urgent.")
    labels = LabelsField(required=False)
    due = MomentField()
    start = MomentField()
    deadline = MomentField()
    recurrence = RecurrenceIn(required=False, allow_null=True)
    reminders = serializers.ListField(child=ReminderField(), required=False, max_length=REMINDERS_MAX)
    position = PositionField(required=False, help_text="Without one, it comes behind the others.")


class TaskChange(TaskIn):
    """What a merge patch may change of a task; null gives what a new task has."""

    description = DescriptionField(required=False, allow_null=True)
    priority = StrictIntegerField(required=False, allow_null=True, min_value=0, max_value=4)
    labels = LabelsField(required=False, allow_null=True)
    reminders = serializers.ListField(
        child=ReminderField(), required=False, allow_null=True, max_length=REMINDERS_MAX
    )
    due = MomentChangeField()
    start = MomentChangeField()
    deadline = MomentChangeField()
    recurrence = RecurrenceChange(required=False, allow_null=True)

    def to_internal_value(self, data: Any) -> Any:
        """Clear what is null and has another word for nothing."""
        values = super().to_internal_value(data)
        return values | {name: nothing() for name, nothing in _NOTHING.items() if values.get(name, ...) is None}


class MoveIn(PlaceIn):
    """Right before or right after another task, or behind all others of a place."""

    before = StrictUUIDField(required=False, help_text="The task to come before; it gives the place.")
    after = StrictUUIDField(required=False, help_text="The task to come after; it gives the place.")

    def validate(self, attrs: Any) -> Any:
        """Refuse two neighbours."""
        if "before" in attrs and "after" in attrs:
            raise serializers.ValidationError({"after": "Give `before` or `after`, not both."})
        return attrs


class NothingIn(StrictSerializer):
    """A body that has nothing to say."""


class TaskQuery(ChangesQuery):
    """The query parameters of the list of tasks."""

    project_id = serializers.UUIDField(default=None)
    section_id = serializers.UUIDField(default=None)
    parent_id = serializers.UUIDField(default=None, help_text="Only the subtasks of this task.")
    label_id = serializers.UUIDField(default=None)
    is_completed = serializers.BooleanField(default=None, allow_null=True)


@extend_schema_field(MOMENT_SCHEMA)
class _MomentOut(serializers.JSONField):
    pass


@extend_schema_field({"type": "array", "items": REMINDER_SCHEMA, "maxItems": REMINDERS_MAX})
class _RemindersOut(serializers.JSONField):
    pass


class RecurrenceOut(serializers.Serializer[Any]):
    """How a task recurs."""

    rule = serializers.CharField()
    mode = serializers.ChoiceField(["schedule", "completion"])


class TaskOut(serializers.Serializer[Any]):
    """A task. `next_task_id` is the task that the completion of this recurring one made."""

    id = serializers.UUIDField()
    project_id = serializers.UUIDField()
    section_id = serializers.UUIDField(allow_null=True)
    parent_id = serializers.UUIDField(allow_null=True)
    title = serializers.CharField()
    description = serializers.CharField()
    priority = serializers.IntegerField(min_value=0, max_value=4)
    labels = LabelsField()
    due = _MomentOut(allow_null=True)
    start = _MomentOut(allow_null=True)
    deadline = _MomentOut(allow_null=True)
    recurrence = RecurrenceOut(allow_null=True)
    reminders = _RemindersOut()
    position = serializers.CharField()
    completed_at = serializers.DateTimeField(allow_null=True)
    next_task_id = serializers.UUIDField(allow_null=True)
    uid = serializers.CharField(allow_null=True, help_text="Its iCalendar UID, of an imported task.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    deleted_at = serializers.DateTimeField(allow_null=True)


_Answer = answers_of(TaskOut)


# fmt: off
def shape(row: tuple[Any, ...]) -> msgspec.Struct:
    """Make the answer of one row of COLUMNS."""
    (id_, project_id, section_id, parent_id, title, description, priority, label_ids,
     due_date, due_at, due_zone, start_date, start_at, start_zone, deadline_date, deadline_at, deadline_zone,
     rule, mode, reminders, position, completed_at, next_task_id, uid, created_at, updated_at, deleted_at, _) = row
    due = from_columns(due_date, due_at, due_zone)
    start = from_columns(start_date, start_at, start_zone)
    deadline = from_columns(deadline_date, deadline_at, deadline_zone)
    recurrence = {"rule": rule, "mode": mode} if rule else None
    return _Answer(
        id_, project_id, section_id, parent_id, title, description, priority, label_ids, due, start, deadline,
        recurrence, reminders, position, completed_at, next_task_id, uid or None,
        created_at, updated_at, deleted_at,
    )
# fmt: on


def _narrowed(rows: Any, *, label_id: Any = None, is_completed: bool | None = None, **ids: Any) -> Any:
    if label_id is not None:
        rows = rows.showing_label(label_id)
    if is_completed is not None:
        rows = rows.completed() if is_completed else rows.open()
    return rows.filter(**ids)


READING = Reading(
    rows=Task.objects.with_label_ids,
    columns=COLUMNS,
    shape=shape,
    filters={name: models.UUIDField() for name in ("project_id", "section_id", "parent_id", "label_id")},
    flags=("is_completed",),
    narrow=_narrowed,
)
