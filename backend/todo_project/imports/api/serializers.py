"""The serializers of imports."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from todo_project.api.serializers import StrictSerializer, StrictUUIDField

_FILE_ERRORS: dict[str, Any] = {
    "required": "Send an iCalendar file (.ics) as the field `file` of a multipart form.",
    "invalid": "Send an iCalendar file (.ics) as the field `file` of a multipart form.",
    "empty": "The file is empty. Export your tasks as an iCalendar file (.ics) and send that.",
}


class IcsIn(StrictSerializer):
    """An uploaded file, and the project for its new tasks."""

    file = serializers.FileField(error_messages=_FILE_ERRORS, help_text="An iCalendar file with VTODO components.")
    project_id = StrictUUIDField(required=False, help_text="The project for new tasks. Default: the Inbox.")

    request_example = {"file": "tasks.ics"}

    def to_internal_value(self, data: Any) -> Any:
        """Refuse repeated fields, of which Django would use the last."""
        twice = [name for name, values in data.lists() if len(values) > 1] if isinstance(data, QueryDict) else []
        if twice:
            once = serializers.ErrorDetail("Send this field once, with one file.", "repeated")
            raise serializers.ValidationError({name: [once] for name in twice})
        return super().to_internal_value(data)


class SkippedOut(serializers.Serializer[Any]):
    """A component that was not imported."""

    uid = serializers.CharField(allow_null=True, help_text="Null if it has no UID.")
    reason = serializers.CharField()


class UnsupportedOut(serializers.Serializer[Any]):
    """A property that no field of a task can store, or not completely."""

    uid = serializers.CharField(allow_null=True, help_text="The task's `uid`. Null for properties of the file.")
    property = serializers.CharField(help_text="`NAME`, or `NAME;PARAMETER` if only a parameter is lost.")
    component = serializers.CharField(help_text="The component that has the property, such as VTODO.")
    detail = serializers.CharField(allow_blank=True, help_text="What was done with it, unless that is obvious.")


class ReportOut(serializers.Serializer[Any]):
    """The result of an import: each task of the file is counted or skipped."""

    created = serializers.IntegerField(min_value=0, help_text="How many tasks this import created.")
    updated = serializers.IntegerField(min_value=0)
    unchanged = serializers.IntegerField(min_value=0)
    skipped = SkippedOut(many=True)
    unsupported = UnsupportedOut(many=True)

    example = {
        "created": 12,
        "updated": 0,
        "unchanged": 3,
        "skipped": [{"uid": "4f1c", "reason": "It is empty."}],
        "unsupported": [{"uid": "9a2e", "property": "GEO", "component": "VTODO", "detail": ""}],
    }


class ImportOut(serializers.Serializer[Any]):
    """An import that runs in the background."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=("pending", "running", "done", "failed"))
    progress = serializers.IntegerField(min_value=0, max_value=100, help_text="Percent.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    report = ReportOut(allow_null=True, help_text="Null until the status is `done`.")
    error = serializers.CharField(allow_null=True, help_text="Why nothing was imported, if the status is `failed`.")

    example = {
        "id": "01a2277b-ff13-767f-ba8e-a4aa7be7bfc8",
        "status": "done",
        "progress": 100,
        "created_at": "2026-11-29T13:26:09.120000Z",
        "updated_at": "2026-11-29T13:26:14.530000Z",
        "report": ReportOut.example,
        "error": None,
    }
