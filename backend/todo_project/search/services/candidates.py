"""The compiled queries that read the documents that match some words, as they are or mistyped."""

from __future__ import annotations

import uuid
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import models
from django.db.models import Q

from todo_project.db.compiled import CompiledQuery
from todo_project.db.words import typing_errors
from todo_project.db.words.fields import WordsQuery, WordsQueryField
from todo_project.search.models import Document, DocumentQuerySet

_ID = models.UUIDField()
_WORDS = WordsQueryField()


class Words(NamedTuple):
    """The values of a statement that look for some words, and what changes its SQL."""

    values: Mapping[str, Any]
    variant: Mapping[str, Hashable]


def as_typed(words: Sequence[str]) -> Words:
    """Return what finds texts with all words, each as the beginning of one of their own."""
    values = {
        "words": WordsQuery.all_of(words, as_prefixes=True),
        "whole": WordsQuery.all_of(words, as_prefixes=False),
    }
    return Words(values, {})


def mistyped(words: Sequence[str]) -> Words:
    """Return what finds texts with all words, perhaps with a typing error in some."""
    is_compared = tuple(map(typing_errors.may_be_mistyped, words))
    values = {
        "variants": [
            WordsQuery.one_of([word, *typing_errors.swapped(word)], typing_errors.otherwise_mistyped(word))
            for word in words
        ],
        "similar": [word for word, compared in zip(words, is_compared, strict=True) if compared],
        "whole": WordsQuery.all_of(words, as_prefixes=False),
    }
    return Words(values, {"is_compared": is_compared})


def floor(user_id: uuid.UUID, place: int) -> uuid.UUID | None:
    """Return the id of what the user created last but some, or None if there are not so many."""
    found = _FLOOR.rows({"user_id": user_id}, place=place)
    return found[0][0] if found else None


def rows(
    words: Words, place: Mapping[str, Any], *, limit: int, condition: Q | None, is_older: bool = False
) -> list[Any]:
    """Return the rows of DocumentQuerySet.newest.

    The place is `user_id` with the `floor` that own documents are newer than (or with `is_older`, not newer), or
    with the projects of other people that the user has `joined`.
    """
    statement = _STATEMENTS[frozenset({*words.values, *place})]
    variant: dict[str, Any] = {**words.variant, "limit": limit, "is_older": is_older}
    return statement.rows({**words.values, **place}, condition=condition, **variant)


def _floor(*, user_id: Any, place: int) -> Any:
    return Document.objects.owned_by(user_id).nth_newest(place)


def _as_typed(*, words: Any, whole: Any, limit: int, **place: Any) -> Any:
    return _placed(**place).with_all(words).newest(limit, whole=whole)


def _mistyped(
    *, variants: Any, similar: Any, whole: Any, limit: int, is_compared: tuple[bool, ...], **place: Any
) -> Any:
    left = iter(similar)
    compared = [next(left) if each else None for each in is_compared]
    return _placed(**place).with_all_or_similar(variants, compared).newest(limit, whole=whole, variants=variants)


def _placed(
    *, user_id: Any, is_older: bool, floor: Any = None, joined: Any = None, condition: Q | None = None
) -> DocumentQuerySet:
    if joined is not None:
        documents = Document.objects.shared_with(user_id, joined=joined)
    elif is_older:
        documents = Document.objects.owned_by(user_id).not_newer_than(floor)
    else:
        documents = Document.objects.owned_by(user_id).newer_than(floor)
    return documents if condition is None else documents.filter(condition)


_AS_TYPED: dict[str, models.Field[Any, Any]] = {"words": _WORDS, "whole": _WORDS}
_MISTYPED: dict[str, models.Field[Any, Any]] = {
    "variants": _WORDS,
    "similar": models.TextField(),
    "whole": _WORDS,
}
_FLOOR = CompiledQuery(_floor, {"user_id": _ID})
_STATEMENTS = {
    frozenset({"user_id", place, *values}): CompiledQuery(build, {"user_id": _ID, place: _ID, **values})
    for build, values in ((_as_typed, _AS_TYPED), (_mistyped, _MISTYPED))
    for place in ("floor", "joined")
}
