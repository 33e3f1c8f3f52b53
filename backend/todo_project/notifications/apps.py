"""The configuration of the notifications app."""

from __future__ import annotations

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Tells people what is due and what others did, in the app and by e-mail."""

    name = "todo_project.notifications"
