"""Content negotiation: every response is JSON, or 406 if the client does not accept it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

_AT_ONCE = frozenset({"", "*/*", "application/json"})
_JSON = frozenset({"*/*", "*", "application/*", "application/json", "application/problem+json"})


class JSONNegotiation(DefaultContentNegotiation):
    """Selects the only renderer, or raises NotAcceptable."""

    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """Return the JSON renderer if the Accept header allows it (RFC 9110, section 12.5.1)."""
        accepted = request.META.get("HTTP_ACCEPT", "")
        if accepted not in _AT_ONCE and not any(_allows(part) for part in accepted.split(",")):
            raise NotAcceptable("Only JSON is available. Accept `application/json`.")
        return next(iter(renderers)), "application/json"


def _allows(part: str) -> bool:
    media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
    if media_type not in _JSON:
        return False
    quality = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
    return quality.strip("0.") != ""
