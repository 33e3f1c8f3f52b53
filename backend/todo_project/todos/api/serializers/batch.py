"""The body and the results of a batch."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from todo_project.api.serializers import StrictBooleanField, StrictCharField, StrictChoiceField, StrictSerializer

METHODS = ("POST", "PUT", "PATCH", "DELETE")
_TASK_ID = "019aaf3e-0000-7000-8000-000000000001"


class BodyField(serializers.JSONField):
    """The body of one operation: an object, or null."""

    default_error_messages = {"not_an_object": "Send an object, or null."}

    def to_internal_value(self, data: Any) -> Any:
        """Refuse other values; the operation itself validates the object."""
        if not isinstance(data, dict):
            self.fail("not_an_object")
        return data


class OperationIn(StrictSerializer):
    """One operation of a batch."""

    method = StrictChoiceField(METHODS)
    path = StrictCharField(
        max_length=200, help_text="The path of the operation, such as `/tasks` or `/api/v1/tasks`."
    )
    body = BodyField(allow_null=True, default=None)
    if_match = StrictCharField(
        allow_null=True, default=None, max_length=200, help_text="The value of the header If-Match."
    )


class OperationsField(serializers.ListField):
    """The operations, at most BATCH_SIZE_MAX."""

    def __init__(self) -> None:
        super().__init__(child=OperationIn(), min_length=1, max_length=settings.BATCH_SIZE_MAX)


class BatchIn(StrictSerializer):
    """Operations that run in their order."""

    request_example = {
        "atomic": True,
        "operations": [
            {"method": "PUT", "path": f"/tasks/{_TASK_ID}", "body": {"title": "Pack"}},
            {"method": "POST", "path": "/tasks", "body": {"title": "Passport", "parent_id": _TASK_ID}},
        ],
    }

    atomic = StrictBooleanField(default=False, help_text="Whether all operations fail if one fails.")
    operations = OperationsField()


class OperationOut(StrictSerializer):
    """The response to one operation."""

    status = serializers.IntegerField()
    body = serializers.DictField(allow_null=True, help_text="The resource, the problem, or null for status 204.")
    etag = serializers.CharField(allow_null=True, help_text="The value of the header ETag.")


class BatchOut(StrictSerializer):
    """The responses, in the order of the operations."""

    example = {
        "results": [
            {"status": 204, "body": None, "etag": None},
            {"status": 204, "body": None, "etag": None},
        ]
    }

    results = OperationOut(many=True)
