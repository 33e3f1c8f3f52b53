"""A person's tasks: list, one, create, complete."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Query, Response
from sqlalchemy import DateTime, Select, cast, func, or_, select
from sqlalchemy.orm import selectinload

from benchmarks.fastapi_sqlalchemy import pagination
from benchmarks.fastapi_sqlalchemy.authentication import Reader, Writer
from benchmarks.fastapi_sqlalchemy.database import Session
from benchmarks.fastapi_sqlalchemy.models import Label, Project, Task
from benchmarks.fastapi_sqlalchemy.schemas import Page, TaskIn, TaskOut
from todo_project.db import positions

router = APIRouter(prefix="/api/v1/tasks")
LINKS = (selectinload(Task.labels), selectinload(Task.task_assignees))
_DAY = dt.date(2027, 5, 1)
_DAY_END = func.timezone("UTC", cast(Task.due_date + 1, DateTime()))
_BY_DUE = (func.coalesce(Task.due_at, _DAY_END), Task.due_at.is_not(None))


def tasks_of(owner_id: uuid.UUID) -> Select[tuple[Task]]:
    """Return the statement for a person's own tasks."""
    return select(Task).where(Task.owner_id == owner_id, Task.deleted_at.is_(None))


def _tag(task: Task) -> str:
    return f'"{task.version}"'


@router.get("", response_model=Page)
async def list_tasks(
    *,
    session: Session,
    user_id: Reader,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
    wanted_filter: Annotated[str | None, Query(alias="filter")] = None,
    sort: str | None = None,
) -> dict[str, Any]:
    """Return a page, oldest first, or in the order of the due dates."""
    wanted = tasks_of(user_id).options(*LINKS).order_by(*(_BY_DUE if sort else ()), Task.id).limit(limit + 1)
    if wanted_filter is not None:  # endpoints.FILTER
        is_due = or_(Task.due_date < _DAY, Task.due_at < dt.datetime.combine(_DAY, dt.time(), dt.UTC))
        wanted = wanted.where(Task.completed_at.is_(None), Task.priority >= 2, is_due)
    if cursor is not None:
        wanted = wanted.where(Task.id > pagination.decode(cursor))
    tasks = (await session.scalars(wanted)).all()
    page = tasks[:limit]
    return {"results": page, "next_cursor": pagination.encode(page[-1].id) if len(tasks) > limit else None}


@router.get("/{task_id}", response_model=TaskOut)
async def get_task(
    *,
    task_id: uuid.UUID,
    session: Session,
    user_id: Reader,
    response: Response,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Task | Response:
    """Return one task, or 304 to a client that has it; then its labels are not read."""
    task = await session.scalar(tasks_of(user_id).where(Task.id == task_id))
    if task is None:
        raise HTTPException(404, "There is no such task")
    if if_none_match == _tag(task):
        return Response(status_code=304, headers={"ETag": _tag(task)})
    await task.awaitable_attrs.labels
    await task.awaitable_attrs.task_assignees
    response.headers["ETag"] = _tag(task)
    return task


@router.post("", response_model=TaskOut, status_code=201)
async def create_task(*, given: TaskIn, session: Session, user_id: Writer, response: Response) -> Task:
    """Put a new task at the end of the Inbox."""
    inbox_id = await session.scalar(select(Project.id).where(Project.owner_id == user_id, Project.is_inbox))
    if inbox_id is None:
        raise HTTPException(404, "There is no Inbox")
    last = await session.scalar(
        select(func.max(Task.position)).where(Task.project_id == inbox_id, Task.section_id.is_(None))
    )
    now = dt.datetime.now(dt.UTC)
    task = Task(
        owner_id=user_id,
        project_id=inbox_id,
        title=given.title,
        description=given.description,
        priority=given.priority,
        due_date=given.due.date if given.due else None,
        labels=await _labels(session, user_id, given.labels),
        task_assignees=[],
        position=positions.between(last, None),
        created_at=now,
        updated_at=now,
    )
    session.add(task)
    await session.commit()
    response.headers["ETag"] = _tag(task)
    return task


async def _labels(session: Session, user_id: uuid.UUID, wanted: set[uuid.UUID]) -> list[Label]:
    if not wanted:
        return []
    own = select(Label).where(Label.id.in_(wanted), Label.owner_id == user_id, Label.deleted_at.is_(None))
    found = list(await session.scalars(own.order_by(Label.id)))
    if len(found) < len(wanted):
        raise HTTPException(422, "There is no such label")
    return found


@router.post("/{task_id}/complete", response_model=TaskOut)
async def complete_task(*, task_id: uuid.UUID, session: Session, user_id: Writer, response: Response) -> Task:
    """Mark it as done; one that is done already stays as it is."""
    task = await session.scalar(tasks_of(user_id).where(Task.id == task_id).options(*LINKS))
    if task is None:
        raise HTTPException(404, "There is no such task")
    if task.completed_at is None:
        task.completed_at = task.updated_at = dt.datetime.now(dt.UTC)
        await session.commit()
    response.headers["ETag"] = _tag(task)
    return task
