"""The compiled reads send what the ORM would send, and read nothing per row."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from todo_project.api.listing import Reading
from todo_project.db.rows import uuid7
from todo_project.todos.api.serializers import labels, projects, sections, tasks

READINGS = (projects.READING, sections.READING, labels.READING, tasks.READING)
STARTS: tuple[dict[str, Any], ...] = (
    {},
    {"last": uuid7()},
    {"since": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
    {"moment": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "last": uuid7()},
)


@pytest.mark.django_db
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("start", STARTS)
def test_a_page_is_read_as_the_orm_would(reading: Reading, start: dict[str, Any]) -> None:
    values = {"owner_id": uuid7(), **start}
    shape = {"limit": 7, "include_deleted": False, "by_time": "since" in start or "moment" in start}
    expected, parameters = reading._build_page(**values, **shape).query.sql_with_params()
    compiled = reading._query(reading._build_page, start).by_id
    sql, bound = compiled.statement(values, **shape)
    assert sql == expected
    assert len(bound) == len(parameters)
    assert compiled.rows(values, **shape) == list(reading._build_page(**values, **shape))
