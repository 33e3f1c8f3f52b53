"""The admin pages for notifications: what became of their mails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from todo_project.notifications.models import Notification
from todo_project.notifications.services import sending

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Notification]
else:  # at run time Django's class takes no parameter
    _ModelAdmin = admin.ModelAdmin


@admin.register(Notification)
class NotificationAdmin(_ModelAdmin):
    """Shows notifications without what they are about, and sends failed mails again."""

    list_display = ("id", "kind", "created_at", "mail_status", "mail_attempts", "mail_at", "mail_error")
    list_filter = ("mail_status", "kind")
    fields = (*list_display, "user", "at", "mailed_at", "read_at")
    raw_id_fields = ("user",)
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("send_again",)

    @admin.action(description="Send failed mails again", permissions=["repeat"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        """Try again to send those of the selected mails that failed for good."""
        count = sending.repeat_failed(now=timezone.now(), ids=list(queryset.values_list("id", flat=True)))
        self.message_user(request, f"Mails that will be sent again within a minute: {count}")

    def has_repeat_permission(self, request: HttpRequest) -> bool:
        """Return whether the operator may change notifications."""
        return request.user.has_perm("notifications.change_notification")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: only the service makes notifications."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: only the action above changes them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: the purge deletes them."""
        return False
