"""Health checks and metrics: what they say, to whom, and how often they look."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.test import Client

from tests.ops.this_connection import this_connection
from todo_project.ops.health.readiness import Readiness


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


class TestHealth:
    def test_live_touches_no_database(self, client: Client) -> None:
        response = client.get("/health/live")  # pytest-django would refuse a query here
        assert (response.status_code, response.json()) == (200, {"status": "ok"})

    @pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
    def test_answers_whatever_the_host_and_the_scheme(
        self, client: Client, settings: Any, path: str, db: None
    ) -> None:
        settings.SECURE_SSL_REDIRECT = True
        settings.ALLOWED_HOSTS = ["todo.example.org"]
        for host in ("evil.example", "10.0.0.7:8000", "bad host"):
            assert client.get(path, headers={"Host": host}).status_code == 200

    def test_head_is_answered(self, client: Client, db: None) -> None:
        assert client.head("/health/live").status_code == 200
        assert client.head("/health/ready").status_code == 200

    @pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
    def test_other_methods_are_a_405_problem(self, client: Client, path: str) -> None:
        response = client.post(path)
        assert response.status_code == 405
        assert response.headers["Allow"] == "GET, HEAD"
        assert response.headers["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize("path", ["/health/", "/health/live/", "/health/nothing"])
    def test_other_paths_below_it_are_a_404_problem(self, client: Client, path: str) -> None:
        assert client.get(path).status_code == 404

    def test_ready_names_each_check(self, client: Client, db: None) -> None:
        response = client.get("/health/ready")
        assert response.status_code == 200
        assert response.json() == {
            "status": "ok",
            "checks": {"database": "ok", "migrations": "ok", "queue": "ok", "static": "ok"},
            "details": {"backup_age_seconds": None},
        }
        assert response.headers["Cache-Control"] == "no-store"

    def test_is_unavailable_without_the_database_and_logs_why_without_showing_it(
        self, client: Client, db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise OperationalError("connection to 10.1.2.3 refused for todo_user")

        monkeypatch.setattr(type(connections["default"]), "connect", refuse)
        response = client.get("/health/ready")
        assert response.status_code == 503
        assert response.json()["status"] == "unavailable"
        assert response.json()["checks"]["database"] == "failed"
        assert response.json()["checks"]["static"] == "ok"
        assert "10.1.2.3" not in response.text
        (record,) = caplog.records
        assert "10.1.2.3" in record.getMessage()
        assert record.levelname == "WARNING"  # a restart of the database is no alarm

    def test_is_unavailable_rather_than_broken_whatever_happens(
        self, client: Client, db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("todo_project.ops.health.readiness.fresh_connection", None)
        assert client.get("/health/ready").status_code == 503
        assert "TypeError" in caplog.text

    @pytest.mark.postgres
    def test_is_unavailable_without_the_queue(
        self, client: Client, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE procrastinate_jobs RENAME TO elsewhere")
        monkeypatch.setattr("todo_project.ops.health.readiness.fresh_connection", this_connection)
        response = client.get("/health/ready")
        assert response.status_code == 503
        assert response.json()["checks"]["queue"] == "failed"
        assert response.json()["checks"]["database"] == "ok"

    def test_is_unavailable_with_a_pending_migration_until_it_is_applied(
        self, db: None, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = Client()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'todos'")
        with pytest.MonkeyPatch.context() as patch:
            # the probe's own connection would not see this test's transaction
            patch.setattr("todo_project.ops.health.readiness.fresh_connection", this_connection)
            response = client.get("/health/ready")
            assert response.status_code == 503
            assert response.json()["checks"] == {
                "database": "ok",
                "migrations": "failed",
                "queue": "ok",
                "static": "ok",
            }
            assert "todos.0001" in caplog.text


class TestReadiness:
    """Anybody may ask, and each look opens a connection."""

    @pytest.fixture
    def looks(self, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
        """The database is away; one item for each look at it."""
        made: list[bool] = []

        def refuse(**_: Any) -> None:
            made.append(True)
            raise OperationalError("away")

        monkeypatch.setattr("todo_project.ops.health.readiness.fresh_connection", refuse)
        return made

    def test_is_looked_at_once_a_second_however_often_somebody_asks(self, looks: list[bool]) -> None:
        now = 100.0
        readiness = Readiness(clock=lambda: now)
        for moment, expected in ((100.0, 1), (100.0, 1), (100.9, 1), (101.0, 2), (101.9, 2), (102.1, 3)):
            now = moment
            assert readiness.report().checks["database"] is False
            assert len(looks) == expected, moment

    def test_notices_an_outage_and_its_end_after_a_second(
        self, db: None, looks: list[bool], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 100.0
        readiness = Readiness(clock=lambda: now)
        with monkeypatch.context() as patch:
            patch.setattr("todo_project.ops.health.readiness.fresh_connection", this_connection)
            assert readiness.report().checks["database"] is True
        assert readiness.report().checks["database"] is True
        now = 101.0
        assert readiness.report().checks["database"] is False
        monkeypatch.setattr("todo_project.ops.health.readiness.fresh_connection", this_connection)
        now = 102.0
        assert readiness.report().checks["database"] is True


class TestMetrics:
    def test_count_by_the_routes_template(self, client: Client, db: None) -> None:
        client.get("/version?x=1")
        client.get("/no/such/path/at/all")
        client.generic("BREW", "/version")
        text = client.get("/metrics").content.decode()
        assert 'http_requests_total{method="GET",route="/version",status="200"}' in text
        assert 'route="(none)",status="404"' in text
        assert 'method="OTHER",route="/version",status="405"' in text
        assert "http_request_duration_seconds_bucket" in text
        assert "no/such" not in text

    @pytest.mark.parametrize(
        ("environ", "status"),
        [
            ({"REMOTE_ADDR": "127.0.0.1"}, 200),
            ({"REMOTE_ADDR": "172.18.0.7"}, 200),
            ({"REMOTE_ADDR": "fd00::7"}, 200),
            ({"REMOTE_ADDR": "203.0.113.9"[:-1] + "10"}, 200),  # documentation addresses count as private
            ({"REMOTE_ADDR": "8.8.8.8"}, 404),
            ({"REMOTE_ADDR": ""}, 404),
            ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 404),
            ({"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=127.0.0.1"}, 404),
            ({"REMOTE_ADDR": "127.0.0.1", "HTTP_VIA": "1.1 proxy"}, 404),
        ],
    )
    def test_without_a_token_answer_the_internal_network_only(
        self, client: Client, environ: dict[str, str], status: int
    ) -> None:
        assert client.get("/metrics", **environ).status_code == status  # type: ignore[arg-type]

    def test_are_scraped_in_plain_http_by_the_containers_own_name(self, client: Client, settings: Any) -> None:
        settings.SECURE_SSL_REDIRECT = True
        settings.ALLOWED_HOSTS = ["todo.example.org"]
        response = client.get("/metrics", headers={"Host": "backend:8000"})
        assert response.status_code == 200
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        refused = client.post("/metrics", headers={"Host": "backend:8000"})
        assert (refused.status_code, refused.headers["Content-Type"]) == (405, "application/problem+json")

    def test_with_a_token_answer_who_has_it(self, client: Client, settings: Any) -> None:
        settings.METRICS_TOKEN = "the-right-token-é"
        for header in ("", "Bearer wrong", "Bearer ", "Basic x", "the-right-token-é"):
            response = client.get("/metrics", headers={"Authorization": header})
            assert response.status_code == 404
            assert response.headers["Content-Type"] == "application/problem+json"
        settings.METRICS_TOKEN = "the-right-token"
        for scheme in ("Bearer", "bearer"):  # RFC 9110, section 11.1: its case says nothing
            response = client.get(
                "/metrics", headers={"Authorization": f"{scheme} the-right-token"}, REMOTE_ADDR="8.8.8.8"
            )
            assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/plain")
