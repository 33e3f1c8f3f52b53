"""Parsers of request bodies: strict JSON."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import IO, Any

import msgspec
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser


class EncodingError(UnsupportedMediaType):
    """The body has the right media type in another charset or coding; the detail says which to send."""


class StrictJSONParser(BaseParser):
    """Parses UTF-8 JSON (RFC 8259); refuses NaN, lone surrogates and nesting that exhausts the stack.

    A byte order mark is skipped. If an object repeats a name, the last value counts.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the value; raise ParseError with the position of the error."""
        _check_charset(media_type or "")
        _check_coding(parser_context["request"].META if parser_context else {})
        # not the stream: only request.body enforces DATA_UPLOAD_MAX_MEMORY_SIZE
        body: bytes = parser_context["request"].body if parser_context else stream.read()
        try:
            return msgspec.json.decode(body.removeprefix(codecs.BOM_UTF8))
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply. Send a flatter structure.") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            # msgspec says this of a lone surrogate too
            why = str(error).replace("Input data was truncated", "it is incomplete, or has a lone surrogate")
            raise ParseError(f"The body is not valid JSON: {why}.") from error


def _check_charset(media_type: str) -> None:
    if ";" not in media_type:
        return
    charset = parse_header_parameters(media_type)[1].get("charset", "utf-8")
    if charset.lower() not in {"utf-8", "utf8"}:
        raise EncodingError(media_type, detail="Send JSON in UTF-8.")


def _check_coding(environ: Mapping[str, str]) -> None:
    coding = environ.get("HTTP_CONTENT_ENCODING", "identity")
    if coding.strip().lower() != "identity":
        raise EncodingError(coding, detail=f"Send the body without Content-Encoding {coding[:40]!r}.")


class MergePatchParser(StrictJSONParser):
    """Parses the body of a JSON merge patch (RFC 7396)."""

    media_type = "application/merge-patch+json"
