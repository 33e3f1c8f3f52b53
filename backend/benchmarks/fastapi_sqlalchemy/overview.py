"""The overview: one aggregation for the whole, for projects, for labels, and for each saved filter."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from fastapi import APIRouter
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from benchmarks.fastapi_sqlalchemy.authentication import Reader
from benchmarks.fastapi_sqlalchemy.database import Session
from benchmarks.fastapi_sqlalchemy.models import Label, Project, SavedFilter, Task, TaskAssignee, task_labels
from benchmarks.fastapi_sqlalchemy.schemas import OverviewOut

router = APIRouter(prefix="/api/v1/overview")
_DAY = dt.timedelta(days=1)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _due(first: dt.date | None, last: dt.date) -> ColumnElement[bool]:
    """Return the condition for tasks that are due on these days."""
    dates, times = Task.due_date <= last, Task.due_at < _midnight(last + _DAY)
    if first is None:
        return or_(dates, times)
    return or_(and_(dates, Task.due_date >= first), and_(times, Task.due_at >= _midnight(first)))


def _conditions(now: dt.datetime, user_id: uuid.UUID) -> dict[str, ColumnElement[bool]]:
    """Return the conditions of the filters in data.sql."""
    today = now.date()
    return {
        "is:open & due<=today": _due(None, today),
        "is:open & due>today & due<=today+7d": _due(today + _DAY, today + 7 * _DAY),
        "overdue": or_(Task.due_date < today, Task.due_at < now),
        "is:open & is:inbox": exists().where(Project.id == Task.project_id, Project.is_inbox),
        "is:open & assignee:me": exists().where(TaskAssignee.task_id == Task.id, TaskAssignee.user_id == user_id),
        "is:done": Task.completed_at.is_not(None),
    }


@router.get("", response_model=OverviewOut)
async def overview(*, session: Session, user_id: Reader) -> dict[str, Any]:
    """Count the caller's open tasks, in the time zone of all users, UTC."""
    now = dt.datetime.now(dt.UTC)
    conditions = _conditions(now, user_id)
    counts = (
        func.count().label("open"),
        func.count().filter(_due(now.date(), now.date())).label("due_today"),
        func.count().filter(conditions["overdue"]).label("overdue"),
    )

    def of_open(*columns: Any) -> Select[Any]:
        own = (Task.owner_id == user_id, Task.deleted_at.is_(None), Task.completed_at.is_(None))
        return select(*columns, *counts).select_from(Task).where(*own)

    async def rows(wanted: Select[Any]) -> list[dict[str, Any]]:
        return [dict(row) for row in (await session.execute(wanted)).mappings()]

    project, label = Task.project_id.label("id"), Label.id.label("id")
    labelled = of_open(label).join(task_labels, task_labels.c.task_id == Task.id)
    labelled = labelled.join(Label, Label.id == task_labels.c.label_id).where(Label.deleted_at.is_(None))
    kept = select(SavedFilter).where(SavedFilter.owner_id == user_id, SavedFilter.deleted_at.is_(None))
    saved = (await session.scalars(kept.order_by(SavedFilter.position, SavedFilter.id))).all()
    [total] = await rows(of_open())
    return {
        **total,
        "projects": await rows(of_open(project).group_by(Task.project_id).order_by(Task.project_id)),
        "labels": await rows(labelled.group_by(Label.id).order_by(Label.id)),
        "filters": [{"id": each.id, **(await rows(of_open().where(conditions[each.query])))[0]} for each in saved],
    }
