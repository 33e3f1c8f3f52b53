"""The tables, as SQLAlchemy's typed declarative mapping sees them: the columns that the measured requests need."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, SmallInteger, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from benchmarks.ids import uuid7


class Base(AsyncAttrs, DeclarativeBase):
    """What every table has."""

    type_annotation_map = {dt.datetime: DateTime(timezone=True), list[Any]: JSONB}

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)


class User(Base):
    """A person."""

    __tablename__ = "accounts_user"

    is_active: Mapped[bool]


class ApiToken(Base):
    """An API token."""

    __tablename__ = "accounts_apitoken"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts_user.id"))
    digest: Mapped[str]
    scopes: Mapped[list[Any]]
    expires_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]

    user: Mapped[User] = relationship()


class Project(Base):
    """A list of tasks."""

    __tablename__ = "todos_project"

    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts_user.id"))
    is_inbox: Mapped[bool]


class Label(Base):
    """A tag on tasks."""

    __tablename__ = "todos_label"

    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts_user.id"))
    deleted_at: Mapped[dt.datetime | None]


class SavedFilter(Base):
    """A filter that a person keeps."""

    __tablename__ = "todos_savedfilter"

    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts_user.id"))
    query: Mapped[str]
    position: Mapped[str]
    deleted_at: Mapped[dt.datetime | None]


task_labels = Table(
    "todos_tasklabel",
    Base.metadata,
    Column("task_id", ForeignKey("todos_task.id"), primary_key=True),
    Column("label_id", ForeignKey("todos_label.id"), primary_key=True),
)


def _moment(date: dt.date | None, at: dt.datetime | None, time_zone: str) -> dict[str, Any] | None:
    if date:
        return {"date": date}
    return {"at": at, "time_zone": time_zone or None} if at else None


class TaskAssignee(Base):
    """A person that a task is assigned to."""

    __tablename__ = "todos_taskassignee"

    id: Mapped[int] = mapped_column(primary_key=True)  # type: ignore[assignment] # another kind of id
    task_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("todos_task.id"))
    user_id: Mapped[uuid.UUID]


class Task(Base):
    """Something to do."""

    __tablename__ = "todos_task"

    version: Mapped[int] = mapped_column()
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    deleted_at: Mapped[dt.datetime | None]
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts_user.id"))
    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("todos_project.id"))
    section_id: Mapped[uuid.UUID | None]
    parent_id: Mapped[uuid.UUID | None]
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    priority: Mapped[int] = mapped_column(SmallInteger, default=0)
    due_date: Mapped[dt.date | None]
    due_at: Mapped[dt.datetime | None]
    due_time_zone: Mapped[str] = mapped_column(default="")
    start_date: Mapped[dt.date | None]
    start_at: Mapped[dt.datetime | None]
    start_time_zone: Mapped[str] = mapped_column(default="")
    deadline_date: Mapped[dt.date | None]
    deadline_at: Mapped[dt.datetime | None]
    deadline_time_zone: Mapped[str] = mapped_column(default="")
    recurrence_rule: Mapped[str] = mapped_column(default="")
    recurrence_mode: Mapped[str] = mapped_column(default="")
    reminders: Mapped[list[Any]] = mapped_column(default=list)
    position: Mapped[str]
    completed_at: Mapped[dt.datetime | None]
    comment_count: Mapped[int] = mapped_column(default=0)
    next_task_id: Mapped[uuid.UUID | None]
    uid: Mapped[str] = mapped_column(default="")

    labels: Mapped[list[Label]] = relationship(
        secondary=task_labels,
        secondaryjoin=lambda: (Label.id == task_labels.c.label_id) & Label.deleted_at.is_(None),
        order_by=Label.id,
    )

    task_assignees: Mapped[list[TaskAssignee]] = relationship(order_by=TaskAssignee.user_id)

    # counts every write, and refuses one that is based on an older row
    __mapper_args__ = {"version_id_col": version}

    @property
    def label_ids(self) -> list[uuid.UUID]:
        """The labels that are not in the trash, by id."""
        return [label.id for label in self.labels]

    @property
    def assignees(self) -> list[uuid.UUID]:
        """The people that the task is assigned to, by id."""
        return [each.user_id for each in self.task_assignees]

    @property
    def due(self) -> dict[str, Any] | None:
        """A date, or a time with its zone."""
        return _moment(self.due_date, self.due_at, self.due_time_zone)

    @property
    def start(self) -> dict[str, Any] | None:
        """A date, or a time with its zone."""
        return _moment(self.start_date, self.start_at, self.start_time_zone)

    @property
    def deadline(self) -> dict[str, Any] | None:
        """A date, or a time with its zone."""
        return _moment(self.deadline_date, self.deadline_at, self.deadline_time_zone)

    @property
    def recurrence(self) -> dict[str, str] | None:
        """The rule and its mode."""
        if not self.recurrence_rule:
            return None
        return {"rule": self.recurrence_rule, "mode": self.recurrence_mode}
