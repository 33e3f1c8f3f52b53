"""What the OpenAPI document says of every operation: its errors, its headers."""

from __future__ import annotations

from typing import Any

from todo_project.common.api.errors import PROBLEM_JSON

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A problem detail (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "`urn:todo:problem:<code>`; compare this one."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string", "description": "The X-Request-ID to quote when asking for help."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer (RFC 6901) of the value."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
# What any operation may answer, whatever it does; views document the rest.
_EVERYWHERE = {
    "400": "A value or the body cannot be used.",
    "401": "The caller did not prove who they are.",
    "403": "The caller may not.",
    "404": "There is no such thing, or it is not the caller's.",
    "405": "The method does not exist here.",
    "406": "Only JSON is served.",
    "409": "The state does not allow it.",
    "412": "The thing has changed since it was read.",
    "413": "The body is too large.",
    "415": "The body is not of a type that is read here.",
    "422": "The Idempotency-Key came with another request before.",
    "429": "Too many requests; `Retry-After` says when to go on.",
    "500": "A defect; quote the request_id.",
    "503": "Not available at the moment.",
}


def describe_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the problem detail to every operation (a drf-spectacular post-processing hook)."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result.get("paths", {}).values():
        for operation in path.values():
            for status, description in _EVERYWHERE.items():
                operation["responses"].setdefault(status, {"description": description, "content": content})
    return result
