"""Turns every error into a problem detail (RFC 9457); holds the table from domain error to status."""

from __future__ import annotations

import http
import logging
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.request import Request

from todo_project import errors

logger = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"

# Code, title and default detail of each status. http.HTTPStatus has other phrases in other Python releases.
STATUS_NAMES: dict[int, tuple[str, str, str]] = {
    400: ("bad_request", "Bad Request", "The request is malformed. Check it against the API's documentation."),
    401: ("unauthenticated", "Unauthorized", "Log in, or send a valid token as `Authorization: Bearer …`."),
    403: ("forbidden", "Forbidden", "You may not do this. Use an account or a token with the permission."),
    404: ("not_found", "Not Found", errors.NOT_FOUND),
    405: ("method_not_allowed", "Method Not Allowed", "Use one of the methods that the header `Allow` lists."),
    406: ("not_acceptable", "Not Acceptable", "Only JSON is available. Accept `application/json`."),
    409: ("conflict", "Conflict", "The current state does not allow this. Read the resource again, then decide."),
    410: ("gone", "Gone", "This is no longer available. Remove your copy of it."),
    411: ("length_required", "Length Required", "Send the body with a Content-Length."),
    412: ("precondition_failed", "Precondition Failed", errors.STALE),
    413: ("content_too_large", "Content Too Large", "The request body is too large. Send less at a time."),
    415: (
        "unsupported_media_type",
        "Unsupported Media Type",
        "Send the body as one of the documented media types.",
    ),
    416: ("requested_range_not_satisfiable", "Range Not Satisfiable", "Request a range within the file."),
    422: (
        "unprocessable",
        "Unprocessable Content",
        "This Idempotency-Key was used for a different request. Use a new key.",
    ),
    429: (
        "too_many_requests",
        "Too Many Requests",
        "Wait for the number of seconds in `Retry-After`, then try again.",
    ),
    500: ("internal_error", "Internal Server Error", "An unexpected error. Report it and quote the `request_id`."),
    503: ("unavailable", "Service Unavailable", "Temporarily unavailable. Try again in a few seconds."),
}

# The first match wins, so a subclass stands before its base.
_STATUS: tuple[tuple[type[errors.DomainError], int], ...] = (
    (errors.NotFound, 404),
    (errors.Gone, 410),
    (errors.StaleVersion, 412),
    (errors.Conflict, 409),
    (errors.Unauthenticated, 401),
    (errors.Forbidden, 403),
    (errors.Unprocessable, 422),
    (errors.LimitReached, 429),
    (errors.InvalidInput, 400),
)

_OF_DJANGO: tuple[tuple[type[Exception], int], ...] = (
    (RequestDataTooBig, 413),
    (SuspiciousOperation, 400),
    (UnreadablePostError, 400),  # the client went away, or sent less than its Content-Length
    (Http404, 404),
    (PermissionDenied, 403),
)
_OUTAGE = (OperationalError, InterfaceError)
_RETRY_SECONDS = 2


def problem_response(
    request: HttpRequest | Request,
    *,
    status: int,
    code: str = "",
    detail: str = "",
    input_errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Return the problem detail for a failed request.

    `code` is what clients compare, in snake case; it defaults to the code of the status.
    """
    status_code, title, status_detail = STATUS_NAMES.get(status) or _rare(status)
    body: dict[str, Any] = {
        "type": f"urn:todo:problem:{code or status_code}",
        "title": title,
        "status": status,
        "detail": detail or status_detail,
        "instance": request.path,
        "request_id": getattr(request, "request_id", ""),
    }
    if input_errors is not None:
        body["errors"] = input_errors
    return HttpResponse(
        msgspec.json.encode(_encodable(body)), status=status, content_type=PROBLEM_JSON, headers=headers or {}
    )


def _rare(status: int) -> tuple[str, str, str]:
    title = http.HTTPStatus(status).phrase if status in set(http.HTTPStatus) else "Error"
    return title.lower().replace(" ", "_").replace("-", "_"), title, title


def handle_exception(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """Turn an exception of a view into a problem (REST_FRAMEWORK['EXCEPTION_HANDLER'])."""
    request: Request = context["request"]
    if isinstance(error, errors.DomainError):
        return _domain_problem(request, error)
    if isinstance(error, exceptions.APIException):
        return _framework_problem(request, error)
    for kind, status in _OF_DJANGO:
        if isinstance(error, kind):
            return problem_response(request, status=status)
    # Sentry's receiver needs Django's own request
    got_request_exception.send(sender=type(context.get("view")), request=request._request)  # noqa: SLF001 - see above
    logger.error("unhandled_exception", exc_info=error)
    return _failure(request, error)


def _failure(request: HttpRequest | Request, error: BaseException | None) -> HttpResponse:
    if isinstance(error, _OUTAGE):
        return problem_response(request, status=503, headers={"Retry-After": str(_RETRY_SECONDS)})
    return problem_response(request, status=500)


def _domain_problem(request: Request, error: errors.DomainError) -> HttpResponse:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 409)
    headers: dict[str, str] = {}
    input_errors = None
    if isinstance(error, errors.LimitReached):
        headers |= limit_headers(error)
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if isinstance(error, errors.InvalidInput):
        input_errors = [
            {"pointer": each.pointer, "code": each.input_code, "detail": each.detail}
            for each in (error, *error.others)
        ]
    return problem_response(
        request,
        status=status,
        code=error.code,
        detail=error.detail,
        input_errors=input_errors,
        headers=headers,
    )


def limit_headers(error: errors.LimitReached) -> dict[str, str]:
    """Return the headers of a 429 (RFC 9110, draft-ietf-httpapi-ratelimit-headers)."""
    seconds = str(error.retry_after)
    return {"Retry-After": seconds, "RateLimit": f'"{error.code}";r=0;t={seconds}'}


def _framework_problem(request: Request, error: exceptions.APIException) -> HttpResponse:
    headers: dict[str, str] = {}
    if authenticate := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = authenticate
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    if isinstance(error, exceptions.ValidationError):
        return problem_response(
            request,
            status=error.status_code,
            code="invalid_input",
            detail="Some values are not valid. `errors` lists each of them.",
            input_errors=list(_flat(error.detail, "")),
            headers=headers,
        )
    codes = error.get_codes()
    return problem_response(
        request,
        status=error.status_code,
        code=codes if isinstance(codes, str) and codes != error.default_code else "",
        detail=_detail(request, error),
        headers=headers,
    )


def _detail(request: Request, error: exceptions.APIException) -> str:
    """Return what the client should do, where DRF only says what is wrong."""
    if isinstance(error, exceptions.NotAuthenticated | exceptions.MethodNotAllowed):
        return STATUS_NAMES[error.status_code][2]
    if type(error) is exceptions.UnsupportedMediaType:  # those of parsers.py are of a subclass and say it
        return f"Send the body as {' or '.join(parser.media_type for parser in request.parsers or ())}."
    return str(error.detail)


def _flat(detail: Any, pointer: str) -> Iterator[dict[str, str]]:
    """Flatten DRF's nested details into errors with JSON pointers (RFC 6901)."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            step = "" if key == "non_field_errors" else "/" + str(key).replace("~", "~0").replace("/", "~1")
            yield from _flat(inner, pointer + step)
    elif isinstance(detail, list) and any(isinstance(inner, dict | list) for inner in detail):
        for position, inner in enumerate(detail):
            if inner:
                yield from _flat(inner, f"{pointer}/{position}")
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, pointer)
    else:
        yield {"pointer": pointer, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}


def _encodable(value: Any) -> Any:
    """Replace lone surrogates, which a message that quotes the request may contain."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_encodable(inner) for inner in value]
    return value


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Return the problem for a request that Django refuses, such as one for an unknown host (handler400)."""
    if isinstance(exception, RequestDataTooBig):
        return problem_response(request, status=413)
    return problem_response(request, status=400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Return the problem for a forbidden request outside the API (handler403)."""
    return problem_response(request, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Return the problem for an unknown path (handler404)."""
    return problem_response(request, status=404, detail="This path does not exist. Check the URL.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Return the problem for an unhandled exception (handler500): 503 if the database is unreachable, else 500."""
    # Django calls this while it handles the exception
    return _failure(request, sys.exception())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return the problem for a write without a valid CSRF token, with Django's reason (CSRF_FAILURE_VIEW)."""
    return problem_response(request, status=403, code="csrf_failed", detail=reason)
