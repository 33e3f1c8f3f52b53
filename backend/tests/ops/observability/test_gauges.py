"""The numbers that are read at a scrape, and that they never make it fail."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.test import Client
from prometheus_client import CollectorRegistry

from todo_project.jobs import queue as jobs
from todo_project.ops.contributions import Contribution, Gauge
from todo_project.ops.observability import certificate, metrics
from todo_project.ops.observability import gauges as state


def collected(collector: Any) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


def test_the_build_is_in_labels(client: Client, settings: Any) -> None:
    text = client.get("/metrics").content.decode()
    (line,) = [line for line in text.splitlines() if line.startswith("todo_build_info{")]
    assert line.endswith(" 1.0")
    assert f'version="{settings.VERSION}"' in line
    assert 'environment="test"' in line


def test_the_disk_has_free_space() -> None:
    registry = collected(state.Disk())
    free, size = (registry.get_sample_value(f"disk_{what}_bytes") or 0 for what in ("free", "size"))
    assert 0 < free < size


class Immediately:
    """A thread that has done its work when it is started."""

    def __init__(self, target: Callable[[], None], *, daemon: bool) -> None:
        self.start = target


VALIDITY = {"notBefore": "Jan  1 00:00:00 2026 GMT", "notAfter": "Apr  1 00:00:00 2026 GMT"}


def test_the_certificate_is_read_once_in_a_while(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    reads: list[str] = []

    def read(self: certificate.Site) -> tuple[dict[str, Any], str]:
        reads.append(self.host)
        return VALIDITY, "self-signed"

    monkeypatch.setattr(certificate.threading, "Thread", Immediately)
    monkeypatch.setattr(certificate.Site, "certificate", read)
    settings.SITE_URL = "https://todo.example"
    registry = collected(certificate.Certificate())
    for _ in range(2):
        assert registry.get_sample_value("certificate_not_before_timestamp_seconds") == 1767225600
        assert registry.get_sample_value("certificate_not_after_timestamp_seconds") == 1775001600
    assert reads == ["todo.example"]


def test_a_site_out_of_reach_has_no_certificate_and_plain_http_needs_none(
    monkeypatch: pytest.MonkeyPatch, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def read(self: certificate.Site) -> tuple[dict[str, Any], str]:
        raise certificate.UnreachableError("no route to host")

    monkeypatch.setattr(certificate.threading, "Thread", Immediately)
    monkeypatch.setattr(certificate.Site, "certificate", read)
    for url, lines in (("http://todo.example", 0), ("https://todo.example", 1)):
        settings.SITE_URL = url
        assert list(certificate.Certificate().collect()) == []
        assert caplog.text.count("ops.certificate_unavailable: no route to host") == lines


def test_each_worker_has_its_memory_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    (tmp_path / "worker_0.pid").write_text(str(os.getpid()))
    (tmp_path / "worker_1.pid").write_text("4194305")  # above every process id there can be
    registry = collected(state.Workers())
    memory = registry.get_sample_value("worker_memory_bytes", {"worker": "0"})
    assert memory is not None
    assert 10_000_000 < memory < 2_000_000_000
    assert registry.get_sample_value("worker_cpu_seconds_total", {"worker": "0"})
    assert registry.get_sample_value("worker_memory_bytes", {"worker": "1"}) is None


def test_a_worker_leaves_its_id_and_takes_it_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "DIRECTORY", str(tmp_path))
    monkeypatch.setattr(metrics.Worker, "slot", "main")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    metrics.begin_worker(3)
    assert (tmp_path / "worker_3.pid").read_text() == str(os.getpid())
    (tmp_path / "gauge_livesum_3.db").touch()
    metrics.end_worker(3)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_is_making_its_files_is_waited_for(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "DIRECTORY", str(tmp_path))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    made = tmp_path / "counter_5.db"
    made.touch()
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        made.write_bytes(bytes(65536))

    monkeypatch.setattr(metrics.time, "sleep", wait)
    assert client.get("/metrics").status_code == 200
    assert len(waits) == 1


@pytest.mark.usefixtures("early_in_every_window")
def test_failed_logins_and_limits_are_counted(client: Client, settings: Any, db: None) -> None:
    settings.LOGIN_FAILURES_PER_ACCOUNT = 2

    def count(name: str, **labels: str) -> float:
        return metrics.REGISTRY.get_sample_value(name, labels) or 0.0

    before = count("login_failures_total"), count("rate_limited_requests_total", limit="too_many_failures")
    wrong = {"email": "nobody@example.org", "password": "not the password"}
    for _ in range(3):
        answer = client.post("/api/v1/auth/login", wrong, content_type="application/json")
    assert answer.status_code == 429
    form = {"username": "nobody-else@example.org", "password": "wrong"}
    assert client.post("/admin/login/", form).status_code == 200
    assert count("login_failures_total") == before[0] + 3  # the third was not looked at, the admin's was
    assert count("rate_limited_requests_total", limit="too_many_failures") == before[1] + 1


def test_a_database_that_does_not_answer_takes_no_other_number_away(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(**_: Any) -> None:
        raise OperationalError("no connection")

    monkeypatch.setattr(state, "fresh_connection", refuse)
    monkeypatch.setattr(type(connections["default"]), "vendor", "postgresql")
    registry = collected(state.Database())
    assert registry.get_sample_value("database_up") == 0
    assert registry.get_sample_value("database_connections_max") is None
    assert "no connection" in caplog.text
    assert client.get("/metrics").status_code == 200


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestDatabase:
    @pytest.fixture(autouse=True)
    def _empty(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")

    def run(self, sql: str, *values: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)

    def test_connections_are_counted(self) -> None:
        registry = collected(state.Database())
        assert registry.get_sample_value("database_up") == 1
        assert (registry.get_sample_value("database_connections", {"state": "active"}) or 0) >= 1
        assert (registry.get_sample_value("database_connections_max") or 0) >= 20

    def test_a_database_whose_clock_is_ahead_is_seen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = time.time
        monkeypatch.setattr(state.time, "time", lambda: now() - 7200)
        skew = collected(state.Database()).get_sample_value("database_clock_skew_seconds")
        assert skew is not None
        assert 3600 < skew < 10_800

    def test_an_empty_queue_is_zero_everywhere(self) -> None:
        registry = collected(state.Database())
        for status in state.STATUSES:
            assert registry.get_sample_value("queue_jobs", {"status": status}) == 0
        assert registry.get_sample_value("queue_oldest_seconds") == 0
        assert registry.get_sample_value("queue_workers") == 0

    def test_jobs_their_age_and_workers_are_counted(self) -> None:
        for _ in range(3):
            jobs.defer("api.purge_expired")
        self.run("UPDATE procrastinate_events SET at = now() - interval '10 minutes'")
        self.run(
            "UPDATE procrastinate_jobs SET status = 'failed' WHERE id = (SELECT max(id) FROM procrastinate_jobs)"
        )
        self.run("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()), (now() - interval '1 hour')")
        registry = collected(state.Database())
        assert registry.get_sample_value("queue_jobs", {"status": "todo"}) == 2
        assert registry.get_sample_value("queue_jobs", {"status": "failed"}) == 1
        assert registry.get_sample_value("queue_oldest_seconds") == pytest.approx(600, abs=60)
        assert registry.get_sample_value("queue_workers") == 1

    @pytest.mark.parametrize(("put_off", "waits"), [("-5 minutes", 300), ("1 hour", 0)])
    def test_a_job_that_was_put_off_waits_from_then_on(self, put_off: str, waits: int) -> None:
        jobs.defer("api.purge_expired")
        self.run("UPDATE procrastinate_events SET at = now() - interval '3 hours'")
        self.run("UPDATE procrastinate_jobs SET scheduled_at = now() + %s::interval", put_off)
        assert collected(state.Database()).get_sample_value("queue_oldest_seconds") == pytest.approx(waits, abs=60)

    def test_an_app_without_rows_may_have_null_for_its_numbers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        gauges = (Gauge("rows", "Rows"), Gauge("rows_by_kind", "Rows by kind", label="kind"))
        sql = "json_build_object('rows', NULL, 'rows_by_kind', NULL)"
        nothing = Contribution(sql=sql, gauges=gauges, diagnoses=lambda _: ())
        monkeypatch.setattr(state, "contributions", {"rows": nothing})
        registry = collected(state.Database())
        assert registry.get_sample_value("database_up") == 1
        assert registry.get_sample_value("rows") is None

    def test_the_answer_is_kept_for_a_few_seconds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[None] = []
        monkeypatch.setattr(state, "_ask", lambda: asked.append(None))
        registry = collected(state.Database())
        asked.clear()
        registry.get_sample_value("database_up")
        registry.get_sample_value("database_up")
        assert len(asked) <= 1
