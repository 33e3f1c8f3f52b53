"""Headers of answers."""

from __future__ import annotations

import functools

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers


def vary_on(response: HttpResponseBase, *names: str) -> None:
    """Add names to `Vary`, as patch_vary_headers does, which splits and compares what is there each time."""
    response.headers["Vary"] = _joined(response.headers.get("Vary"), names)


@functools.lru_cache(maxsize=64)
def _joined(given: str | None, names: tuple[str, ...]) -> str:
    response = HttpResponse(headers={} if given is None else {"Vary": given})
    patch_vary_headers(response, names)
    return response.headers["Vary"]
