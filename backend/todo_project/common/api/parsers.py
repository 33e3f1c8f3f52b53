"""Reads request bodies: strict JSON, and nothing that would fail later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import msgspec
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


class StrictJSONParser(BaseParser):
    """Will read UTF-8 JSON (RFC 8259) without NaN, lone surrogates or depth that exhausts the stack."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Give the value; what cannot be read is a ParseError that says where."""
        try:
            return msgspec.json.decode(stream.read())
        except RequestDataTooBig:
            raise
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ParseError(f"The body is not JSON: {error}.") from error


class MergePatchParser(StrictJSONParser):
    """Will read the body of a JSON merge patch (RFC 7396)."""

    media_type = "application/merge-patch+json"
