"""The serializers of notifications."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from django.conf import settings
from rest_framework import serializers

from todo_project.api import pagination
from todo_project.api.listing import struct_for
from todo_project.api.serializers import (
    IdsField,
    PageQuery,
    RowIdField,
    StrictBooleanField,
    StrictSerializer,
    TimestampField,
    UtcDateTimeField,
)
from todo_project.notifications.models import NotificationKind, NotificationQuerySet

SHOWN = [kind for kind in NotificationKind.values if kind != NotificationKind.DIGEST]
_WAYS = ("ids", "before", "all")


class NotificationSerializer(StrictSerializer):
    """A reminder, or what somebody else did."""

    id = RowIdField()
    kind = serializers.ChoiceField(SHOWN)
    task_id = serializers.UUIDField(allow_null=True)
    project_id = serializers.UUIDField(allow_null=True, help_text="The project of the task.")
    title = serializers.CharField(allow_null=True, help_text="The current title of the task.")
    comment_id = serializers.UUIDField(allow_null=True)
    invitation_id = serializers.UUIDField(allow_null=True)
    actor_id = serializers.UUIDField(allow_null=True, help_text="Who caused it. Null for a reminder.")
    at = TimestampField(help_text="The time of the reminder, or when it happened.")
    read_at = TimestampField(allow_null=True)
    created_at = TimestampField()

    example = {
        "id": "019aaf3e-7d10-7a00-8000-000000000401",
        "kind": "reminder",
        "task_id": "019aaf3e-7d10-7a00-8000-0000000000a1",
        "project_id": "019aaf3e-7d10-7a00-8000-0000000000b1",
        "title": "Water the tomatoes",
        "comment_id": None,
        "invitation_id": None,
        "actor_id": None,
        "at": "2026-11-30T08:45:00Z",
        "read_at": None,
        "created_at": "2026-11-30T08:45:01Z",
    }


class NotificationQuery(PageQuery):
    """The query parameters of the list of notifications."""

    is_read = serializers.BooleanField(
        default=None, allow_null=True, help_text="Only those that were read, or only those that were not."
    )


class ReadIn(StrictSerializer):
    """What to mark as read: one of the three fields."""

    ids = IdsField(noun="notification", min_length=1, max_length=settings.PAGE_SIZE_MAX, required=False)
    before = UtcDateTimeField(required=False, help_text="Everything that was made until this time.")
    all = StrictBooleanField(required=False, help_text="True: everything.")

    request_example = {"all": True}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse none or several of the fields."""
        given = [name for name in _WAYS if name in attrs]
        if not given:
            raise serializers.ValidationError("Send `ids`, `before` or `all`.", code="required")
        if len(given) > 1:
            raise serializers.ValidationError({given[1]: f"Send `{given[0]}` or `{given[1]}`, not both."})
        if attrs.get("all") is False:
            raise serializers.ValidationError({"all": "Send `true`, or send `ids` or `before` instead."})
        return attrs


class CountOut(StrictSerializer):
    """How many notifications were not read."""

    unread = serializers.IntegerField()

    example = {"unread": 3}


_Answer = struct_for(NotificationSerializer)
_COLUMNS = (
    *("id", "kind", "task_id", "task__project_id", "task__title", "comment_id", "invitation_id"),
    *("actor_id", "at", "read_at", "created_at"),
)


def page(rows: NotificationQuerySet, *, limit: int, cursor: str | None) -> pagination.Page:
    """Return a page of these rows, newest first."""
    last: tuple[uuid.UUID, ...] = pagination.decode_ids(cursor)
    rows = rows.before_id(last[0]) if last else rows
    found = list(rows.order_by("-id").values_list(*_COLUMNS)[: limit + 1])
    shaped: list[msgspec.Struct] = [_Answer(*row) for row in found]
    return pagination.page(shaped, limit=limit, key=lambda index: (found[index][0],))
