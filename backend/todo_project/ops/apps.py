"""The app that runs the service."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.contrib import admin


class OpsConfig(AppConfig):
    """Registers the deploy checks; starts error reporting where it is wanted."""

    name = "todo_project.ops"
    label = "ops"

    def ready(self) -> None:
        """Run once per process, when all apps are loaded."""
        from . import checks  # noqa: F401, PLC0415  # registers them

        if settings.ENVIRONMENT != "dev":
            admin.site.site_url = None  # "View site" leads to the start page, which only dev has
        if settings.SENTRY_DSN:
            from . import sentry  # noqa: PLC0415  # its import costs 100 ms that only its users pay

            sentry.init()
