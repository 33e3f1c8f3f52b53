"""The service's own middleware, outermost first: RequestId, Health, Metrics, Problems, SecurityHeaders, Scrapes.

They run on every request, so each does one small thing.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from structlog.contextvars import bind_contextvars, unbind_contextvars

from todo_project.ops.health.readiness import Readiness
from todo_project.ops.http import views
from todo_project.ops.http.errors import as_problem
from todo_project.ops.observability import metrics, statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    GetResponse = Callable[[HttpRequest], HttpResponse]

SANE_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestId:
    """Gives every request an id: on `request.request_id`, in each log line, on the response."""

    def __init__(self, get_response: GetResponse) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Keep a sane id that came with the request; anything else could forge log lines."""
        request_id = request.META.get("HTTP_X_REQUEST_ID", "")
        if not SANE_REQUEST_ID.fullmatch(request_id):
            request_id = os.urandom(16).hex()
        request.request_id = request_id  # type: ignore[attr-defined]  # ours to add
        bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            unbind_contextvars("request_id")
        response.headers["X-Request-ID"] = request_id
        return response


class Health:
    """Answers /health/* before anything looks at the Host header, the scheme, sessions or the URL conf."""

    def __init__(self, get_response: GetResponse) -> None:
        """Keep the rest of the chain and what readiness has learnt."""
        self.get_response = get_response
        self.readiness = Readiness()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the two health paths, pass on the others."""
        if not request.path_info.startswith("/health/"):
            return self.get_response(request)
        if request.path_info not in ("/health/live", "/health/ready"):
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            response = as_problem(HttpResponse(status=405), request=request)
            response.headers["Allow"] = "GET, HEAD"
        elif request.path_info == "/health/live":
            response = JsonResponse({"status": "ok"})
        else:
            response = self._ready()
        response.headers["Content-Length"] = str(len(response.content))
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def _ready(self) -> HttpResponse:
        checks, details = self.readiness.report()
        ready = all(checks.values())
        body = {
            "status": "ok" if ready else "unavailable",
            "checks": {name: "ok" if passed else "failed" for name, passed in checks.items()},
            "details": details,
        }
        return JsonResponse(body, status=200 if ready else 503)


class Metrics:
    """Counts and times every answer that reaches the application."""

    def __init__(self, get_response: GetResponse) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Measure the rest of the chain; a scrape is no load."""
        if request.path_info == "/metrics":
            return self.get_response(request)
        start = time.perf_counter()
        statements.begin(request)
        metrics.IN_FLIGHT.inc()
        try:
            response = self.get_response(request)
        finally:
            metrics.IN_FLIGHT.dec()
            statements.end()
        metrics.observe(request, response, seconds=time.perf_counter() - start)
        return response


class Problems:
    """Makes problem+json of errors that come as HTML or text: Django's own, and any view's bare 405."""

    def __init__(self, get_response: GetResponse) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Replace the body of an error; its headers (Allow, Vary, CORS) stay."""
        response = self.get_response(request)
        if response.status_code < 400 or response.streaming or _is_for_a_developer(request):
            return response
        if response.headers.get("Content-Type", "text/html").startswith(("text/html", "text/plain")):
            return as_problem(response, request=request)
        return response


def _is_for_a_developer(request: HttpRequest) -> bool:
    """Django's technical pages are for a browser on a developer's machine, outside the API."""
    return (
        settings.DEBUG
        and not request.path_info.startswith("/api/")
        and "text/html" in request.META.get("HTTP_ACCEPT", "")
    )


class SecurityHeaders:
    """Content-Security-Policy and the like on every answer; Django's SecurityMiddleware adds the rest.

    Cross-Origin-Resource-Policy keeps answers out of other sites' pages; scripts of CORS_ALLOWED_ORIGINS read them
    all the same, because it does not concern CORS requests.

    It stands outside Django's, which refuses foreign hosts.
    """

    NOTHING: Final = "default-src 'none'; frame-ancestors 'none'"
    OWN_PAGES: Final = (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )
    PERMISSIONS: Final = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"
    PAGES: Final = ("/admin/", "/api/docs/")

    def __init__(self, get_response: GetResponse) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add what the view has not set itself."""
        response = self.get_response(request)
        if response.status_code < 400 or not _is_for_a_developer(request):  # Django's pages have inline styles
            response.headers.setdefault("Content-Security-Policy", self._policy(request.path_info))
        response.headers.setdefault("Permissions-Policy", self.PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        return response

    def _policy(self, path: str) -> str:
        return self.OWN_PAGES if path == "/" or path.startswith(self.PAGES) else self.NOTHING


class Scrapes:
    """Answers /metrics before anything looks at the Host header or the scheme.

    Prometheus asks each container by its own name or address, in plain HTTP, inside the network.
    """

    def __init__(self, get_response: GetResponse) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer that one path, pass on the others."""
        return views.metrics(request) if request.path_info == "/metrics" else self.get_response(request)
