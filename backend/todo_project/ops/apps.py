"""The app that runs the service."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.signals import user_login_failed
from django.core.cache import BaseCache, caches, close_caches
from django.core.handlers.base import reset_urlconf
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections, reset_queries


class OpsConfig(AppConfig):
    """Registers the deploy checks; starts error reporting where it is wanted."""

    name = "todo_project.ops"
    label = "ops"

    def ready(self) -> None:
        """Run once per process, when all apps are loaded."""
        from todo_project.ops import checks  # noqa: F401, PLC0415 - registers its own
        from todo_project.ops.observability import metrics, statements  # noqa: PLC0415 - need the apps

        user_login_failed.connect(metrics.count_login_failure)
        if (default := connections["default"]).vendor == "postgresql":
            type(default).observer = statements.Observer()  # type: ignore[attr-defined] # db.postgresql's
        _leave_out_what_changes_nothing()
        if settings.ENVIRONMENT != "dev":
            admin.site.site_url = None  # "View site" leads to the start page, which only dev has
        if settings.SENTRY_DSN:
            from todo_project.ops.observability import sentry  # noqa: PLC0415  # its import costs 100 ms that only its users pay

            sentry.init()


def _leave_out_what_changes_nothing() -> None:
    """Disconnect what Django does around each request for others than us."""
    if not settings.DEBUG:
        request_started.disconnect(reset_queries)  # nothing logs them
    request_finished.disconnect(reset_urlconf)  # each request begins with setting it
    if all(type(cache).close is BaseCache.close for cache in caches.all()):
        request_finished.disconnect(close_caches)  # there is nothing to close
    if all(connection.settings_dict["CONN_MAX_AGE"] for connection in connections.all()):
        request_finished.disconnect(close_old_connections)  # kept ones are looked at when a request starts
