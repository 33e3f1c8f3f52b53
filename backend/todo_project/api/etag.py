"""Strong entity tags and the conditional requests that use them (RFC 9110, section 13).

A resource's tag is `"<version>-<digest of its field names>"`. It changes with every write, and with a release that
changes the fields.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from django.http import HttpRequest
from rest_framework.request import Request

# Some proxies append the content coding to the tag and do not remove it from requests.
_TAG = re.compile(r'(?P<weak>W/)?"(?P<value>[^"]*?)(?:-(?:gzip|br|zstd))?"')
# what `make` returns, perhaps with the value of one column (listing.Resource.tag) or a digest (of_expanded)
_OURS = re.compile(r"(?P<version>[0-9]{1,11})-[0-9a-f]{6}(?:-\w+)?", re.ASCII)


def digest_of_fields(fields: Iterable[str]) -> str:
    """Return a short digest of a response's field names, so that tags change when a release changes the fields."""
    return hashlib.sha256(",".join(fields).encode()).hexdigest()[:6]


def make(version: int, fields_digest: str) -> str:
    """Return the tag of one version of a resource, including the quotes."""
    return f'"{version}-{fields_digest}"'


def of_bytes(body: bytes) -> str:
    """Return the tag of a response that has no version, such as a list."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def of_expanded(tag: str, value: Any) -> str:
    """Return the tag of a resource whose response has more than the resource: `value`."""
    digest = hashlib.blake2b(msgspec.json.encode(value), digest_size=6).hexdigest()
    return f'{tag[:-1]}-{digest}"'


def is_conditional(request: HttpRequest | Request) -> bool:
    """Return whether the client sent an entity tag in If-None-Match."""
    return '"' in request.META.get("HTTP_IF_NONE_MATCH", "")


def is_unchanged(request: HttpRequest | Request, tag: str) -> bool:
    """Return whether If-None-Match names the tag; the comparison is weak (section 13.1.2)."""
    header = request.META.get("HTTP_IF_NONE_MATCH")
    if not header:
        return False
    return header in (tag, "*") or header.strip() == "*" or tag.strip('"') in _values(header)


def expected_versions(request: Request) -> frozenset[int] | None:
    """Return the versions that If-Match allows, or None if any version is allowed.

    Weak tags (section 13.1.1) and tags that this service did not issue match no version, so the write is refused.
    """
    header = request.META.get("HTTP_IF_MATCH")
    if header is None or header.strip() == "*":
        return None
    strong = (_OURS.fullmatch(found["value"]) for found in _TAG.finditer(header) if not found["weak"])
    return frozenset(int(found["version"]) for found in strong if found is not None)


def _values(header: str) -> list[str]:
    return [found["value"] for found in _TAG.finditer(header)]


def put_precondition(request: Request) -> Literal["exists", "absent"] | None:
    """Return what a PUT requires: `If-None-Match: *` that the row is absent, `If-Match` that it exists."""
    if request.META.get("HTTP_IF_NONE_MATCH", "").strip() == "*":
        return "absent"
    return "exists" if "HTTP_IF_MATCH" in request.META else None
