"""Strong entity tags and the conditional requests that use them (RFC 9110, section 13).

A resource's tag is `"<version>-<shape>"`: it changes with every write and when a release changes the shape.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from django.http import HttpRequest
from rest_framework.request import Request

# Proxies that compress add the coding to the tag, and some do not remove it again.
_TAG = re.compile(r'(?P<weak>W/)?"(?P<value>[^"]*?)(?:-(?:gzip|br|zstd))?"')


def shape_of(fields: Iterable[str]) -> str:
    """Return a short digest of the fields of an answer, so that a release that changes them has other tags."""
    return hashlib.sha256(",".join(fields).encode()).hexdigest()[:6]


def make(version: int, shape: str) -> str:
    """Return the tag of one version of a resource, quotes included."""
    return f'"{version}-{shape}"'


def of_bytes(body: bytes) -> str:
    """Return the tag of an answer without a version of its own, such as a list."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def is_conditional(request: HttpRequest | Request) -> bool:
    """Tell whether the client sent If-None-Match."""
    return '"' in request.META.get("HTTP_IF_NONE_MATCH", "")


def is_unchanged(request: HttpRequest | Request, tag: str) -> bool:
    """Tell whether If-None-Match names the tag; the comparison is weak (section 13.1.2)."""
    header = request.META.get("HTTP_IF_NONE_MATCH")
    if not header:
        return False
    return header in (tag, "*") or header.strip() == "*" or tag.strip('"') in _values(header)


def expected_versions(request: Request) -> frozenset[int] | None:
    """Return the versions that If-Match allows, or None when any will do.

    A weak tag (section 13.1.1) and one that this service did not issue match no version, so the write is refused.
    """
    header = request.META.get("HTTP_IF_MATCH")
    if header is None or header.strip() == "*":
        return None
    strong = (found["value"] for found in _TAG.finditer(header) if not found["weak"])
    versions = (value.split("-", 1)[0] for value in strong)
    return frozenset(
        int(version) for version in versions if version.isascii() and version.isdecimal() and len(version) < 12
    )


def _values(header: str) -> list[str]:
    return [found["value"] for found in _TAG.finditer(header)]
