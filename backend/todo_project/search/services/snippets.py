"""Cuts the part of a text that a query matches best, and says where its words are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from todo_project.db.words import texts
from todo_project.search.services.wanted import Wanted

LENGTH = 160
# how much of the text before the first match is shown
BEFORE = 40
# In so many characters of a page's results, matches are looked for. Of texts after these, the beginning is shown.
CHARACTERS_MAX = 100_000
Mark = tuple[int, int]
# where a match is, and the words of the query that it matches
_Match = tuple[int, int, list[str]]


class _Field:
    """A text, and where the words of the query are in it."""

    def __init__(self, name: str, text: str, wanted: Wanted, *, read: int) -> None:
        self.name = name
        self.text = text
        self._wanted = wanted
        self._folded, self._places = texts.fold_with_places(text[:read])
        # most fields of a result have no word of the query, so their words need not be found
        self.matches = [*self._as_they_are()] if any(word in self._folded for word in wanted.words) else []

    @property
    def _words(self) -> Iterator[texts.Word]:
        return texts.words_in(self._folded)

    def _as_they_are(self) -> Iterator[_Match]:
        """Find words of the query: all of them, and no more than a snippet shows."""
        missing, shown = {*self._wanted.words}, 0
        for word in self._words:
            place = self._places[word.start][0]
            if not missing and place >= shown:
                return
            if hits := self._wanted.begun_by(word.text):
                missing.difference_update(hits)
                shown = shown or place + LENGTH
                yield self._match(word, hits[-1], hits)

    def _match(self, word: texts.Word, marked: str, hits: list[str]) -> _Match:
        """Return the match of a word, of which as much is marked as the longest word that begins it has."""
        end = word.end if len(marked) == len(word.text) else word.start + len(marked)
        return self._places[word.start][0], self._places[end - 1][1], hits

    @property
    def found(self) -> set[str]:
        """The words of the query that are in the text."""
        return {hit for _, _, hits in self.matches for hit in hits}

    def add_mistyped(self, missing: set[str]) -> None:
        """Find words that may have been meant by those that are missing."""
        compare = self._wanted.mistyped_in_title if self.name == "title" else self._wanted.mistyped_elsewhere
        meant = ((word, missing.intersection(compare(word.text))) for word in self._words)
        self.matches += [self._match(word, word.text, [*hits]) for word, hits in meant if hits]
        self.matches.sort()


Fields = Sequence[tuple[str, str]]


def snippets(results: Sequence[Fields], wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Return a snippet for each result, which is pairs of names and texts of its fields."""
    left = CHARACTERS_MAX
    for fields in results:
        yield _snippet(fields, wanted, read=max(left, LENGTH))
        left -= sum(len(text) for _, text in fields)


def _snippet(fields: Fields, wanted: Wanted, *, read: int) -> dict[str, Any]:
    """Return the snippet of the field that has the most words of the query."""
    best = _best([_Field(name, text, wanted, read=read) for name, text in fields], {*wanted.words})
    text, marks = best.text, _joined(best.matches)
    start = _start(text, marks)
    end = min(len(text), start + LENGTH)
    inside = [[first - start, min(last, end) - start] for first, last in marks if first < end]
    return {"field": best.name, "text": text[start:end], "marks": inside}


def _best(fields: Sequence[_Field], words: set[str]) -> _Field:
    """Return the field with the most words, which are mistyped only if no field has them as they are."""
    if missing := words.difference(*(field.found for field in fields)):
        for field in fields:
            field.add_mistyped(missing)
    return max(fields, key=lambda field: len(field.found))


def _start(text: str, marks: Sequence[Mark]) -> int:
    """Return where a snippet begins: at a space before the first match, unless all of the text fits."""
    if len(text) <= LENGTH or not marks:
        return 0
    earliest = max(0, min(marks[0][0] - BEFORE, len(text) - LENGTH))
    space = text.find(" ", earliest, marks[0][0])
    return earliest if earliest == 0 or space < 0 else space + 1


def _joined(matches: Sequence[_Match]) -> list[Mark]:
    """Join matches that touch, such as the pairs of characters of a Chinese word."""
    joined: list[Mark] = []
    for start, end, _ in matches:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
