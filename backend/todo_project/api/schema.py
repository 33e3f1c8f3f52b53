"""Builds the OpenAPI document: drf-spectacular maps the serializers, `Operation` provides the rest."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import msgspec
from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from todo_project.api import components
from todo_project.api.operations import Operation, operation_of

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_EXAMPLE_ID = "019aaf3e-0000-7000-8000-000000000001"


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # its base registers so
    """Bearer tokens."""

    target_class = "todo_project.api.auth.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "todo_…",
            "description": "A token from POST /auth/login or POST /tokens.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # as above
    """The session cookie."""

    target_class = "todo_project.api.auth.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "The session cookie of a browser. Writes also need the header X-CSRFToken.",
        }


class StrictShape(OpenApiSerializerExtension):  # type: ignore[no-untyped-call] # as above
    """Maps strict serializers: requests have no unknown fields, responses have every field not marked optional.

    Responses have no maximum lengths. These limit what a client may send; a position may have been computed, and a
    text may be from before its limit was lowered.
    """

    target_class = "todo_project.api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the schema for a request or for a response."""
        mapped: dict[str, Any] = auto_schema._map_serializer(  # noqa: SLF001 - the library's own extensions do
            self.target, direction, bypass_extensions=True
        )
        if direction == "request":
            return {**mapped, "additionalProperties": False}
        properties = mapped["properties"]
        for field in properties.values():
            field.pop("maxLength", None)
            field.pop("maxItems", None)
        for name in self.target.never_null_in_answers:
            properties[name]["type"] = next(kind for kind in properties[name]["type"] if kind != "null")
        for name, added in self.target.added_in_answers.items():
            properties[name] = auto_schema.resolve_serializer(added, direction).ref
        return {**mapped, "required": sorted({*properties} - self._optional)}

    @property
    def _optional(self) -> set[str]:
        return {*self.target.optional_in_answers, *self.target.added_in_answers}


class OperationSchema(AutoSchema):
    """Describes one operation (REST_FRAMEWORK['DEFAULT_SCHEMA_CLASS'])."""

    @property
    def operation(self) -> Operation:
        """The description of the view's method."""
        found = operation_of(self.view, self.method)
        if found is None:
            raise LookupError(f"{type(self.view).__name__}.{self.method.lower()} lacks @operation(…)")
        return found

    def get_operation(self, *args: Any) -> dict[str, Any] | None:
        """Return the operation with its examples, headers and errors."""
        described: dict[str, Any] | None = super().get_operation(*args)
        if described is not None:
            described.setdefault("parameters", []).extend(self._shared_parameters())
            self._add_examples(described)
            self._add_responses(described["responses"])
        return described

    def get_operation_id(self) -> str:
        """Return the operation's id, a verb and a noun."""
        return self.operation.id

    def get_summary(self) -> str:
        """Return the first line of the method's docstring."""
        return self._words()[0].removesuffix(".")

    def get_description(self) -> str:  # type: ignore[override] # as drf-spectacular's own
        """Return the rest of the method's docstring."""
        return self._words()[1]

    def _words(self) -> tuple[str, str]:
        first, _, rest = (inspect.getdoc(getattr(self.view, self.method.lower())) or "").partition("\n")
        return first, rest.strip()

    def get_override_parameters(self) -> list[Any]:
        """Return the query parameters."""
        return [self.operation.query] if self.operation.query else []

    def get_request_serializer(self) -> Any:
        """Return the serializer of the body."""
        body, media_type = self.operation.body, self.operation.media_type
        return {media_type: body} if media_type else body

    def get_response_serializers(self) -> Any:
        """Return the serializers of the successful responses."""
        return dict(self.operation.responses)

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        """Return the class name without the suffixes that clients need not see."""
        name = type(serializer).__name__.removesuffix("Serializer")
        return name.removesuffix("In").removesuffix("Out").removesuffix("Patch")

    def _shared_parameters(self) -> Iterator[dict[str, str]]:
        if self.method == "GET" and self.operation.has_etag:
            yield components.ref("parameters", "If-None-Match")
        if self.operation.if_match:
            yield components.ref("parameters", "If-Match")
        if self.method == "PUT":
            yield components.ref("parameters", "If-None-Match-Any")
        if self._is_idempotent:
            yield components.ref("parameters", "Idempotency-Key")

    @property
    def _is_idempotent(self) -> bool:
        return hasattr(getattr(self.view, self.method.lower()), "is_idempotent")

    @property
    def _is_open(self) -> bool:
        return not self.view.authentication_classes

    @property
    def _rate_headers(self) -> tuple[str, ...]:
        return () if self._is_open else ("RateLimit", "RateLimit-Policy")

    def _add_examples(self, described: dict[str, Any]) -> None:
        for parameter in described["parameters"]:
            if parameter.get("in") == "path":
                parameter["example"] = _EXAMPLE_ID
            if parameter.get("name") in getattr(self.operation.query, "deprecated", ()):
                parameter["deprecated"] = True
            if parameter.get("name") in getattr(self.operation.query, "comma_separated", ()):
                parameter |= {"style": "form", "explode": False}
        for media in described.get("requestBody", {}).get("content", {}).values():
            body: Any = self.operation.body
            patched = "Patched" if self.method == "PATCH" else ""
            name = f"{patched}{self.get_serializer_name(body(), 'request')}Request"
            media["examples"] = self._example(name, body.request_example)
        serializer: Any
        for status, serializer in self.operation.responses.items():
            if serializer is not None:
                (media,) = described["responses"][str(status)]["content"].values()
                media["examples"] = self._example(
                    self.get_serializer_name(serializer(), "response"), serializer.example
                )

    def _example(self, name: str, value: Any) -> dict[str, Any]:
        component = ResolvedComponent(  # type: ignore[no-untyped-call] # the library has no types here
            name, ResolvedComponent.EXAMPLE, {"value": value}, object=name
        )
        self.registry.register_on_missing(component)
        return {"example": component.ref}

    def _add_responses(self, responses: dict[str, Any]) -> None:
        for status in self.operation.responses:
            responses[str(status)]["headers"] = components.headers(*self._headers_of(status))
            responses[str(status)]["description"] = _MEANINGS[status]
        if self.method == "GET" and self.operation.has_etag:
            responses["304"] = components.ref("responses", "NotModified")
        for status in sorted({*self._implied_errors(), *self.operation.errors}):
            reason = self.operation.errors.get(status)
            shared = components.ref("responses", components.ERRORS[status][0])
            responses[str(status)] = components.problem(status, reason) if reason else shared

    def _headers_of(self, status: int) -> Iterator[str]:
        has_etag = self.operation.has_etag and status not in self.operation.without_etag
        if self.operation.responses[status] is not None and has_etag:
            yield "ETag"
        if status == 202 or (status == 201 and self.operation.has_etag):
            yield "Location"
        if self._is_idempotent:
            yield from ("Idempotency-Replayed", "X-Original-Request-ID")
        yield from self._rate_headers

    def _implied_errors(self) -> Iterator[int]:
        yield from (400, 406, 500, 503)
        if not self._is_open:
            yield from (401, 403, 429)
        if "{" in self.path:
            yield 404
        if self.method in _WITH_BODY:
            yield from (411, 413, 415)
        if self.operation.if_match:
            yield 412
        if self._is_idempotent:
            yield 422


_MEANINGS = {
    200: "Done.",
    201: "Created.",
    202: "Accepted. The work continues in the background.",
    204: "Done. The response has no body.",
}


def complete_document(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add what is not part of a single operation (a drf-spectacular hook)."""
    parts = result["components"]
    for kind, shared in components.shared().items():
        parts[kind] = {**parts.get(kind, {}), **shared}
    schemas = parts["schemas"]
    for name, schema in schemas.items():
        if name.endswith("Request"):
            response = schemas.get(name.removeprefix("Patched").removesuffix("Request"), {})
            _add_read_only(schema, response.get("properties", {}))
            _describe_defaults(schema)
    result["servers"] = [{"url": settings.SITE_URL}]
    return result


def _add_read_only(schema: dict[str, Any], response: dict[str, Any]) -> None:
    """Add the read-only fields, which a request may contain unchanged; COMPONENT_SPLIT_REQUEST removed them."""
    for name, field in response.items():
        if field.get("readOnly"):
            schema["properties"].setdefault(name, field)


def _describe_defaults(schema: dict[str, Any]) -> None:
    """Move defaults of request fields to the description: openapi-typescript would make those fields required."""
    for field in schema["properties"].values():
        if "default" in field:
            default = msgspec.json.encode(field.pop("default")).decode()
            field["description"] = f"{field.get('description', '')} Default: `{default}`.".strip()
