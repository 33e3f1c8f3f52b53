"""The views of notifications."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from todo_project.api.endpoint import Endpoint, answer, answer_if_changed
from todo_project.api.idempotency import idempotent
from todo_project.api.operations import operation, page_of
from todo_project.notifications.api.serializers import (
    CountOut,
    NotificationQuery,
    NotificationSerializer,
    ReadIn,
    page,
)
from todo_project.notifications.models import Notification
from todo_project.notifications.services import reading


class NotificationList(Endpoint):
    """/notifications."""

    @operation("list_notifications", page_of(NotificationSerializer), query=NotificationQuery)
    def get(self, request: Request) -> HttpResponse:
        """List what you are told, newest first.

        The kinds are `reminder`, `assignment`, `mention`, `comment` and `invitation`. What is about something that
        you can no longer see is left out. Notifications are kept for NOTIFICATIONS_RETENTION_DAYS and are not in
        `/changes`.
        """
        query = self.query()
        rows = Notification.objects.visible_to(self.owner_id)
        if query["is_read"] is not None:
            rows = rows.read() if query["is_read"] else rows.unread()
        return answer_if_changed(request, page(rows, limit=query["limit"], cursor=query["cursor"]))


class NotificationCount(Endpoint):
    """/notifications/count."""

    @operation("get_notification_count", CountOut)
    def get(self, request: Request) -> HttpResponse:
        """Count the notifications that you have not read."""
        return answer_if_changed(request, _count(self.owner_id))


class NotificationRead(Endpoint):
    """POST /notifications/read."""

    @operation("mark_notifications_read", CountOut, body=ReadIn, has_etag=False)
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Mark notifications as read.

        Send `ids`, or `before` with a time, or `all`. Ids of other people's notifications are ignored. The response
        has the number of those that are left.
        """
        given = self.body(ReadIn)
        reading.mark_read(
            user_id=self.owner_id, ids=given.get("ids"), until=given.get("before"), now=timezone.now()
        )
        return answer(_count(self.owner_id))


def _count(user_id: uuid.UUID) -> dict[str, int]:
    return {"unread": Notification.objects.visible_to(user_id).unread().count()}
