"""Reads request bodies: strict JSON, and nothing that would fail later."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import IO, Any

import msgspec
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser


class StrictJSONParser(BaseParser):
    """Will read UTF-8 JSON (RFC 8259) without NaN, lone surrogates or depth that exhausts the stack.

    A byte order mark is passed over; of a name that an object has twice the last value counts.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Give the value; what cannot be read is a ParseError that says where."""
        _check_charset(media_type or "")
        _check_coding(parser_context["request"].META if parser_context else {})
        # the request's own body and not the stream: only the former is held to DATA_UPLOAD_MAX_MEMORY_SIZE
        body: bytes = parser_context["request"].body if parser_context else stream.read()
        try:
            return msgspec.json.decode(body.removeprefix(codecs.BOM_UTF8))
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ParseError(f"The body is not JSON: {error}.") from error


def _check_charset(media_type: str) -> None:
    if ";" not in media_type:
        return
    charset = parse_header_parameters(media_type)[1].get("charset", "utf-8")
    if charset.lower() not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType(media_type, detail="JSON is read in UTF-8 only.")


def _check_coding(environ: Mapping[str, str]) -> None:
    coding = environ.get("HTTP_CONTENT_ENCODING", "identity")
    if coding.strip().lower() != "identity":
        raise UnsupportedMediaType(coding, detail=f"Send the body as it is, not as {coding[:40]!r}.")


class MergePatchParser(StrictJSONParser):
    """Will read the body of a JSON merge patch (RFC 7396)."""

    media_type = "application/merge-patch+json"
