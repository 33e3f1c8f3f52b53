"""Finds the words of a text in Python, as db/words/postgresql.py does in the database.

Case, accents and the width of letters are ignored (NFKD, lower case, no accents, ALIKE). Words are what stands
between separators. A run of Chinese or Japanese has no separators, so each two neighbouring characters of it are a
word, and so is its last character alone: a search for one or more characters then finds them anywhere in the run.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from todo_project.db.words.characters import (
    ACCENTS,
    ALIKE,
    SEPARATORS,
    TEXT_LENGTH_MAX,
    UNSPACED,
    WORD_LENGTH_MAX,
    character_class,
)

_UNSPACED = character_class(UNSPACED)
_SEPARATORS = character_class(SEPARATORS) + r"\0"
_RUN = re.compile(rf"[{_UNSPACED}]+|[^{_UNSPACED}{_SEPARATORS}]+")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
_ALIKE = str.maketrans(ALIKE)
_ACCENTS = re.compile(rf"[{character_class(ACCENTS)}]+")


class Word(NamedTuple):
    """A word of a folded text, and where it is."""

    text: str
    start: int
    end: int


def fold(text: str) -> str:
    """Return a text without the differences that search ignores."""
    if text.isascii():
        return text.lower()
    folded = _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).lower()
    return unicodedata.normalize("NFC", folded.translate(_ALIKE))


def is_unspaced(word: str) -> bool:
    """Return whether a word belongs to a script without spaces."""
    return _IS_UNSPACED.match(word) is not None


def words_in(folded: str) -> Iterator[Word]:
    """Find the words of a folded text, in their order."""
    has_spaces = _IS_UNSPACED.search(folded) is None
    for found in _RUN.finditer(folded[:TEXT_LENGTH_MAX]):
        start, end = found.span()
        if has_spaces or not is_unspaced(found[0]):
            yield Word(found[0][:WORD_LENGTH_MAX], start, end)
            continue
        for place in range(start, end):
            last = min(place + 2, end)
            yield Word(folded[place:last], place, last)


def words_of(text: str) -> set[str]:
    """Return the words of a text."""
    return {word.text for word in words_in(fold(text[:TEXT_LENGTH_MAX]))}


def words_of_query(text: str) -> list[str]:
    """Return the words that a text must have, each as the beginning of one of its own, for a query to match.

    The last character of a run is covered by the two before, unless it is alone.
    """
    words = list(words_in(fold(text)))
    follows = {word.end for word in words if len(word.text) > 1}
    needed = (word.text for word in words if not (_is_last(word) and word.end in follows))
    return list(dict.fromkeys(needed))


def _is_last(word: Word) -> bool:
    return len(word.text) == 1 and is_unspaced(word.text)


def fold_with_places(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return a folded text, and for each of its characters where the one that it comes from begins and ends."""
    folded = fold(text)
    if len(folded) == len(text) and (text.isascii() or all(map(_stays, text))):
        return folded, list(itertools.pairwise(range(len(text) + 1)))
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    for start, end in _clusters(text):
        pieces.append(_fold_character(text[start:end]) if end == start + 1 else fold(text[start:end]))
        places += [(start, end)] * len(pieces[-1])
    return "".join(pieces), places


_fold_character = functools.lru_cache(maxsize=10_000)(fold)


@functools.lru_cache(maxsize=10_000)
def _stays(character: str) -> bool:
    return len(fold(character)) == 1 and not _continues(character)


@functools.lru_cache(maxsize=10_000)
def _continues(character: str) -> bool:
    """Return whether a character, or what it is folded to, may combine with the one before, or is ignored."""
    first = unicodedata.normalize("NFKD", character)[0]  # of a half-width ﾞ, the mark that it stands for
    return unicodedata.combining(first) != 0 or "\u1160" <= first <= "\u11ff" or bool(_ACCENTS.match(first))


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Find where each character, with those that combine with it, begins and ends."""
    starts = [place for place, each in enumerate(text) if place == 0 or not _continues(each)]
    return itertools.pairwise([*starts, len(text)])
