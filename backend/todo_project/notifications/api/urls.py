"""The URL patterns of notifications."""

from __future__ import annotations

from django.urls import path

from todo_project.notifications.api import views

urlpatterns = [
    path("notifications", views.NotificationList.as_view(), name="notifications"),
    path("notifications/count", views.NotificationCount.as_view(), name="notification_count"),
    path("notifications/read", views.NotificationRead.as_view(), name="notification_read"),
]
