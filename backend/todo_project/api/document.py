"""Serves the OpenAPI document. A process builds it once; gunicorn does before it forks its workers."""

from __future__ import annotations

import functools
import gzip
import threading
from dataclasses import dataclass

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from todo_project.api import etag

_MAX_AGE = 300


@dataclass(frozen=True)
class Document:
    """The encoded document, and the entity tag of its uncompressed form."""

    plain: bytes
    compressed: bytes
    tag: str

    @property
    def compressed_tag(self) -> str:
        """The entity tag of the compressed form."""
        return f'{self.tag[:-1]}-gzip"'


_lock = threading.Lock()


def document() -> Document:
    """Return the document; the first call builds it, while other threads wait."""
    with _lock:
        return _build()


@functools.cache
def _build() -> Document:
    # imported here because only this function needs it
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415 - see above

    built = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call] # not ours
    body = msgspec.json.encode(built, enc_hook=str)
    return Document(plain=body, compressed=gzip.compress(body, mtime=0), tag=etag.of_bytes(body))


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """Return the document, compressed if the client accepts gzip, or 304 if the client has the current one."""
    current = document()
    is_compressed = _accepts_gzip(request.META.get("HTTP_ACCEPT_ENCODING", ""))
    if etag.is_unchanged(request, current.tag):
        response = HttpResponse(status=304)
        del response["Content-Type"]
    else:
        body = current.compressed if is_compressed else current.plain
        response = HttpResponse(body, content_type="application/json")
        if is_compressed:
            response["Content-Encoding"] = "gzip"
    response["ETag"] = current.compressed_tag if is_compressed else current.tag
    response["Cache-Control"] = f"public, max-age={_MAX_AGE}"
    patch_vary_headers(response, ("Accept-Encoding",))
    return response


def _accepts_gzip(accepted: str) -> bool:
    for coding in accepted.lower().split(","):
        name, _, quality = coding.partition(";")
        if name.strip() in {"gzip", "*"}:
            return quality.replace(" ", "").removeprefix("q=").strip("0.") != "" or not quality
    return False
