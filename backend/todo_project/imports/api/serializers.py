"""What an import takes and what it tells."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from todo_project.api.serializers import StrictSerializer

_FILE_ERRORS: dict[str, Any] = {
    "required": "Send an iCalendar file (.ics) as the field `file` of a multipart form.",
    "invalid": "Send an iCalendar file (.ics) as the field `file` of a multipart form.",
    "empty": "The file is empty. Export your tasks as an iCalendar file (.ics) and send that.",
}


class IcsIn(StrictSerializer):
    """A file, and the project that its tasks go to."""

    file = serializers.FileField(error_messages=_FILE_ERRORS, help_text="An iCalendar file with VTODO components.")
    project_id = serializers.UUIDField(
        required=False, help_text="The project that the tasks go to; without one it is the Inbox."
    )

    request_example = {"file": "tasks.ics"}

    def to_internal_value(self, data: Any) -> Any:
        """Refuse a field that is given twice, of which the form would give the last."""
        twice = [name for name, values in data.lists() if len(values) > 1] if isinstance(data, QueryDict) else []
        if twice:
            once = serializers.ErrorDetail("Give this field once; one file at a time.", "repeated")
            raise serializers.ValidationError({name: [once] for name in twice})
        return super().to_internal_value(data)


class SkippedOut(serializers.Serializer[Any]):
    """A component that was not imported."""

    uid = serializers.CharField(allow_null=True, help_text="Null for what has no UID.")
    reason = serializers.CharField()


class UnsupportedOut(serializers.Serializer[Any]):
    """A property that no field of the task holds, or not all of it."""

    uid = serializers.CharField(allow_null=True, help_text="The task's `uid`; null for the file's own properties.")
    property = serializers.CharField(help_text="`NAME`, or `NAME;PARAMETER` when only a parameter is not kept.")
    component = serializers.CharField(help_text="What it is a property of, such as VTODO or VALARM.")
    detail = serializers.CharField(allow_blank=True, help_text="What became of it, where that is not plain.")


class ReportOut(serializers.Serializer[Any]):
    """What became of the file: each of its tasks is counted or skipped."""

    created = serializers.IntegerField(min_value=0)
    updated = serializers.IntegerField(min_value=0)
    unchanged = serializers.IntegerField(min_value=0)
    skipped = SkippedOut(many=True)
    unsupported = UnsupportedOut(many=True)

    example = {
        "created": 12,
        "updated": 0,
        "unchanged": 3,
        "skipped": [{"uid": "4f1c", "reason": "It has no summary."}],
        "unsupported": [{"uid": "9a2e", "property": "GEO", "component": "VTODO", "detail": ""}],
    }
