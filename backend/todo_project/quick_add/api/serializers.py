"""The JSON of quick add."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from rest_framework import serializers

from todo_project.accounts.api.serializers import TimeZoneField
from todo_project.api.serializers import RowIdField, StrictBooleanField, StrictCharField, StrictSerializer
from todo_project.quick_add.services.adding import MORE_THAN_TITLE
from todo_project.todos.api.serializers.tasks import TaskSerializer

KINDS = ("due", "recurrence", "project", "section", "label", "priority", "assignee", "description", "escape")


class QuickTextField(StrictCharField):
    """The text, which is not trimmed, so that the spans count from its first character."""

    def __init__(self) -> None:
        super().__init__(
            max_length=settings.TASK_TITLE_MAX_LENGTH + MORE_THAN_TITLE,
            trim_whitespace=False,
            help_text="English or Chinese, as people write it: `pay rent every 1st at 9 #Home p1 @finance`.",
        )

    def to_internal_value(self, data: Any) -> str:
        """Refuse spaces only, which DRF accepts where it does not trim."""
        value = super().to_internal_value(data)
        if not value.strip():
            self.fail("blank")
        return value


class QuickTaskIn(StrictSerializer):
    """One line of text that describes a task."""

    text = QuickTextField()
    time_zone = TimeZoneField(allow_null=True, default=None, help_text="Default: the time zone of your profile.")
    dry_run = StrictBooleanField(default=False, help_text="Whether to return the task without creating it.")

    request_example = {
        "text": "pay rent every 1st at 9 #Home p1 @finance",
        "time_zone": "Europe/Berlin",
    }


class UnderstoodOut(StrictSerializer):
    """A part of the text that was understood."""

    kind = serializers.ChoiceField(KINDS, help_text="The field of the task, or `escape` for a backslash.")
    start = serializers.IntegerField(
        min_value=0, help_text="Where it starts, counted in Unicode code points (JavaScript counts UTF-16 units)."
    )
    end = serializers.IntegerField(min_value=0, help_text="Where it ends: the number of the character after it.")
    text = serializers.CharField(help_text="That part of the text.")


class QuickTaskOut(StrictSerializer):
    """The new task, and what was understood of the text. The rest of the text is the title."""

    task = TaskSerializer()
    understood = UnderstoodOut(many=True, help_text="Sorted, without overlaps.")
    new_labels = serializers.ListField(
        child=serializers.CharField(), help_text="The names of the labels that did not exist."
    )

    example: ClassVar[dict[str, Any]] = {
        "task": TaskSerializer.example
        | {
            "title": "pay rent",
            "priority": 4,
            "labels": ["019aaf3e-7d10-7a00-8000-0000000000c1"],
            "due": {"at": "2026-12-01T08:00:00Z", "time_zone": "Europe/Berlin"},
            "recurrence": {"rule": "FREQ=MONTHLY;BYMONTHDAY=1", "mode": "schedule"},
            "reminders": [],
        },
        "understood": [
            {"kind": "recurrence", "start": 9, "end": 18, "text": "every 1st"},
            {"kind": "due", "start": 19, "end": 23, "text": "at 9"},
            {"kind": "project", "start": 24, "end": 29, "text": "#Home"},
            {"kind": "priority", "start": 30, "end": 32, "text": "p1"},
            {"kind": "label", "start": 33, "end": 41, "text": "@finance"},
        ],
        "new_labels": [],
    }


class DraftSerializer(TaskSerializer):
    """A task that was not created: it has no id, and only labels that exist."""

    id = RowIdField(allow_null=True)

    example = QuickTaskOut.example["task"] | {"id": None}


class QuickDraftOut(QuickTaskOut):
    """The task as it would be, and what was understood of the text."""

    task = DraftSerializer()

    example = QuickTaskOut.example | {"task": DraftSerializer.example}
