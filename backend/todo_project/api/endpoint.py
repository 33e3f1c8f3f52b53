"""The base of every API view: strict input, JSON responses without a renderer, conditional requests."""

from __future__ import annotations

import contextlib
import functools
import uuid
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from todo_project.api import etag
from todo_project.api.negotiation import JSONNegotiation
from todo_project.api.operations import Operation, operation_of
from todo_project.api.parsers import MergePatchParser, StrictJSONParser
from todo_project.api.serializers import StrictSerializer, query_values, shared_serializer
from todo_project.db.changes import actor
from todo_project.db.owned import Read
from todo_project.errors import DomainError

JSON = "application/json"
NO_CONTENT = 204
METHOD_NOT_ALLOWED = 405

_encoder = msgspec.json.Encoder()
# the stored values of a row by field, and its version
Current = tuple[Mapping[str, Any], int]


def answer(
    value: Any, *, status: int = 200, tag: str | None = None, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Return a JSON response. Times are in UTC with a Z; ids and dates are strings."""
    response = HttpResponse(_encoder.encode(value), status=status, content_type=JSON, headers=headers or {})
    if tag is not None:
        response["ETag"] = tag
    return response


def no_content() -> HttpResponse:
    """Return an empty 204 response."""
    response = HttpResponse(status=NO_CONTENT)
    del response["Content-Type"]
    return response


def answer_if_changed(request: Request, value: Any, *, tag: str | None = None) -> HttpResponse:
    """Return a JSON response with an ETag, or 304 if If-None-Match names that tag.

    Without `tag`, the tag is a digest of the body.
    """
    if tag is not None and etag.is_unchanged(request, tag):
        return not_modified(tag)
    body = _encoder.encode(value)
    tag = tag or etag.of_bytes(body)
    if etag.is_unchanged(request, tag):
        return not_modified(tag)
    return HttpResponse(body, content_type=JSON, headers={"ETag": tag})


def not_modified(tag: str) -> HttpResponse:
    """Return a 304 response."""
    response = HttpResponse(status=304, headers={"ETag": tag})
    del response["Content-Type"]
    return response


class LengthRequired(exceptions.APIException):
    """The request has a chunked body without a Content-Length."""

    status_code = 411
    default_code = "length_required"
    default_detail = "Send the body with a Content-Length."


class Endpoint(APIView):
    """The base class of API views. PATCH also accepts `application/merge-patch+json`."""

    content_negotiation_class = JSONNegotiation
    # the scope that a token needs, see HasScope
    scope: str | Mapping[str, str] | None = None
    # what a GET reads (listing.Resource): one row if the path has an id, else a page
    resource: Any = None
    # the RateLimit headers, see AccountThrottle
    rate_limit: Mapping[str, str] | None = None
    # no OPTIONS: the CORS middleware answers preflight requests
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    @property
    def owner_id(self) -> uuid.UUID:
        """The id of the caller."""
        return cast(uuid.UUID, self.request.user.pk)

    @property
    def plain_request(self) -> HttpRequest:
        """Django's own request, which its session and CSRF functions need."""
        plain: HttpRequest = self.request._request  # noqa: SLF001 - DRF has no public name for it
        return plain

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Return no headers; finalize_response adds `Allow` to 405 only."""
        return {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Forget the caller after the request, so that no later write is attributed to them."""
        with actor.acting(None):
            return super().dispatch(request, *args, **kwargs)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Return DRF's request with two of Django's attributes, which it would otherwise look up a dozen times."""
        wrapped = super().initialize_request(request, *args, **kwargs)
        wrapped.META, wrapped.method = request.META, request.method
        return wrapped

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, check the scope and the rate limit, and refuse unknown query parameters."""
        try:
            super().initial(request, *args, **kwargs)
        except exceptions.PermissionDenied:
            self.check_throttles(request)  # a refused request counts too
            raise
        if request.user and request.user.is_authenticated:
            actor.begin(actor.Actor(request.user.pk, getattr(request.auth, "id", None)))
        if request.META.get("QUERY_STRING"):
            self._check_query(request)

    @functools.cached_property
    def operation(self) -> Operation | None:
        """The description of the requested operation; HEAD is described as GET."""
        return operation_of(self, str(self.request.method).replace("HEAD", "GET"))

    def _check_query(self, request: Request) -> None:
        """Refuse query parameters if the operation takes none; otherwise `query` validates them."""
        if self.operation is not None and self.operation.query is None:
            unknown = serializers.ErrorDetail(
                "This operation takes no query parameters. Remove this parameter.", "unknown_field"
            )
            raise serializers.ValidationError(dict.fromkeys(request.query_params or ("",), unknown))

    def get_parsers(self) -> list[Any]:
        """Return the JSON parser, and for PATCH the merge patch parser too."""
        method = getattr(getattr(self, "request", None), "method", None)
        if self.parser_classes != [StrictJSONParser]:
            return super().get_parsers()
        return [StrictJSONParser(), MergePatchParser()] if method == "PATCH" else [StrictJSONParser()]

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add headers, which keep the response out of shared caches: it belongs to one account."""
        if response.status_code == METHOD_NOT_ALLOWED:
            response.headers["Allow"] = ", ".join(self.allowed_methods)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        patch_vary_headers(response, ("Authorization", "Cookie"))
        for name, value in (self.rate_limit or {}).items():
            response.headers[name] = value
        return response

    @functools.cached_property
    def read(self) -> Any:
        """The read of a GET: one row if the path has an id, else a page. None for other views and methods."""
        if self.resource is None or self.request.method not in {"GET", "HEAD"}:
            return None
        if self.kwargs:
            (row_id,) = self.kwargs.values()
            query = self.query() if self.operation is not None and self.operation.query is not None else {}
            return self.resource.one(row_id, is_held=etag.is_conditional(self.request), query=query)
        return self.resource.read(self.query())

    def read_before_authentication(self) -> Read | None:
        """Return the read if one statement can also look up the caller's token, else None."""
        # an invalid query is reported after authentication, not to strangers
        with contextlib.suppress(serializers.ValidationError, DomainError):
            read: Read | None = self.read
            return read if read is not None and read.can_look_up else None
        return None

    def answer_read(self) -> HttpResponse:
        """Return the response to a GET."""
        answered: HttpResponse = self.read.answer(self.request, self.owner_id)
        return answered

    def body(
        self,
        kind: type[StrictSerializer],
        *,
        partial: bool = False,
        current: Callable[[], Current | None] | None = None,
    ) -> Any:
        """Validate the request's body and return its values; all errors are raised together.

        `current` returns the row that the request changes. With it, the body may contain values that only the
        service sets, if they are unchanged.
        """
        meta = self.request.META
        if "HTTP_TRANSFER_ENCODING" in meta and not meta.get("CONTENT_LENGTH"):
            raise LengthRequired  # WSGI cannot read such a body; it would look like an empty one
        serializer = shared_serializer(kind, partial=partial)
        data: Any = self.request.data
        if current is not None and (sent_back := serializer.sent_back(data)):
            unchanged = self._unchanged(serializer, sent_back, current())
            data = {name: value for name, value in data.items() if name not in unchanged}
        return serializer.run_validation(data)

    def _unchanged(self, serializer: StrictSerializer, given: Mapping[str, Any], row: Current | None) -> set[str]:
        """Return the fields that can be ignored, most of them because they equal the stored values."""
        expected = etag.expected_versions(self.request)
        if row is None and self.request.method == "PUT":  # creates the row, so the client can know only its id
            (row_id,) = self.kwargs.values()
            return {name for name, value in given.items() if not value or (name, value) == ("id", str(row_id))}
        if row is None or (expected is not None and row[1] not in expected):
            return {*given}  # the service will refuse the request with 404 or 412
        same = {name for name, value in given.items() if serializer.is_same(name, value, row[0][name])}
        is_older = "updated_at" in same and serializer.is_older(given["updated_at"], row[0]["updated_at"])
        return same | ({*serializer.changed_by_others} & {*given} if is_older else set())

    def query(self) -> Any:
        """Validate the query string and return its values; unknown and repeated parameters are errors."""
        kind: Any = getattr(self.operation, "query", None)
        return {**query_values(kind, self.request.META.get("QUERY_STRING", ""))}
