"""The usual way: Django REST framework as in its tutorial, with the same tables and responses.

ModelSerializer, ModelViewSet, prefetch_related, a TokenAuthentication. It leaves out what the measured requests
do not need (most validation, trash, recurrence), which is to its advantage.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from django.db.models import Case, DateTimeField, ExpressionWrapper, F, Max, Prefetch, Q, QuerySet, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from todo_project.accounts.models import User
from todo_project.db import positions
from todo_project.todos.models import Label, Project, Task


def _moment(task: Task, name: str) -> dict[str, Any] | None:
    date, at = getattr(task, f"{name}_date"), getattr(task, f"{name}_at")
    if date:
        return {"date": date}
    return {"at": at, "time_zone": getattr(task, f"{name}_time_zone") or None} if at else None


class MomentField(serializers.Field[Any, Any, Any, Any]):
    """A date or a time with its zone; what comes in is a date."""

    def get_attribute(self, instance: Task) -> Any:
        """Return the moment with all its digits."""
        return _moment(instance, self.field_name or "")

    def to_representation(self, value: Any) -> Any:
        """Return it unchanged."""
        return value

    def to_internal_value(self, data: Any) -> Any:
        """Take the date."""
        return serializers.DateField().run_validation(data["date"])


class TaskSerializer(serializers.ModelSerializer[Task]):
    """A task, in and out."""

    labels = serializers.PrimaryKeyRelatedField(many=True, queryset=Label.objects.all(), required=False)
    due = MomentField(required=False, allow_null=True)
    deadline = MomentField(required=False, allow_null=True)
    start = MomentField(required=False, allow_null=True)
    assignees = serializers.SerializerMethodField()
    recurrence = serializers.SerializerMethodField()
    uid = serializers.SerializerMethodField()
    project_id = serializers.PrimaryKeyRelatedField(
        source="project", queryset=Project.objects.all(), required=False
    )

    class Meta:
        model = Task
        fields = [
            "id",
            "project_id",
            "section_id",
            "parent_id",
            "title",
            "description",
            "priority",
            "labels",
            "assignees",
            "due",
            "start",
            "deadline",
            "recurrence",
            "reminders",
            "position",
            "completed_at",
            "comment_count",
            "next_task_id",
            "uid",
            "created_at",
            "updated_at",
            "deleted_at",
        ]
        read_only_fields = ("position", "completed_at", "created_at", "updated_at", "deleted_at")

    def get_assignees(self, task: Task) -> list[Any]:
        """Return the ids of the people that the task is assigned to, which are prefetched."""
        return sorted(each.user_id for each in task.task_assignees.all())

    def get_uid(self, task: Task) -> str | None:
        """Return the iCalendar UID of an imported task."""
        return task.uid or None

    def get_recurrence(self, task: Task) -> dict[str, str] | None:
        """Return the rule and its mode."""
        if not task.recurrence_rule:
            return None
        return {"rule": task.recurrence_rule, "mode": task.recurrence_mode}

    def create(self, validated_data: dict[str, Any]) -> Task:
        """Save the task and then its labels."""
        labels = validated_data.pop("labels", [])
        for name in ("due", "deadline", "start"):
            validated_data[f"{name}_date"] = validated_data.pop(name, None)
        task = Task.objects.create(**validated_data)
        task.labels.set(labels)
        return task


def _day_end() -> Any:
    """Return the expression for the end of the day that a task is due on."""
    end = ExpressionWrapper(F("due_date") + dt.timedelta(days=1), output_field=DateTimeField())
    return Case(When(due_date__isnull=False, then=end))


def tasks_of(request: Request) -> QuerySet[Task]:
    """Return the caller's own tasks, with what the serializer needs."""
    labels = Prefetch("labels", Label.objects.filter(deleted_at=None).order_by("id"))
    rows = Task.objects.filter(owner_id=request.user.pk, deleted_at=None)
    return rows.prefetch_related(labels, "task_assignees")


class TaskViewSet(viewsets.ModelViewSet[Task]):
    """A person's tasks."""

    serializer_class = TaskSerializer

    def get_queryset(self) -> QuerySet[Task]:
        """Only the caller's own."""
        rows = tasks_of(self.request)
        if "filter" in self.request.query_params:  # endpoints.FILTER
            day = dt.date(2027, 5, 1)
            at = dt.datetime.combine(day, dt.time(), dt.UTC)
            rows = rows.filter(completed_at=None, priority__gte=2).filter(Q(due_date__lt=day) | Q(due_at__lt=at))
        if "sort" in self.request.query_params:
            rows = rows.annotate(due_key=Coalesce("due_at", _day_end()), is_timed=Q(due_at__isnull=False))
        return rows

    @property
    def paginator(self) -> Any:
        """Return the paginator, with the order that the client asked for."""
        found: Any = super().paginator
        if "sort" in self.request.query_params:
            found.ordering = ("due_key", "is_timed", "id")
        return found

    def perform_create(self, serializer: Any) -> None:
        """Put it at the end of the Inbox, unless the client named a project."""
        now = timezone.now()
        owner = cast(User, self.request.user)
        project = serializer.validated_data.get("project") or Project.objects.get(owner=owner, is_inbox=True)
        last = Task.objects.filter(project=project, section=None).aggregate(last=Max("position"))["last"]
        serializer.save(
            owner=owner,
            project=project,
            position=positions.between(last, None),
            created_at=now,
            updated_at=now,
        )

    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str | None = None) -> Response:
        """Mark it as done."""
        task = self.get_object()
        if task.completed_at is None:
            task.completed_at = task.updated_at = timezone.now()
            task.version += 1
            task.save()
        return Response(self.get_serializer(task).data)
