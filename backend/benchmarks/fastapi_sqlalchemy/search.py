"""Search: the word anywhere in a title or a description, by ILIKE."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Float, case, cast, or_

from benchmarks.fastapi_sqlalchemy.authentication import Reader
from benchmarks.fastapi_sqlalchemy.database import Session
from benchmarks.fastapi_sqlalchemy.models import Task
from benchmarks.fastapi_sqlalchemy.schemas import Results
from benchmarks.fastapi_sqlalchemy.tasks import LINKS, tasks_of

router = APIRouter(prefix="/api/v1/search")


@router.get("", response_model=Results)
async def search(
    *, session: Session, user_id: Reader, q: str, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> dict[str, Any]:
    """Return the tasks that have the word, the best first."""
    in_title = Task.title.icontains(q, autoescape=True)
    in_description = Task.description.icontains(q, autoescape=True)
    rank = cast(case((in_title, 10), else_=7), Float) + case((Task.completed_at.is_(None), 0.5), else_=0)
    wanted = tasks_of(user_id).add_columns(rank).where(or_(in_title, in_description)).options(*LINKS)
    rows = await session.execute(wanted.order_by(rank.desc(), Task.id.desc()).limit(limit))
    return {"results": [_found(task, points, q.lower()) for task, points in rows], "next_cursor": None}


def _found(task: Task, rank: float, word: str) -> dict[str, Any]:
    field = "title" if word in task.title.lower() else "description"
    text: str = getattr(task, field)
    start = text.lower().index(word)
    snippet = {"field": field, "text": text, "marks": [(start, start + len(word))]}
    return {"kind": "task", "id": task.id, "data": task, "snippet": snippet, "rank": rank}
