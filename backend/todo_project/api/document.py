"""Serves the OpenAPI document and the page that shows it. gunicorn builds the document before it forks its workers.

The generator is imported by the functions that need it: it takes 4 MB, and what it builds another 2.
"""

from __future__ import annotations

import gzip
import multiprocessing
import threading
from dataclasses import dataclass

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from todo_project.api import etag

_MAX_AGE = 300


@dataclass(frozen=True)
class EncodedDocument:
    """The encoded document, and the entity tag of its uncompressed form."""

    plain: bytes
    compressed: bytes
    tag: str

    @property
    def compressed_tag(self) -> str:
        """The entity tag of the compressed form."""
        return f'{self.tag[:-1]}-gzip"'


_lock = threading.Lock()
_built: list[EncodedDocument] = []  # none or one


def document(*, in_child: bool = False) -> EncodedDocument:
    """Return the document; the first call builds it, while other threads wait.

    With `in_child`, a child process builds it, so that this process does not keep the generator's memory.
    """
    with _lock:
        if not _built:
            _built.append(_build_in_child() if in_child else _build())
        return _built[0]


def _build_in_child() -> EncodedDocument:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(_build()))
    child.start()
    sender.close()  # or a child that fails would leave the pipe open, and recv would wait for ever
    built: EncodedDocument = receiver.recv()
    child.join()
    return built


def _build() -> EncodedDocument:
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415 - see above

    built = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call] # not ours
    body = msgspec.json.encode(built, enc_hook=str)
    return EncodedDocument(plain=body, compressed=gzip.compress(body, mtime=0), tag=etag.of_bytes(body))


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


@csrf_exempt  # as every view of REST framework: a POST is a 405
def docs(request: HttpRequest) -> HttpResponse:
    """Show the document with Swagger UI."""
    from drf_spectacular.views import SpectacularSwaggerSplitView  # noqa: PLC0415 - see above

    view = SpectacularSwaggerSplitView.as_view(authentication_classes=[], permission_classes=[], url_name="schema")
    response: HttpResponse = view(request)
    return response


def _accepts_gzip(accepted: str) -> bool:
    for coding in accepted.lower().split(","):
        name, _, quality = coding.partition(";")
        if name.strip() in {"gzip", "*"}:
            return quality.replace(" ", "").removeprefix("q=").strip("0.") != "" or not quality
    return False
