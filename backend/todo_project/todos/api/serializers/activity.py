"""The serializer of activity: the log of changes for people."""

from __future__ import annotations

from rest_framework import serializers

from todo_project.api.serializers import StrictSerializer, TimestampField


class ActivitySerializer(StrictSerializer):
    """One change of one thing."""

    id = serializers.IntegerField()
    at = TimestampField()
    actor_id = serializers.UUIDField(allow_null=True, help_text="Who did it. Null for the service itself.")
    request_id = serializers.CharField(
        allow_null=True, help_text="Of your own changes, the request that made them, which `POST /undo` takes."
    )
    kind = serializers.CharField(help_text="The singular name of the resource: `project`, `task`, `member` …")
    object_id = serializers.UUIDField(help_text="The id of the thing; of a member, the id of the user.")
    action = serializers.ChoiceField(
        ["created", "updated", "deleted"], help_text="The trash is an update of `deleted_at`; a purge deletes."
    )
    fields = serializers.DictField(  # type: ignore[assignment] # the metaclass takes the fields out of the class
        child=serializers.DictField(),
        help_text=(
            "The changed fields by name, each as `{from, to}`. Of a list such as `labels`, `from` is what was "
            "taken out, and `to` what was put in. A transfer of a project has `owner_id`. A place or a label that "
            "you may not see is null, and so are the other values that a thing had in such a place, and the text "
            "of a comment."
        ),
    )

    example = {
        "id": 4711,
        "at": "2026-11-29T08:00:00Z",
        "actor_id": "019aaf3e-7d10-7a00-8000-000000000001",
        "request_id": "5f0c3fa6d2b14c0bb3d1c2a4e5f60718",
        "kind": "task",
        "object_id": "019aaf3e-7d10-7a00-8000-0000000000a1",
        "action": "updated",
        "fields": {"title": {"from": "Water the tomatoes", "to": "Water everything"}},
    }
