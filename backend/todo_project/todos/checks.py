"""System checks of the settings for tasks, and of how the database sorts positions."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name
from django.db import connections

from todo_project.db.postgresql import collation
from todo_project.todos.models import Project, SavedFilter, Section, Task

_BYTES_PER_CHARACTER = 4  # the most that UTF-8 takes


@register(Tags.security)
def check_task_lengths(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Warn if the longest allowed task does not fit into a request body."""
    characters = settings.TASK_TITLE_MAX_LENGTH + settings.TASK_DESCRIPTION_MAX_LENGTH
    if characters * _BYTES_PER_CHARACTER < settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return []
    return [
        Warning(
            "TASK_TITLE_MAX_LENGTH and TASK_DESCRIPTION_MAX_LENGTH allow tasks longer than a request body.",
            hint=f"Set REQUEST_BODY_MAX_BYTES above {characters * _BYTES_PER_CHARACTER}, "
            "or lower TASK_DESCRIPTION_MAX_LENGTH.",
            id="todos.W001",
        )
    ]


@register(Tags.database)
def check_collation(
    app_configs: Any, databases: Collection[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Require that positions are sorted by code point, for example after a restore into another database."""
    return [
        Error(
            f"The database's collation does not sort {table}.position by code point, so new rows can get the "
            "positions of others.",
            hint=f"Run this while few people use the service, as it locks the table: {statement}",
            id="todos.E001",
        )
        for alias in databases or ()
        for table, statement in _misordered(alias)
    ]


def _misordered(alias: str) -> Iterator[tuple[str, str]]:
    """Yield the tables that are not sorted by code point, each with the statement that changes that."""
    connection = connections[alias]
    for model in (Project, Section, Task, SavedFilter):
        meta = model._meta  # noqa: SLF001 - public API
        field = meta.get_field("position")
        where = {"table": meta.db_table, "column": str(field.column)}
        if not collation.sorts_by_code_point(connection, **where):
            db_type = str(field.db_type(connection))
            yield meta.db_table, collation.statement(connection, **where, db_type=db_type)
