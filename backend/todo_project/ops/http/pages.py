"""Pages for operators and developers: version, the doctor's test of the proxy, development's start page."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from todo_project.api.clients import address_of
from todo_project.api.problems import not_found
from todo_project.ops.health.self_test import HEADER, is_signed

if TYPE_CHECKING:
    from django.http import HttpRequest


@csrf_exempt  # a POST is a 405, not a CSRF failure
@require_safe
def version(request: HttpRequest) -> HttpResponse:
    """Return name, version, revision and environment."""
    return JsonResponse(
        {
            "name": "todo-backend",
            "version": settings.VERSION,
            "revision": settings.REVISION,
            "environment": settings.ENVIRONMENT,
        }
    )


@require_http_methods(["GET", "POST"])
def self_test(request: HttpRequest) -> HttpResponse:
    """Return how the doctor's request arrived, a write after its CSRF check; 404 to anyone else."""
    if not is_signed(request.headers.get(HEADER, "")):
        return not_found(request)
    forwarded = request.headers.get("X-Forwarded-For", "")
    response = JsonResponse(
        {
            "scheme": request.scheme,
            "host": request.get_host(),
            "address": address_of(request.META),
            "forwarded": [hop.strip() for hop in forwarded.split(",") if hop.strip()],
            "csrf_token": get_token(request),
        }
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@csrf_exempt
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Show what runs here and where to go on; 404 outside dev."""
    if settings.ENVIRONMENT != "dev":
        return not_found(request)
    return render(request, "ops/start.html", _facts(request))


def _facts(request: HttpRequest) -> dict[str, Any]:
    return {
        "base_url": request.build_absolute_uri("/").rstrip("/"),
        "python": _python(),
        "facts": [
            ("Environment", settings.ENVIRONMENT),
            ("Database", _database()),
            ("Hot reload", _reloader()),
            ("Release", f"{settings.VERSION}, {settings.REVISION[:12]}"),
            ("Django", django.get_version()),
            ("Python", platform.python_version()),
        ],
    }


def _python() -> str:
    """Return the start of a command, typed at the checkout's root, that runs this Python."""
    in_checkout = Path(sys.prefix).name == ".venv"
    return "cd backend && .venv/bin/python" if in_checkout else "docker compose exec backend python"


def _database() -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW server_version")
            return f"PostgreSQL {cursor.fetchone()[0].split()[0]}"
        cursor.execute("SELECT sqlite_version()")
        return f"SQLite {cursor.fetchone()[0]}"


def _reloader() -> str:
    # set by Django's autoreloader for the process it restarts, and by devserver.py
    return "on" if os.environ.get("RUN_MAIN") == "true" else "off"
