"""The configuration of the notifications app."""

from __future__ import annotations

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Tells people what is due and what others did, in the app and by e-mail."""

    name = "todo_project.notifications"

    def ready(self) -> None:
        """Let operators see mails that are not delivered."""
        from todo_project.notifications.services import undelivered  # noqa: PLC0415 - needs the models
        from todo_project.ops.contributions import contributions  # noqa: PLC0415 - as above

        contributions["mails"] = undelivered.CONTRIBUTION
