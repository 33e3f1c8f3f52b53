"""The JSON of the search."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from rest_framework import serializers

from todo_project.api.listing import struct_for
from todo_project.api.pagination import LimitField
from todo_project.api.serializers import StrictSerializer
from todo_project.search.services.ranking import KINDS
from todo_project.search.services.snippets import snippets
from todo_project.search.services.wanted import Wanted
from todo_project.todos.api.kinds import kinds
from todo_project.todos.api.serializers.tasks import TaskSerializer
from todo_project.todos.models.filtering.syntax import LENGTH_MAX

QUERY_LENGTH_MAX = 200


class SearchQuery(StrictSerializer):
    """The query parameters of the search."""

    noun = "query parameter"

    q = serializers.CharField(
        max_length=QUERY_LENGTH_MAX, help_text="Words, or their beginnings, all of which a result has."
    )
    filter = serializers.CharField(
        default=None,
        max_length=LENGTH_MAX,
        help_text="Only these tasks and the comments on them, such as `is:open & in:Work`; see docs/filters.md.",
    )
    limit = LimitField()
    cursor = serializers.CharField(default=None, max_length=200, help_text="`next_cursor` of the previous page.")


class SnippetSerializer(StrictSerializer):
    """The part of a text that matches best, as plain text."""

    field = serializers.CharField(help_text="The field of `data` that it is from, such as `title`.")
    text = serializers.CharField(help_text="At most 160 characters of the field.")
    marks = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        help_text="Where the matches begin and end in `text`, counted from 0 in code points (not UTF-16 units).",
    )

    example = {"field": "title", "text": "Water the tomatoes", "marks": [[10, 14]]}


class FoundSerializer(StrictSerializer):
    """A result of the search."""

    kind = serializers.ChoiceField(KINDS)
    id = serializers.UUIDField()
    data = serializers.DictField(  # type: ignore[assignment] # the metaclass takes the fields out of the class
        help_text="The task or the comment as GET returns it."
    )
    snippet = SnippetSerializer()
    rank = serializers.FloatField(help_text="Results are sorted by it, the greatest first.")

    example = {
        "kind": "task",
        "id": TaskSerializer.example["id"],
        "data": TaskSerializer.example,
        "snippet": SnippetSerializer.example,
        "rank": 10.5,
    }


_Found = struct_for(FoundSerializer)
# the fields that are searched
_FIELDS = {"task": ("title", "description"), "comment": ("text",)}


def shaped(results: Sequence[Any], *, user_id: uuid.UUID, wanted: Wanted) -> list[msgspec.Struct]:
    """Return the response for results, as far as the user still sees them."""
    data: dict[tuple[str, uuid.UUID], Any] = {}
    for kind in KINDS:
        ids = [result.id for result in results if result.kind == kind]
        found = kinds[kind].resource.present_structs(user_id, ids)
        data |= {(kind, each.id): each for each in found}
    seen = [(result, data[result.kind, result.id]) for result in results if (result.kind, result.id) in data]
    cut = snippets(
        [[(name, getattr(each, name)) for name in _FIELDS[result.kind]] for result, each in seen], wanted
    )
    return [
        _Found(result.kind, result.id, each, snippet, result.rank)
        for (result, each), snippet in zip(seen, cut, strict=True)
    ]
