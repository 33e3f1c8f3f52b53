"""The rank of a result: a number of points, the same for everybody and explained in docs/api.md.

Each word of the query gets points for where it is, and two more if it stands there whole. The rank is the average
of the words, and half a point more for an open task. Results of the same rank are sorted by id, the newest first.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from todo_project.db.words import texts
from todo_project.search.services.wanted import Wanted

KINDS = ("task", "comment")
TITLE = 10.0
# by kind: in the description or in the comment
ELSEWHERE = {"task": 7.0, "comment": 4.0}
MISTYPED = {"task": 2.0, "comment": 1.0}
WHOLE, OPEN = 2.0, 0.5


@dataclass(frozen=True, slots=True)
class Result:
    """What was found, and how well it matches."""

    kind: str
    id: uuid.UUID
    rank: float

    @property
    def key(self) -> tuple[int, uuid.UUID, int]:
        """The sort key, of which the greatest is the best. Ranks have two decimals."""
        return round(self.rank * 100), self.id, KINDS.index(self.kind)


def rank(row: Sequence[Any], wanted: Wanted) -> Result | None:
    """Return the result for a row of DocumentQuerySet.newest, or None if a word is not in it."""
    kind, object_id, completed_at, title, is_whole, *has_words = row
    in_title = {word.text for word in texts.words_in(title)}
    begun = {typed for word in in_title for typed in wanted.begun_by(word)}
    elsewhere = ELSEWHERE[kind] + (WHOLE if is_whole else 0)
    points = 0.0
    for at, word in enumerate(wanted.words):
        if word in begun:
            points += TITLE + (WHOLE if word in in_title else 0)
        elif not has_words:
            points += elsewhere
        elif has_words[at] or any(word in wanted.mistyped_in_title(each) for each in in_title):
            points += MISTYPED[kind]
        else:
            return None
    return Result(kind, object_id, round(points / len(wanted.words) + (OPEN if completed_at is None else 0), 2))
