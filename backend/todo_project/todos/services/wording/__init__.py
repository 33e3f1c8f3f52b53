"""Recurrence rules in words: one module for each language, with a function `describe`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from todo_project.todos.services import recurrence
from todo_project.todos.services.occurrences import Rule
from todo_project.todos.services.wording import chinese, english

_LANGUAGES: Mapping[str, Callable[[Rule], str]] = {"en": english.describe, "zh": chinese.describe}
_AFTER_COMPLETION = {"en": "{}, counted from completion", "zh": "{}，从完成之日算起"}


def describe(rule: str, mode: str) -> dict[str, str]:
    """Return the description of a stored rule in each language, by its code (ISO 639-1)."""
    parsed = recurrence.parse(rule)
    template = _AFTER_COMPLETION if mode == recurrence.COMPLETION else dict.fromkeys(_LANGUAGES, "{}")
    return {code: template[code].format(words(parsed)) for code, words in _LANGUAGES.items()}
