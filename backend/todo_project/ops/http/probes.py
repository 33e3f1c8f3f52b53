"""Health checks and the metrics page, answered before Django looks at the request.

Orchestrators and Prometheus ask each container by its own address, over plain HTTP.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from todo_project.api.clients import is_internal_and_direct
from todo_project.api.problems import not_found
from todo_project.ops.health.readiness import Readiness
from todo_project.ops.observability import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest


class Probes:
    """Answers three paths whatever the Host header, the scheme and the session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._readiness = Readiness()
        self._views = {
            "/health/live": require_safe(live),
            "/health/ready": require_safe(self._ready),
            "/metrics": require_safe(show_metrics),
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = self._views.get(request.path_info)
        if view is None:
            return self.get_response(request)
        response: HttpResponse = view(request)
        response.headers["Content-Length"] = str(len(response.content))
        response.headers["Cache-Control"] = "no-store"
        return response

    def _ready(self, _request: HttpRequest) -> HttpResponse:
        checks, details = self._readiness.report()
        is_ready = all(checks.values())
        body = {
            "status": "ok" if is_ready else "unavailable",
            "checks": {name: "ok" if passed else "failed" for name, passed in checks.items()},
            "details": details,
        }
        return JsonResponse(body, status=200 if is_ready else 503)


def live(_request: HttpRequest) -> HttpResponse:
    """Answer that this process serves requests."""
    return JsonResponse({"status": "ok"})


def show_metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics to clients that may read them, and 404 to others."""
    if not _may_read_metrics(request):
        return not_found(request)
    return HttpResponse(metrics.render(), content_type=metrics.CONTENT_TYPE)


def _may_read_metrics(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    if not token:
        return is_internal_and_direct(request.META)
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return scheme.lower() == "bearer" and secrets.compare_digest(given.encode(), token.encode())
