"""The operators' pages: metrics, version, and the start page of development."""

from __future__ import annotations

import os
import platform
import secrets
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from todo_project.common.api.errors import not_found
from todo_project.common.clients import is_internal_and_direct

from . import metrics as measurements

if TYPE_CHECKING:
    from django.http import HttpRequest


@csrf_exempt  # or a POST would be told about CSRF instead of 405
@require_safe
def version(request: HttpRequest) -> HttpResponse:
    """Say what runs here."""
    return JsonResponse(
        {
            "name": "todo-backend",
            "version": settings.VERSION,
            "revision": settings.REVISION,
            "environment": settings.ENVIRONMENT,
        }
    )


@csrf_exempt
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Show Prometheus the numbers; to anybody else there is nothing here."""
    if not _may_read_metrics(request):
        return not_found(request)
    return HttpResponse(measurements.render(), content_type=measurements.CONTENT_TYPE)


def _may_read_metrics(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    if not token:
        return is_internal_and_direct(request.META)
    given = request.META.get("HTTP_AUTHORIZATION", "")
    return secrets.compare_digest(given.encode(), f"Bearer {token}".encode())


@csrf_exempt
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Show a developer what runs here and where to go on; outside dev there is nothing here."""
    if settings.ENVIRONMENT != "dev":
        return not_found(request)
    return render(request, "ops/start.html", _facts(request))


def _facts(request: HttpRequest) -> dict[str, Any]:
    return {
        "base_url": request.build_absolute_uri("/").rstrip("/"),
        "facts": [
            ("Environment", settings.ENVIRONMENT),
            ("Database", _database()),
            ("Hot reload", _reloader()),
            ("Release", f"{settings.VERSION}, {settings.REVISION[:12]}"),
            ("Django", django.get_version()),
            ("Python", platform.python_version()),
        ],
    }


def _database() -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW server_version")
            return f"PostgreSQL {cursor.fetchone()[0].split()[0]}"
        cursor.execute("SELECT sqlite_version()")
        return f"SQLite {cursor.fetchone()[0]}"


def _reloader() -> str:
    if os.environ.get("RUN_MAIN") != "true":  # set by Django's autoreloader for the process it restarts
        return "off"
    return "on, watchfiles" if "django_watchfiles" in settings.INSTALLED_APPS else "on, polling"
