"""Descriptions of the API's operations, which the OpenAPI document and Endpoint read."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rest_framework import serializers

_Handler = TypeVar("_Handler", bound=Callable[..., Any])
SerializerClass = type[serializers.Serializer[Any]] | None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of a view. Its summary and description are the method's docstring.

    `responses` maps each successful status to the serializer of its body. `errors` maps the error statuses that are
    specific to the operation to a reason; schema.py adds 401, 404, 429 and the like.
    """

    id: str
    responses: Mapping[int, SerializerClass]
    query: SerializerClass = None
    body: SerializerClass = None
    media_type: str | None = None
    if_match: bool = False
    has_etag: bool = True
    # successful statuses whose responses have no entity tag, although the others have one
    without_etag: Collection[int] = ()
    errors: Mapping[int, str] = field(default_factory=dict)


def operation(
    operation_id: str, responses: SerializerClass | Mapping[int, SerializerClass] = None, **details: Any
) -> Callable[[_Handler], _Handler]:
    """Describe a view's method. A single serializer means status 200; none means an empty 204."""
    if not isinstance(responses, Mapping):
        responses = {200: responses} if responses else {204: None}
    described = Operation(id=operation_id, responses=responses, **details)

    def decorate(handler: _Handler) -> _Handler:
        handler.operation = described  # type: ignore[attr-defined] # read by operation_of
        return handler

    return decorate


def operation_of(view: Any, method: str) -> Operation | None:
    """Return the description of the view's method, or None if it has none."""
    found: Operation | None = getattr(getattr(view, method.lower(), None), "operation", None)
    return found


@functools.cache
def page_of(row: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """Return the serializer for one page of a list of these rows, always the same class for the same rows."""
    fields = {"results": row(many=True), "next_cursor": serializers.CharField(allow_null=True), "__doc__": _PAGE}
    page = type(row.__name__.removesuffix("Serializer") + "Page", (serializers.Serializer,), fields)
    page.example = {"results": [row.example], "next_cursor": None}  # type: ignore[attr-defined] # as on every shape
    return page


_PAGE = "One page of a list. Pass `next_cursor` as `cursor` to get the next page; it is null on the last."
