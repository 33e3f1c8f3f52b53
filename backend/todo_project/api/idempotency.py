"""`Idempotency-Key`: a repeated POST runs once and gets the same response.

The key's row is inserted in the transaction of the write itself. A second request with the same key waits for the
first one there; if the first fails, its key is rolled back with it.
https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from todo_project.api.models import IdempotencyRecord
from todo_project.db.changes import actor
from todo_project.errors import InvalidInput, Unprocessable

MAX_KEY_LENGTH = 255
_KEPT_HEADERS = ("Content-Type", "ETag", "Location")

View = Callable[..., HttpResponse]


class IdempotencyKeyReused(Unprocessable):
    """The key was used for another request."""


def idempotent(*, redacted: str | None = None) -> Callable[[View], View]:
    """Make a POST method honour Idempotency-Key; `redacted` names a response field that is never stored."""

    def decorate(post: View) -> View:
        @functools.wraps(post)
        def wrapped(view: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            key = request.META.get("HTTP_IDEMPOTENCY_KEY")
            if key is None:
                return post(view, request, *args, **kwargs)
            _check(key)
            owner_id: Any = request.user.pk
            with transaction.atomic():
                record, is_new = IdempotencyRecord.objects.get_or_create(
                    owner_id=owner_id,
                    key=key,
                    defaults={"fingerprint": _fingerprint(request), "created_at": timezone.now()},
                )
                if not is_new:
                    return _replay(record, request)
                response = post(view, request, *args, **kwargs)
                _keep(record, response, redacted)
                return response

        wrapped.is_idempotent = True  # type: ignore[attr-defined] # for the OpenAPI document
        return wrapped

    return decorate


def _check(key: str) -> None:
    if not 1 <= len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        raise InvalidInput(
            f"Send an Idempotency-Key of 1 to {MAX_KEY_LENGTH} printable characters.", pointer="/Idempotency-Key"
        )


def _fingerprint(request: Request) -> str:
    parts = [request.method or "", request.get_full_path()]
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "replace"))
    for name in sorted(request.FILES):
        for upload in request.FILES.getlist(name):
            digest.update(name.encode())
            for chunk in upload.chunks():
                digest.update(chunk)
            upload.seek(0)
    data = (
        {name: value for name, value in request.data.items() if name not in request.FILES}
        if isinstance(request.data, dict)
        else request.data
    )
    digest.update(json.dumps(data, sort_keys=True, default=str).encode())
    return digest.hexdigest()


def _replay(record: IdempotencyRecord, request: Request) -> HttpResponse:
    if record.fingerprint != _fingerprint(request):
        raise IdempotencyKeyReused(
            "This Idempotency-Key was used for another request. Use a new key for a new request."
        )
    response = HttpResponse(bytes(record.body), status=record.status, headers=record.headers)
    response["Idempotency-Replayed"] = "true"
    return response


def _keep(record: IdempotencyRecord, response: HttpResponse, redacted: str | None) -> None:
    body = response.content
    if redacted:
        body = msgspec.json.encode({**msgspec.json.decode(body), redacted: None})
    record.status = response.status_code
    record.headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    # the request id in the log of changes, which undo takes
    record.headers["X-Original-Request-ID"] = actor.request_id()
    record.body = body
    record.save(update_fields=["status", "headers", "body"])
