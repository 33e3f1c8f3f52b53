"""The serializers of undo."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from todo_project.api.serializers import StrictCharField, StrictIntegerField, StrictSerializer
from todo_project.todos.api.serializers.changes import ThingSerializer


class UndoIn(StrictSerializer):
    """What to take back: one change, or all changes of one request."""

    change_id = StrictIntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="The `id` of a row of an activity."
    )
    request_id = StrictCharField(
        required=False,
        max_length=64,
        help_text="The X-Request-ID of a response to your request, or X-Original-Request-ID of a replayed one.",
    )

    request_example = {"change_id": 4711}

    def validate(self, attrs: Any) -> Any:
        """Require one of the two."""
        if len(attrs) != 1:
            raise serializers.ValidationError({"change_id": "Send either `change_id` or `request_id`."})
        return attrs


class UndoOut(StrictSerializer):
    """The current state of what was undone."""

    results = ThingSerializer(many=True)

    example = {"results": [ThingSerializer.example]}
