"""What comes in and what goes out, as Pydantic models."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Day(BaseModel):
    """A plain date."""

    date: dt.date


class Instant(BaseModel):
    """A time with or without its zone."""

    at: dt.datetime
    time_zone: str | None


class Recurrence(BaseModel):
    """How a task repeats."""

    rule: str
    mode: str


class TaskOut(BaseModel):
    """A task, as it is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    project_id: uuid.UUID
    section_id: uuid.UUID | None
    parent_id: uuid.UUID | None
    title: str
    description: str
    priority: int
    labels: list[uuid.UUID] = Field(validation_alias="label_ids")
    assignees: list[uuid.UUID]
    due: Day | Instant | None
    start: Day | Instant | None
    deadline: Day | Instant | None
    recurrence: Recurrence | None
    reminders: list[Any]
    position: str
    completed_at: dt.datetime | None
    comment_count: int
    next_task_id: uuid.UUID | None
    uid: Annotated[str | None, BeforeValidator(lambda uid: uid or None)]
    created_at: dt.datetime
    updated_at: dt.datetime
    deleted_at: dt.datetime | None


class Page(BaseModel):
    """One page of tasks; `next_cursor` is None on the last."""

    results: list[TaskOut]
    next_cursor: str | None


class Snippet(BaseModel):
    """The text that has the word, and where."""

    field: str
    text: str
    marks: list[tuple[int, int]]


class Found(BaseModel):
    """A result of the search."""

    kind: str
    id: uuid.UUID
    data: TaskOut
    snippet: Snippet
    rank: float


class Results(BaseModel):
    """The results of a search."""

    results: list[Found]
    next_cursor: str | None


class Counts(BaseModel):
    """The numbers of all open tasks, of those due today, and of those that are overdue."""

    open: int
    due_today: int
    overdue: int


class CountsOf(Counts):
    """The numbers of a project or a label."""

    id: uuid.UUID


class CountsOfFilter(CountsOf):
    """The numbers of a saved filter."""

    error: str | None = None


class OverviewOut(Counts):
    """All numbers."""

    projects: list[CountsOf]
    labels: list[CountsOf]
    filters: list[CountsOfFilter]


class TaskIn(BaseModel):
    """A task, as it is made."""

    title: str = Field(min_length=1, max_length=500)
    description: str = Field(default="", max_length=50_000)
    priority: int = Field(default=0, ge=0, le=4)
    labels: set[uuid.UUID] = Field(default_factory=set)
    due: Day | None = None
