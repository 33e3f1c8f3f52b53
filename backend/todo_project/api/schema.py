"""What the OpenAPI document says of every operation: its errors, its headers, who may call it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.utils import OpenApiParameter

from todo_project.api.problems import PROBLEM_JSON

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
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="Names this request: a repetition with the same key is done once and answered the same way.",
)
_ETAG = {
    "ETag": {"description": "Names this version; for If-Match and If-None-Match.", "schema": {"type": "string"}}
}
_IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "description": "Tags of what the client holds; one that is still true gives 304.",
    "schema": {"type": "string"},
}
_IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "description": "The tag of what the client read; one that is no longer true gives 412.",
    "schema": {"type": "string"},
}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # its base registers so
    """Bearer tokens."""

    target_class = "todo_project.api.auth.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Name the scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "todo_…"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # as above
    """The session cookie."""

    target_class = "todo_project.api.auth.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Name the cookie; writes need X-CSRFToken beside it."""
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class StrictShape(OpenApiSerializerExtension):  # type: ignore[no-untyped-call] # as above
    """Shapes that refuse what they do not know."""

    target_class = "todo_project.api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Say so."""
        mapped: dict[str, Any] = auto_schema._map_serializer(  # noqa: SLF001 - the library's own extensions do
            self.target, direction, bypass_extensions=True
        )
        return {**mapped, "additionalProperties": False}


def describe_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add problem details and conditional requests to every operation (a drf-spectacular hook)."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for name, schema in schemas.items():
        if name.endswith("Request"):  # COMPONENT_SPLIT_REQUEST names so what comes in, which is strict
            schema["additionalProperties"] = False
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result.get("paths", {}).values():
        for method, operation in path.items():
            _describe_conditions(method, operation)
            for status, description in _EVERYWHERE.items():
                operation["responses"].setdefault(status, {"description": description, "content": content})
    return result


def _describe_conditions(method: str, operation: dict[str, Any]) -> None:
    if not operation.get("security") or method not in {"get", "put", "patch", "delete"}:
        return
    condition = _IF_NONE_MATCH if method == "get" else _IF_MATCH
    operation.setdefault("parameters", []).append(condition)
    if method == "get":
        operation["responses"]["304"] = {"description": "What the client holds is still true.", "headers": _ETAG}
    for status in {"200", "201"} & set(operation["responses"]):
        operation["responses"][status].setdefault("headers", {}).update(_ETAG)
