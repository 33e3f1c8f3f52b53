"""Hides secrets, and the values of rows in PostgreSQL's errors, in what is about to be logged or reported.

Names decide for structured values, patterns for text. It errs on the side of hiding too much.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

HIDDEN = "[hidden]"
MAX_DEPTH = 10  # a frame of a stack trace in Sentry's event is seven deep

SECRET_NAME = re.compile(
    r"passw|passphrase|secret|authorization|cookie|credential|csrf|session_?(id|key)"
    r"|(^|[_-])(tokens?|api_?key|dsn)$|^(database|email)_url$",
    re.IGNORECASE,
)

_QUOTED_OR_WORD = r"""("[^"\r\n]*"|'[^'\r\n]*'|[^\s"'&;,})\]]+)"""
_NAMED = ("passw", "secret", "sessionid", "csrf", "_token")
# (one of these words must be there, what then is searched for, what stands for it)
# Each pattern is linear in hostile text: nothing unbounded stands before a fixed word or overlaps its neighbour.
_PATTERNS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    # our own API tokens, wherever they turn up
    (("todo_",), re.compile(r"todo_[A-Za-z0-9_-]{20,}"), f"todo_{HIDDEN}"),
    # whole headers, up to the end of the line
    (
        ("cookie", "authorization"),
        re.compile(r"(?i)\b((?:set-)?cookie|(?:proxy-)?authorization)(['\"]?\s*[:=]\s*)[^\r\n]+"),
        rf"\1\2{HIDDEN}",
    ),
    (
        ("bearer", "basic"),
        re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}"),
        rf"\1 {HIDDEN}",
    ),
    # scheme://user:password@host
    (("://",), re.compile(r"(://[^/\s:@]*:)[^\s/]+@"), rf"\1{HIDDEN}@"),
    # scheme://host/path?query: people's searches, and whatever others put there (Django's log quotes referrers)
    (("://",), re.compile(r"(://[^\s?'\"]{1,500}[?])[^\s'\")]+"), rf"\1{HIDDEN}"),
    # password=…, "password": "…", SECRET_KEY='…'
    (
        _NAMED,
        re.compile(
            r"(?i)((?:password|passwd|secret|sessionid|csrftoken|csrfmiddlewaretoken|_token)"
            r"[A-Za-z0-9_-]{0,20}['\"]?\s{0,5}[:=]\s{0,5})" + _QUOTED_OR_WORD
        ),
        rf"\1{HIDDEN}",
    ),
    # What PostgreSQL adds to an error, such as `DETAIL:  Key (email)=(alice@example.org) already exists.`, and
    # `invalid input syntax for type uuid: "…"`. A value may have several lines, so everything goes, up to the next
    # error of a traceback.
    (
        ("detail:", "context:", "line 1:", "invalid input ", "out of range:"),
        re.compile(
            r"(?s)(\b(?:DETAIL|CONTEXT|LINE 1)|invalid input (?:syntax|value) for [^:\n]{1,100}|out of range): "
            r".*?(?=\n\n(?:The above exception|During handling)|\Z)"
        ),
        rf"\1: {HIDDEN}",
    ),
    (
        ("out of range",),
        re.compile(r"\bvalue \"[^\n]{0,1000}?\" is out of range"),
        f"value {HIDDEN} is out of range",
    ),
)


def scrub_text(text: str) -> str:
    """Return the text with every recognisable secret replaced."""
    lowered = text.lower()  # most text has none of the words, which is found out ten times faster
    for words, pattern, replacement in _PATTERNS:
        if any(word in lowered for word in words):
            text = pattern.sub(replacement, text)
    return text


def scrub(value: Any, *, text: Callable[[str], str] = scrub_text, depth: int = 0) -> Any:
    """Return the value with secrets hidden: by name in mappings, by `text` in text, in depth."""
    if isinstance(value, str):
        return text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth > MAX_DEPTH:
        return HIDDEN
    if isinstance(value, dict):
        return {
            key: HIDDEN if _names_a_secret(key, item) else scrub(item, text=text, depth=depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set):
        return [scrub(item, text=text, depth=depth + 1) for item in value]
    return text(str(value))


def _names_a_secret(key: object, item: object) -> bool:
    return bool(item) and not isinstance(item, bool) and SECRET_NAME.search(str(key)) is not None
