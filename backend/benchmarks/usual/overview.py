"""The usual overview: one aggregation for the whole, for projects, for labels, and for each saved filter."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count, F, Q
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from todo_project.todos.models import SavedFilter, Task


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _due(first: dt.date | None, last: dt.date) -> Q:
    """Return the condition for tasks that are due on these days."""
    dates, times = Q(due_date__lte=last), Q(due_at__lt=_midnight(last + dt.timedelta(days=1)))
    if first is not None:
        dates, times = dates & Q(due_date__gte=first), times & Q(due_at__gte=_midnight(first))
    return dates | times


class Overview(APIView):
    """/overview."""

    def get(self, request: Request) -> Response:
        """Count the caller's open tasks, in the time zone of all users, UTC."""
        now, user_id = timezone.now(), request.user.pk
        today = now.date()
        tomorrow, in_a_week = today + dt.timedelta(days=1), today + dt.timedelta(days=7)
        overdue = Q(due_date__lt=today) | Q(due_at__lt=now)
        conditions = {  # of data.sql
            "is:open & due<=today": _due(None, today),
            "is:open & due>today & due<=today+7d": _due(tomorrow, in_a_week),
            "overdue": overdue,
            "is:open & is:inbox": Q(project__is_inbox=True),
            "is:open & assignee:me": Q(task_assignees__user_id=user_id),
            "is:done": Q(completed_at__isnull=False),
        }
        counts: dict[str, Any] = {
            "open": Count("id"),
            "due_today": Count("id", filter=_due(today, today)),
            "overdue": Count("id", filter=overdue),
        }
        tasks = Task.objects.filter(owner_id=user_id, deleted_at=None, completed_at=None)
        labelled = tasks.filter(task_labels__label__deleted_at=None, task_labels__isnull=False)
        saved = SavedFilter.objects.filter(owner_id=user_id, deleted_at=None).order_by("position", "id")

        def listed(rows: Any, column: str) -> list[Any]:
            found = rows.values(of=F(column)).annotate(**counts).order_by("of")
            return [{"id": row.pop("of"), **row} for row in found]

        return Response(
            {
                **tasks.aggregate(**counts),
                "projects": listed(tasks, "project_id"),
                "labels": listed(labelled, "task_labels__label_id"),
                "filters": [
                    {"id": each.id, **tasks.filter(conditions[each.query]).aggregate(**counts), "error": None}
                    for each in saved
                ],
            }
        )
