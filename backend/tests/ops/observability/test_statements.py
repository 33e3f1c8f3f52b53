"""What the database costs a request, and which statements are slow; PostgreSQL's backend tells."""

from __future__ import annotations

import itertools
import json
import logging
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import resolve
from prometheus_client import REGISTRY
from structlog.contextvars import bound_contextvars

from todo_project.ops.http import middleware
from todo_project.ops.observability import logs, statements


def sample(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[logging.LogRecord]:
    """The lines about slow statements."""
    records: list[logging.LogRecord] = []
    monkeypatch.setattr(statements.logger, "handle", records.append)
    return records


class TestObserver:
    """The observer, called directly, so that it runs on every database."""

    @pytest.mark.parametrize(
        ("threshold", "milliseconds", "lines"), [(100, 99, 0), (100, 100, 1), (0, 60_000, 0), (100, 60_000, 1)]
    )
    def test_what_is_slow_is_the_configurations(
        self, settings: Any, slow: list[Any], threshold: int, milliseconds: int, lines: int
    ) -> None:
        settings.SLOW_QUERY_MS = threshold
        statements.StatementObserver().statement("SELECT %s", milliseconds / 1000)
        assert len(slow) == lines

    def test_the_line_names_statement_duration_route_and_request(self, settings: Any, slow: list[Any]) -> None:
        settings.SLOW_QUERY_MS = 1
        request = RequestFactory().get("/api/v1/tasks/019aaaaa-0000-7000-8000-000000000001")
        request.resolver_match = resolve(request.path)
        formatter = logs.make_formatter(style="json", environment="prod", release="1")

        def view(_: Any) -> HttpResponse:
            statements.StatementObserver().statement("SELECT x" * 1000, 0.25)
            with bound_contextvars(request_id="abc"):
                line.update(json.loads(formatter.format(slow[0])))
            return HttpResponse()

        line: dict[str, Any] = {}
        middleware.Metrics(view)(request)
        assert (line["event"], line["level"]) == ("database.slow_statement", "warning")
        assert (line["duration_ms"], line["route"], line["request_id"]) == (
            250.0,
            "/api/v1/tasks/<id:task_id>",
            "abc",
        )
        assert len(line["statement"]) == statements.MAX_TEXT

    def test_outside_a_request_there_is_no_route(self, settings: Any, slow: list[Any]) -> None:
        settings.SLOW_QUERY_MS = 1
        statements.StatementObserver().statement("SELECT 1", 1)
        assert vars(slow[0])["route"] is None

    def test_a_request_is_counted_once_with_the_sum(self) -> None:
        def view(_: Any) -> HttpResponse:
            for _number in range(3):
                statements.StatementObserver().statement("SELECT 1", 0.5)
            return HttpResponse()

        names = ("http_request_database_seconds_count", "http_request_database_seconds_sum")
        before = [sample(name) for name in names]
        middleware.Metrics(view)(RequestFactory().get("/"))
        assert [sample(name) for name in names] == [before[0] + 1, before[1] + 1.5]


@pytest.mark.postgres
@pytest.mark.django_db
class TestBothDoors:
    """The database's own backend tells of Django's cursor and of prepared statements alike."""

    @pytest.fixture(autouse=True)
    def _slow_clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every statement take a second, by the clock that times them."""
        monkeypatch.setattr("todo_project.db.postgresql.base.perf_counter", itertools.count().__next__)

    @pytest.mark.parametrize(("threshold", "is_slow"), [(1000, True), (1001, False)])
    def test_a_slow_statement_is_logged_without_its_values(
        self, settings: Any, slow: list[Any], threshold: int, is_slow: bool
    ) -> None:
        settings.SLOW_QUERY_MS = threshold
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1, %s", ["private"])
            cursor.executemany("SELECT 2, %s", [["private"], ["private"]])
        connection.run_prepared("SELECT 3, %s::text", ["private"])
        logged = [(vars(record)["statement"], vars(record)["duration_ms"]) for record in slow]
        statements_run = ["SELECT 1, %s", "SELECT 2, %s", "SELECT 3, %s::text"]
        assert logged == [(text, 1000.0) for text in statements_run if is_slow]
        assert "private" not in repr([vars(record) for record in slow])

    def test_a_statement_that_fails_is_timed_too(self, settings: Any, slow: list[Any]) -> None:
        settings.SLOW_QUERY_MS = 1000
        statement = "SELECT 1 / (random() * 0)::int"
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert [vars(record)["statement"] for record in slow if "random" in vars(record)["statement"]] == [
            statement
        ]

    def test_the_time_to_connect_is_measured(self) -> None:
        before = sample("database_connect_seconds_count")
        opened = connections.create_connection("default")
        opened.ensure_connection()
        opened.close()
        assert sample("database_connect_seconds_count") == before + 1

    def test_a_request_through_the_api_is_measured(self, alice: Any) -> None:
        before = sample("http_request_database_seconds_count")
        alice.api.get("/tasks")
        assert sample("http_request_database_seconds_count") == before + 1
