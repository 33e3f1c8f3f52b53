"""Decides whether a word may be a misspelling of another one."""

from __future__ import annotations

import functools

from todo_project.db.words.texts import is_unspaced, words_in

# Shorter words have too many neighbours. Comparing longer ones, or more of them, would take too long.
LENGTH_MIN, LENGTH_MAX = 4, 20
WORDS_MAX = 4
_TWO_ERRORS_FROM = 8
# Of pg_trgm's word_similarity. What it does not reach with one error, the functions below do.
SIMILARITY_MIN = 0.4
# of words up to this length, whose trigrams another letter in their middle leaves too different
_SHORT = 5
_MIDDLE = (1, 2)
_ALPHABETS = ("abcdefghijklmnopqrstuvwxyz", "абвгдежзийклмнопрстуфхцчшщъыьэюя", "αβγδεζηθικλμνξοπρστυφχψω")


def may_be_mistyped(word: str) -> bool:
    """Return whether a word of a query is compared with similar words."""
    return LENGTH_MIN <= len(word) <= LENGTH_MAX and not is_unspaced(word)


def swapped(word: str) -> list[str]:
    """Return the beginnings of words that were meant, if two neighbouring letters are swapped."""
    if not may_be_mistyped(word):
        return []
    made = {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)}
    return sorted(made - {word})


def otherwise_mistyped(word: str) -> list[str]:
    """Return the words that were meant, if a letter is too many, or in a short word another one in the middle."""
    if not may_be_mistyped(word):
        return []
    made = {word[:at] + word[at + 1 :] for at in range(len(word))} if len(word) > LENGTH_MIN else set()
    if len(word) <= _SHORT:
        made |= {word[:at] + letter + word[at + 1 :] for at in _MIDDLE for letter in _letters_beside(word[at])}
    return sorted(made - {word})


def _letters_beside(letter: str) -> str:
    return next((alphabet for alphabet in _ALPHABETS if letter in alphabet), "")


def resembles(word: str, folded: str) -> bool:
    """Return whether a folded text has a word that this may be a misspelling of."""
    return any(is_error_of(word, each.text) for each in words_in(folded))


@functools.lru_cache(maxsize=50_000)
def is_error_of(typed: str, word: str) -> bool:
    """Return whether one error, or two in a long word, turn a word or its beginning into the typed one.

    An error is a letter too many, too few, another one, or two neighbours swapped.
    """
    most = 2 if len(typed) >= _TWO_ERRORS_FROM else 1
    if typed == word or not may_be_mistyped(typed) or len(word) < len(typed) - most or is_unspaced(word):
        return False
    return _errors(typed, word[: len(typed) + most], most) <= most


def _errors(typed: str, word: str, most: int) -> int:
    """Return the smallest number of errors between the typed word and a beginning of the other one.

    Only what can lead to at most so many is computed, so that a comparison takes time in proportion to the word.
    """
    too_many = most + 1
    before = [too_many] * (len(word) + 1)
    row = list(range(len(word) + 1))
    for at, letter in enumerate(typed):
        earlier, before, row = before, row, [too_many] * (len(word) + 1)
        row[0] = at + 1
        for to in range(max(0, at - most), min(len(word), at + most + 1)):
            cost = min(before[to] + (letter != word[to]), before[to + 1] + 1, row[to] + 1)
            if at and to and letter == word[to - 1] and typed[at - 1] == word[to]:
                cost = min(cost, earlier[to - 1] + 1)
            row[to + 1] = cost
        if min(row) > most and min(before) >= most:
            return too_many
    return min(row)
