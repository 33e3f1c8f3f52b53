"""The middleware that every response passes; the order is in settings/base.py."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, Final

from django.conf import settings
from structlog.contextvars import bind_contextvars, unbind_contextvars

from todo_project.api.problems import problem_response
from todo_project.ops.observability import metrics, statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    GetResponse = Callable[[HttpRequest], HttpResponse]

SANE_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestId:
    """Gives every request an id: on `request.request_id`, in each log line, on the response."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request.META.get("HTTP_X_REQUEST_ID", "")
        if not SANE_REQUEST_ID.fullmatch(request_id):  # it could forge log lines
            request_id = os.urandom(16).hex()
        request.request_id = request_id  # type: ignore[attr-defined]  # ours to add
        bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            unbind_contextvars("request_id")
        response.headers["X-Request-ID"] = request_id
        return response


class ErrorsAsProblems:
    """Turns errors that come as HTML or text into problem+json: Django's own, and a view's bare 405."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code < 400 or response.streaming or _shows_technical_pages(request):
            return response
        if response.headers.get("Content-Type", "text/html").startswith(("text/html", "text/plain")):
            _replace_body(response, request)
        return response


def _replace_body(response: HttpResponse, request: HttpRequest) -> None:
    """Replace the body and its type and length; the other headers (Allow, Vary, CORS) stay."""
    problem = problem_response(request, status=response.status_code)
    response.content = problem.content
    response.headers["Content-Type"] = problem.headers["Content-Type"]
    response.headers["Content-Length"] = str(len(problem.content))


def _shows_technical_pages(request: HttpRequest) -> bool:
    """Return whether Django's technical pages are wanted: in a developer's browser, outside the API."""
    return (
        settings.DEBUG
        and not request.path_info.startswith("/api/")
        and "text/html" in request.META.get("HTTP_ACCEPT", "")
    )


class ResponseHeaders:
    """Sets the security headers that the view has not set; Django's SecurityMiddleware adds the rest.

    Cross-Origin-Resource-Policy does not concern CORS requests, so allowed origins still read the API.
    A 304 loses the Content-Length of its empty body, because the header stands for that of the 200 (RFC 9110, 8.6).
    """

    API: Final = "default-src 'none'; frame-ancestors 'none'"
    PAGES: Final = (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )
    PERMISSIONS: Final = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        headers = response.headers
        if response.status_code < 400 or not _shows_technical_pages(request):  # those have inline styles
            headers.setdefault("Content-Security-Policy", self._policy(request.path_info))
        headers.setdefault("Permissions-Policy", self.PERMISSIONS)
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        if response.status_code == 304:
            headers.pop("Content-Length", None)
        return response

    def _policy(self, path: str) -> str:
        return self.PAGES if path == "/" or path.startswith(("/admin/", "/api/docs/")) else self.API


class Metrics:
    """Counts and times the requests."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
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
