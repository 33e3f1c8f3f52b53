"""The usual search: the word anywhere in a title or a description, by ILIKE, and the newest first."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, F, FloatField, Q, QuerySet, Value, When
from rest_framework import generics, serializers

from benchmarks.usual.api import TaskSerializer, tasks_of
from benchmarks.usual.pagination import ById
from todo_project.todos.models import Task


class ByRank(ById):
    """The best first."""

    ordering = ("-rank", "-id")


class FoundSerializer(serializers.ModelSerializer[Task]):
    """A result: the task, where its title or its description has the word, and the rank."""

    kind = serializers.ReadOnlyField(default="task")
    data = TaskSerializer(source="*")  # type: ignore[assignment] # the metaclass takes the fields out of the class
    snippet = serializers.SerializerMethodField()
    rank = serializers.FloatField()

    class Meta:
        model = Task
        fields = ("kind", "id", "data", "snippet", "rank")

    def get_snippet(self, task: Task) -> dict[str, Any]:
        """Return the text that has the word, and where."""
        word = self.context["request"].query_params["q"].lower()
        field = "title" if word in task.title.lower() else "description"
        text = getattr(task, field)
        start = text.lower().index(word)
        return {"field": field, "text": text, "marks": [[start, start + len(word)]]}


class Search(generics.ListAPIView[Task]):
    """/search."""

    serializer_class = FoundSerializer
    pagination_class = ByRank

    def get_queryset(self) -> QuerySet[Task]:
        """Return the caller's own tasks that have the word."""
        word = self.request.query_params["q"]
        in_title = When(title__icontains=word, then=Value(10.0))
        is_open = Case(When(completed_at=None, then=Value(0.5)), default=Value(0.0), output_field=FloatField())
        return (
            tasks_of(self.request)
            .filter(Q(title__icontains=word) | Q(description__icontains=word))
            .annotate(place=Case(in_title, default=Value(7.0), output_field=FloatField()))
            .annotate(rank=F("place") + is_open)
        )
