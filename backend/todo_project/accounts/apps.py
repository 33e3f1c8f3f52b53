"""The configuration of the accounts app."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, sessions and API tokens."""

    name = "todo_project.accounts"

    def ready(self) -> None:
        """Register the checks."""
        from todo_project.accounts import checks  # noqa: F401, PLC0415 - importing it registers them
