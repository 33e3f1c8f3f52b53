"""Registers the checks, signal receivers and observers of ops."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.signals import user_login_failed
from django.db import connections


class OpsConfig(AppConfig):
    name = "todo_project.ops"
    label = "ops"

    def ready(self) -> None:
        """Register checks, signal receivers and the observer of statements; start Sentry if it is configured."""
        from todo_project.ops import checks  # noqa: F401, PLC0415 - registers its own
        from todo_project.ops.observability import metrics, statements  # noqa: PLC0415 - need the apps

        user_login_failed.connect(metrics.count_login_failure)
        if (default := connections["default"]).vendor == "postgresql":
            type(default).observer = statements.StatementObserver()  # type: ignore[attr-defined] # db.postgresql's
        if settings.ENVIRONMENT != "dev":
            admin.site.site_url = None  # "View site" leads to the start page, which only dev has
        if settings.SENTRY_DSN:
            from todo_project.ops.observability import sentry  # noqa: PLC0415  # its import costs 100 ms that only its users pay

            sentry.init()
