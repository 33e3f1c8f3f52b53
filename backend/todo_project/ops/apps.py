"""The app that runs the service."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.signals import user_login_failed
from django.core.signals import request_started
from django.db import connections, reset_queries


class OpsConfig(AppConfig):
    """Registers the deploy checks; starts error reporting where it is wanted."""

    name = "todo_project.ops"
    label = "ops"

    def ready(self) -> None:
        """Run once per process, when all apps are loaded."""
        from . import checks, metrics, statements  # noqa: F401, PLC0415  # checks registers its own

        user_login_failed.connect(metrics.count_login_failure)
        if (default := connections["default"]).vendor == "postgresql":
            type(default).observer = statements.Observer()  # type: ignore[attr-defined] # common.postgresql's
        if not settings.DEBUG:
            request_started.disconnect(reset_queries)  # nothing logs them
        if settings.ENVIRONMENT != "dev":
            admin.site.site_url = None  # "View site" leads to the start page, which only dev has
        if settings.SENTRY_DSN:
            from . import sentry  # noqa: PLC0415  # its import costs 100 ms that only its users pay

            sentry.init()
