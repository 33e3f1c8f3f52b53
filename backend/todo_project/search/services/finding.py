"""Finds what a query matches among what a person sees."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from contextlib import nullcontext
from typing import Any

from django.db.models import Q

from todo_project.accounts.models import User
from todo_project.db.words.session import reading_ranges, searching
from todo_project.search.models import Document, DocumentQuerySet
from todo_project.search.services.ranking import Result, rank
from todo_project.search.services.wanted import Wanted
from todo_project.todos.models import Task, TaskQuerySet
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

    def results(self, *, is_mistyped: bool) -> dict[tuple[str, uuid.UUID], Result]:
        """Return the results by kind and id."""
        rows = self._candidates(MISTYPED_MAX if is_mistyped else CANDIDATES_MAX, is_mistyped=is_mistyped)
        results = (rank(row, self._wanted) for row in rows)
        return {(result.kind, result.id): result for result in results if result is not None}

    def _candidates(self, limit: int, *, is_mistyped: bool) -> list[Any]:
        """Return the rows of DocumentQuerySet.newest."""

        def matching(part: DocumentQuerySet) -> list[Any]:
            rows = (
                part.with_all_or_similar(self._wanted.words) if is_mistyped else part.with_all(self._wanted.words)
            )
            return rows.newest(limit, words=self._wanted.words, is_mistyped=is_mistyped)

        with nullcontext() if is_mistyped else reading_ranges():
            rows = matching(self._recent)
        if self._older is not None and len(rows) < limit:
            rows += matching(self._older)
        if self._shared is not None:
            rows += matching(self._shared)
        return sorted(rows, key=lambda row: row[:2], reverse=True)[:limit]

    @functools.cached_property
    def _floor(self) -> uuid.UUID | None:
        return Document.objects.owned_by(self._user.pk).nth_newest(RECENT)

    @functools.cached_property
    def _recent(self) -> DocumentQuerySet:
        own = Document.objects.owned_by(self._user.pk)
        return self._narrowed(own if self._floor is None else own.newer_than(self._floor))

    @functools.cached_property
    def _older(self) -> DocumentQuerySet | None:
        own = Document.objects.owned_by(self._user.pk)
        return None if self._floor is None else self._narrowed(own.not_newer_than(self._floor))

    @functools.cached_property
    def _shared(self) -> DocumentQuerySet | None:
        if not self._user.is_member:
            return None
        of_others = Document.objects.shared_with(self._user.pk)
        return self._narrowed(of_others, Task.objects.shared_with(self._user.pk))

    def _narrowed(self, documents: DocumentQuerySet, tasks: TaskQuerySet | None = None) -> DocumentQuerySet:
        """Filter to the documents of tasks that meet the condition; they are the user's own unless given."""
        if self._condition is None:
            return documents
        tasks = Task.objects.owned_by(self._user.pk) if tasks is None else tasks
        return documents.of_tasks(tasks.filter(self._condition))
