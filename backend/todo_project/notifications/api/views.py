"""The views of notifications."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.generic import View
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
from todo_project.notifications.services import reading, texts, unsubscribing

_POLICY: Final = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


class NotificationList(Endpoint):
    """/notifications."""

    @operation("list_notifications", page_of(NotificationSerializer), query=NotificationQuery)
    def get(self, request: Request) -> HttpResponse:
        """List your notifications, newest first.

        The kinds are `reminder`, `assignment`, `mention`, `comment` and `invitation`. Notifications about things
        that you can no longer see are left out. Notifications are kept for NOTIFICATIONS_RETENTION_DAYS, and are
        not in `/changes`.
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


class Unsubscribe(View):
    """/unsubscribe: the link in mails. Nobody needs to log in, and only a POST changes anything (RFC 8058)."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask whether to stop the mails. Scanners of mail open links, too."""
        found = self._subscription()
        if found is None:
            return self._page("invalid", status=404)
        return self._page("ask", found, is_question=True)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Stop the mails."""
        found = self._subscription()
        if found is None:
            return self._page("invalid", status=404)
        unsubscribing.unsubscribe(user=found.user, kind=found.kind, now=timezone.now())
        return self._page("stopped", found)

    def _subscription(self) -> unsubscribing.Subscription | None:
        return unsubscribing.subscription(self.request.GET.get("token", ""))

    def _page(
        self, name: str, found: unsubscribing.Subscription | None = None, *, status: int = 200, **more: Any
    ) -> HttpResponse:
        language = found.user.language if found else "en"
        words = texts.of(language)
        named = {"email": found.user.email, "what": words[f"what_{found.kind}"]} if found else {}
        content = {**words, "language": language, "message": words[name].format(**named), **more}
        response = render(self.request, "notifications/unsubscribe.html", content, status=status)
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


def _count(user_id: uuid.UUID) -> dict[str, int]:
    return {"unread": Notification.objects.visible_to(user_id).unread().count()}
