"""A part of a transaction ends when its time is over."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection, transaction

from todo_project.db.time_limit import TookTooLong, time_limit


@pytest.mark.django_db
def test_no_statement_begins_after_the_limit() -> None:
    with connection.cursor() as cursor:
        with time_limit(60):
            cursor.execute("SELECT 1")
        with pytest.raises(TookTooLong), transaction.atomic(), time_limit(-1):
            cursor.execute("SELECT 1")
        cursor.execute("SELECT 1")


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_statement_that_takes_longer_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("todo_project.db.time_limit.time", SimpleNamespace(monotonic=lambda: 0.0))  # begins in time
    cursor = connection.cursor()
    with pytest.raises(OperationalError, match="statement timeout"), transaction.atomic(), time_limit(0.05):
        cursor.execute("SELECT pg_sleep(600)")
