"""What the service says about its backups: the same in every worker, and never that it could not serve."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from tests.ops.this_connection import this_connection
from todo_project.ops.models import BackupRun
from todo_project.ops.observability import metrics as measurements


def made(*, hours_ago: float, outcome: str = "ok") -> datetime.datetime:
    """Note a run as deploy/backup does."""
    moment = timezone.now().replace(microsecond=0) - datetime.timedelta(hours=hours_ago)
    BackupRun.objects.create(outcome=outcome, started_at=moment, finished_at=moment, bytes=1)
    return moment


@pytest.fixture(autouse=True)
def _in_this_transaction(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("todo_project.ops.health.backups.fresh_connection", this_connection)
    monkeypatch.setattr("todo_project.ops.health.readiness.fresh_connection", this_connection)


def samples() -> dict[str, float]:
    lines = [line.split() for line in measurements.render().decode().splitlines() if line.startswith("todo_backup")]
    return {name: float(value) for name, value in lines}


def test_the_metrics_have_the_age_of_the_last_backup_that_succeeded() -> None:
    made(hours_ago=30)
    moment = made(hours_ago=3)
    made(hours_ago=1, outcome="failed")

    exported = samples()

    assert exported["todo_backup_last_success_timestamp"] == moment.timestamp()
    assert exported["todo_backup_age_seconds"] == pytest.approx(3 * 3600, abs=60)


def test_a_database_that_knows_of_no_backup_claims_none(client: Client) -> None:
    made(hours_ago=1, outcome="failed")

    assert samples() == {}
    assert client.get("/health/ready").json()["details"] == {"backup_age_seconds": None}


def test_readiness_shows_the_age_and_is_ready_however_old_it_is(client: Client) -> None:
    made(hours_ago=24 * 365)

    response = client.get("/health/ready")

    assert response.status_code == 200
    assert response.json()["details"]["backup_age_seconds"] == pytest.approx(24 * 365 * 3600, abs=60)


def test_the_other_metrics_are_there_when_the_database_is_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(**_: Any) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr("todo_project.ops.health.backups.fresh_connection", refuse)

    assert "http_requests" in measurements.render().decode()
    assert samples() == {}
    assert "ops.backup_metrics_unavailable: away" in caplog.text


def test_a_moment_that_lies_ahead_is_no_negative_age() -> None:
    made(hours_ago=-1)

    assert samples()["todo_backup_age_seconds"] == 0
