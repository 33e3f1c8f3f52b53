"""The words of a query, compared with those of a text.

What a comparison costs does not depend on how many words a query has: the beginnings of a word are looked up.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from todo_project.db.words import texts, typing_errors


class Wanted:
    """The words that a text must have, each as the beginning of one of its own."""

    def __init__(self, text: str) -> None:
        self.words: Sequence[str] = texts.words_of_query(text)
        self._known = frozenset(self.words)
        self._lengths = sorted({len(word) for word in self.words})

    def begun_by(self, word: str) -> list[str]:
        """Return the wanted words with which a word of a text begins, the shortest first."""
        beginnings = (word[:length] for length in self._lengths if length <= len(word))
        return [each for each in beginnings if each in self._known]

    def mistyped_in_title(self, word: str) -> list[str]:
        """Return the wanted words that may be typing errors of this one."""
        return [typed for typed in self._mistyped if typing_errors.is_error_of(typed, word)]

    def mistyped_elsewhere(self, word: str) -> list[str]:
        """Return the wanted words of which this is one of the variants that are looked up in all texts."""
        return [
            typed
            for typed, (swapped, others) in self._mistyped.items()
            if word in others or word[: len(typed)] in swapped
        ]

    @functools.cached_property
    def _mistyped(self) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
        """The variants of the words that may be mistyped, unless the query has too many words."""
        return {
            word: (frozenset(typing_errors.swapped(word)), frozenset(typing_errors.otherwise_mistyped(word)))
            for word in self.words
            if self.may_be_mistyped and typing_errors.may_be_mistyped(word)
        }

    @property
    def may_be_mistyped(self) -> bool:
        """Return whether typing errors are considered."""
        return len(self.words) <= typing_errors.WORDS_MAX and any(map(typing_errors.may_be_mistyped, self.words))
