"""The same functions on SQLite, and what stands in for PostgreSQL's operators."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

from todo_project.db.words import texts, typing_errors


def add_functions(connection: Any) -> None:
    """Register the functions that triggers and queries call on a new connection."""
    for name, count, function in (
        # the operator, which ignores the case of ASCII letters only
        ("like", 3, _like),
        ("search_fold", 1, texts.fold),
        ("search_words", 1, _words),
        ("search_matches", 2, _matches),
        ("search_resembles", 2, lambda title, word: typing_errors.resembles(word, title)),
    ):
        connection.connection.create_function(name, count, function, deterministic=True)


def _like(pattern: Any, text: Any, escape: str) -> bool | None:
    if pattern is None or text is None:
        return None
    return _wildcards(str(pattern).lower(), escape).fullmatch(str(text).lower()) is not None


@functools.lru_cache
def _wildcards(pattern: str, escape: str) -> re.Pattern[str]:
    parts = re.findall(f"{re.escape(escape)}.|.", pattern, re.DOTALL)
    return re.compile("".join({"%": ".*", "_": "."}.get(each, re.escape(each[-1])) for each in parts), re.DOTALL)


def _words(text: str) -> str:
    return f" {' '.join(sorted(texts.words_of(text)))} "


def _matches(words: str, query: str) -> bool:
    """Return whether the words include, for each list of the query, one of its words or a word it begins."""
    return all(
        any((f" {word}" if is_prefix else f" {word} ") in words for word, is_prefix in alternatives)
        for alternatives in json.loads(query)
    )
