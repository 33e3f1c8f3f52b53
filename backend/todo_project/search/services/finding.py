"""Finds what a query matches among what a person sees."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from typing import Any

from django.db.models import Q

from todo_project.accounts.models import User
from todo_project.db.words.session import allow_indexes_of_words, searching
from todo_project.search.services import candidates
from todo_project.search.services.ranking import Result, rank
from todo_project.search.services.wanted import Wanted
from todo_project.todos.models import Membership, Task
from todo_project.todos.models.filtering.conditions import Context, to_q
from todo_project.todos.models.filtering.syntax import Filter

# Of more matches, the newest are ranked, those in tasks before those in comments.
CANDIDATES_MAX = 500
MISTYPED_MAX = 100
# So many documents of an account are looked at first. If enough of them match, as they do for a frequent word, the
# index of words is not asked for all others.
RECENT = 3000
# With fewer results, typing errors are considered.
FEW = 10
# no document is older
_FIRST = uuid.UUID(int=0)


def find(*, user: User, wanted: Wanted, filter_: Filter | None, now: dt.datetime) -> list[Result]:
    """Return what has all words, the best first: words as they are, or if that is little, also mistyped.

    With a filter, only the tasks that match it are found, and the comments on them.
    """
    if not wanted.words:
        return []
    search = _Search(user, wanted, None if filter_ is None else to_q(filter_, Context.of(user, now=now)))
    with searching():
        found = search.results(is_mistyped=False)
        if len(found) < FEW and wanted.may_be_mistyped:
            found = search.results(is_mistyped=True) | found
    return sorted(found.values(), key=lambda result: result.key, reverse=True)


class _Search:
    """The search of one person for some words, among the tasks that meet a condition."""

    def __init__(self, user: User, wanted: Wanted, condition: Q | None) -> None:
        self._user = user
        self._wanted = wanted
        self._condition = condition
        self._reads_ranges = True

    def results(self, *, is_mistyped: bool) -> dict[tuple[str, uuid.UUID], Result]:
        """Return the results by kind and id."""
        rows = self._candidates(MISTYPED_MAX if is_mistyped else CANDIDATES_MAX, is_mistyped=is_mistyped)
        results = (rank(row, self._wanted) for row in rows)
        return {(result.kind, result.id): result for result in results if result is not None}

    def _candidates(self, limit: int, *, is_mistyped: bool) -> list[Any]:
        """Return the rows of DocumentQuerySet.newest."""
        words = candidates.mistyped(self._wanted.words) if is_mistyped else candidates.as_typed(self._wanted.words)
        own = {"user_id": self._user.pk, "floor": self._floor or _FIRST}
        if is_mistyped:
            self._allow_indexes_of_words()
        narrowing = self._narrowing(is_shared=False)
        rows = candidates.rows(words, own, limit=limit, condition=narrowing)
        if self._floor is not None and len(rows) < limit:
            self._allow_indexes_of_words()
            rows += candidates.rows(words, own, limit=limit, condition=narrowing, is_older=True)
        if self._joined:
            self._allow_indexes_of_words()
            shared = {"user_id": self._user.pk, "joined": self._joined}
            rows += candidates.rows(words, shared, limit=limit, condition=self._narrowing(is_shared=True))
        return sorted(rows, key=lambda row: row[:2], reverse=True)[:limit]

    def _allow_indexes_of_words(self) -> None:
        if self._reads_ranges:
            allow_indexes_of_words()
            self._reads_ranges = False

    @functools.cached_property
    def _floor(self) -> uuid.UUID | None:
        return candidates.floor(self._user.pk, RECENT)

    @functools.cached_property
    def _joined(self) -> list[uuid.UUID]:
        """The other people's projects that the person has joined."""
        if not self._user.is_member:
            return []
        return list(Membership.objects.of_user(self._user.pk).values_list("project_id", flat=True))

    def _narrowing(self, *, is_shared: bool) -> Q | None:
        """Return the condition for the documents of tasks that meet the condition."""
        if self._condition is None:
            return None
        tasks = Task.objects.part_of(self._user.pk, is_shared=is_shared).filter(self._condition)
        return Q(task_id__in=tasks.order_by().values("id"))
