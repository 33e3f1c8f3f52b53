"""The parts that operations of the OpenAPI document share: problems, headers, parameters."""

from __future__ import annotations

from typing import Any

from todo_project.api.problems import PROBLEM_JSON, STATUS_NAMES

_EXAMPLE_TAG = '"3-1f0c9a"'
_EXAMPLE_REQUEST_ID = "5f0f9c1e7a3b4d2c8e6f1a2b3c4d5e6f"

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A problem detail (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "`urn:todo:problem:<code>`. Compare this in code."},
        "title": {"type": "string", "description": "The name of the status."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong and what to do, for people."},
        "instance": {"type": "string", "description": "The path of the request."},
        "request_id": {"type": "string", "description": "Quote this when you report the problem."},
        "errors": {
            "type": "array",
            "description": "For invalid input: every value that was refused.",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer (RFC 6901) to the value."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_INVALID: dict[str, Any] = {
    "type": "urn:todo:problem:invalid_input",
    "detail": "Some values are not valid. `errors` lists each of them.",
    "errors": [
        {
            "pointer": "/titel",
            "code": "unknown_field",
            "detail": "This field is unknown. Check its spelling, or leave it out.",
        }
    ],
}

_TEXT = {"type": "string"}
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {"description": "Identifies this request in the logs.", "schema": _TEXT},
    "ETag": {
        "description": "The version of what was returned, for If-Match and If-None-Match.",
        "schema": _TEXT,
        "example": _EXAMPLE_TAG,
    },
    "Location": {
        "description": "The path of the new resource.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "RateLimit": {
        "description": "The number of requests left (`r`) in this window, and the seconds until it ends (`t`).",
        "schema": _TEXT,
        "example": '"requests";r=1987;t=42',
    },
    "RateLimit-Policy": {
        "description": "The number of requests (`q`) that are allowed in a window of `w` seconds.",
        "schema": _TEXT,
        "example": '"requests";q=2000;w=60',
    },
    "Idempotency-Replayed": {
        "description": "`true` on the stored response to an earlier request with the same Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "X-Original-Request-ID": {
        "description": "On a replayed response, the X-Request-ID of the earlier request, which undo takes.",
        "schema": _TEXT,
    },
    "Retry-After": {
        "description": "Seconds to wait before trying again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "How to authenticate.", "schema": _TEXT, "example": 'Bearer realm="api"'},
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag that you have. If it is still current, the response is 304 without a body.",
        "schema": _TEXT,
    },
    "If-None-Match-Any": {
        "name": "If-None-Match",
        "in": "header",
        "description": "`*` means create only. If the resource exists, the response is 412.",
        "schema": _TEXT,
        "example": "*",
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag that you read. If the resource has changed since then, the response is 412.",
        "schema": _TEXT,
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Identifies this request. A repeated request with the same key gets the stored response.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    },
}
ERRORS: dict[int, tuple[str, str]] = {
    400: ("BadRequest", "A value, a field or a query parameter is not valid. `errors` names it."),
    401: ("Unauthenticated", "The token or session is missing, unknown or expired."),
    403: ("Forbidden", "The token lacks the scope, or the CSRF token is missing."),
    404: ("NotFound", "The resource does not exist, or you have no access to it."),
    406: ("NotAcceptable", "The Accept header excludes JSON."),
    409: ("Conflict", "The current state does not allow this."),
    410: ("Gone", "What the request names is no longer available."),
    411: ("LengthRequired", "The body has no Content-Length."),
    412: ("PreconditionFailed", "The resource has changed since you read it."),
    413: (
        "ContentTooLarge",
        "The body is too large. If the proxy refuses it, the `type` is `request_too_large`.",
    ),
    415: ("UnsupportedMediaType", "The Content-Type or Content-Encoding of the body is not supported."),
    422: ("IdempotencyKeyReused", "The Idempotency-Key was used for another request."),
    429: ("TooManyRequests", "Too many requests. Wait for the number of seconds in `Retry-After`."),
    500: ("InternalError", "An unexpected error. Report the `request_id`."),
    503: (
        "Unavailable",
        "Temporarily unavailable. See `Retry-After`. If the proxy says so, the `type` is `service_unavailable`.",
    ),
}
_ERROR_HEADERS = {401: ("WWW-Authenticate",), 429: ("Retry-After", "RateLimit"), 503: ("Retry-After",)}


def ref(kind: str, name: str) -> dict[str, str]:
    """Return the reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def headers(*names: str) -> dict[str, Any]:
    """Return the headers of a response, X-Request-ID among them."""
    return {name: ref("headers", name) for name in ("X-Request-ID", *names)}


def problem(status: int, description: str) -> dict[str, Any]:
    """Return the response for an error status."""
    return {
        "description": description,
        "headers": headers(*_ERROR_HEADERS.get(status, ())),
        "content": {PROBLEM_JSON: {"schema": ref("schemas", "Problem"), "example": _example(status)}},
    }


def _example(status: int) -> dict[str, Any]:
    code, title, detail = STATUS_NAMES[status]
    example = {
        "type": f"urn:todo:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": "/api/v1/tasks",
        "request_id": _EXAMPLE_REQUEST_ID,
    }
    return example | _INVALID if status == 400 else example


def shared() -> dict[str, dict[str, Any]]:
    """Return the components that are the same for all operations."""
    return {
        "schemas": {"Problem": PROBLEM},
        "headers": HEADERS,
        "parameters": PARAMETERS,
        "responses": {
            "NotModified": {
                "description": "The version that you have is still current.",
                "headers": headers("ETag", "RateLimit", "RateLimit-Policy"),
            },
            **{name: problem(status, description) for status, (name, description) in ERRORS.items()},
        },
    }
