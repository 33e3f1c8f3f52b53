"""The query and the response of the occurrences of a task."""

from __future__ import annotations

from rest_framework import serializers

from todo_project.api.serializers import StrictSerializer
from todo_project.todos.api.serializers.moments import MomentField

COUNT_MAX = 50


class OccurrencesQuery(StrictSerializer):
    """How many occurrences to list."""

    noun = "query parameter"

    n = serializers.IntegerField(min_value=1, max_value=COUNT_MAX, default=5, help_text="How many to list.")


class OccurrenceSerializer(StrictSerializer):
    """The dates of a task in one occurrence."""

    due = MomentField()
    start = MomentField()
    deadline = MomentField()

    example = {"due": {"date": "2026-12-07"}, "start": None, "deadline": None}


class DescriptionSerializer(StrictSerializer):
    """A recurrence rule in words, in each language."""

    en = serializers.CharField()
    zh = serializers.CharField()

    example = {"en": "every 2 weeks on Monday", "zh": "每2周的周一"}


class OccurrencesOut(StrictSerializer):
    """The next occurrences, in their order, and the rule in words; null if the task does not recur."""

    description = DescriptionSerializer(allow_null=True)
    results = OccurrenceSerializer(many=True)

    example = {"description": DescriptionSerializer.example, "results": [OccurrenceSerializer.example]}
