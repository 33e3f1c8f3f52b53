"""Request ids, security headers and problems, as a client sees them."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from structlog.contextvars import get_contextvars

from tests.conftest import Person
from todo_project.ops.http import middleware


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


class TestRequestId:
    @pytest.mark.parametrize("sane", ["a", "A-b_c.9", "0" * 64])
    def test_keeps_a_sane_one_that_came_with_the_request(self, client: Client, sane: str) -> None:
        assert client.get("/health/live", headers={"X-Request-ID": sane}).headers["X-Request-ID"] == sane

    @pytest.mark.parametrize("bad", ["", "0" * 65, "a b", "a\n", "é", '"x"', "a/b", "a,b"])
    def test_replaces_any_other(self, client: Client, bad: str) -> None:
        given = client.get("/health/live", headers={"X-Request-ID": bad}).headers["X-Request-ID"]
        assert given != bad
        assert len(given) == 32

    def test_is_the_same_in_the_log_context_and_on_the_request_and_gone_afterwards(self) -> None:
        seen: dict[str, Any] = {}

        def view(request: Any) -> HttpResponse:
            seen.update(get_contextvars(), on_request=request.request_id)
            return HttpResponse()

        response = middleware.RequestId(view)(RequestFactory().get("/", headers={"X-Request-ID": "abc"}))
        assert seen == {"request_id": "abc", "on_request": "abc"}
        assert response.headers["X-Request-ID"] == "abc"
        assert "request_id" not in get_contextvars()

    @pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/static/nothing.css", "/admin/login/"])
    def test_is_on_every_response(self, client: Client, path: str, db: None) -> None:
        assert client.get(path).headers["X-Request-ID"]

    def test_is_in_the_problem(self, client: Client) -> None:
        response = client.get("/nothing", headers={"X-Request-ID": "find-me"})
        assert response.json()["request_id"] == "find-me"


class TestResponseHeaders:
    def test_nothing_but_json_comes_from_the_api(self, client: Client, db: None) -> None:
        for path in ("/api/v1/tasks", "/api/openapi.json", "/version", "/nothing"):
            headers = client.get(path).headers
            assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "camera=()" in headers["Permissions-Policy"]
            assert headers["Referrer-Policy"] == "same-origin"

    @pytest.mark.parametrize("path", ["/admin/login/", "/api/docs/"])
    def test_pages_use_only_their_own_origin(self, client: Client, path: str, db: None) -> None:
        response = client.get(path)
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
        assert response.status_code == 200

    def test_a_304_has_no_length(self, alice: Person, client: Client) -> None:
        """It would have to be that of the whole answer: RFC 9110, section 8.6."""
        asked = {"Authorization": f"Bearer {alice.token}"}
        whole = client.get("/api/v1/tasks", headers=asked)
        assert whole.headers["Content-Length"] == str(len(whole.content))
        unchanged = client.get("/api/v1/tasks", headers=asked | {"If-None-Match": whole.headers["ETag"]})
        assert unchanged.status_code == 304
        assert "Content-Length" not in unchanged.headers

    def test_frames_are_what_the_setting_says(self, db: None, client: Client, settings: Any) -> None:
        settings.X_FRAME_OPTIONS = "SAMEORIGIN"
        assert client.get("/api/v1/tasks").headers["X-Frame-Options"] == "SAMEORIGIN"

    def test_a_view_may_set_its_own(self) -> None:
        def view(request: Any) -> HttpResponse:
            return HttpResponse(headers={"Content-Security-Policy": "sandbox"})

        response = middleware.ResponseHeaders(view)(RequestFactory().get("/api/v1/files/1"))
        assert response.headers["Content-Security-Policy"] == "sandbox"


class TestProblems:
    @pytest.mark.parametrize(
        ("call", "status"),
        [
            ("GET /nothing", 404),
            ("GET /api/nothing", 404),
            ("GET /static/nothing.css", 404),
            ("POST /nothing", 404),
            ("POST /version", 405),
            ("DELETE /metrics", 405),
            ("GET /admin/nothing/", 302),
        ],
    )
    def test_stand_for_every_error_outside_the_api(self, client: Client, call: str, status: int, db: None) -> None:
        method, path = call.split()
        response = client.generic(method, path)
        assert response.status_code == status
        if status >= 400:
            body = response.json()
            assert response.headers["Content-Type"] == "application/problem+json"
            assert set(body) == {"type", "title", "status", "detail", "instance", "request_id"}
            assert body["instance"] == path

    def test_stand_for_a_host_that_is_not_ours(self, client: Client) -> None:
        response = client.get("/version", headers={"Host": "evil.example"})
        assert response.status_code == 400
        assert response.headers["Content-Type"] == "application/problem+json"

    def test_stand_for_a_missing_csrf_token(self, db: None) -> None:
        response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"})
        assert response.status_code == 403
        assert response.json()["type"] == "urn:todo:problem:csrf_failed"

    @pytest.mark.parametrize("debug", [False, True])
    def test_stand_for_a_crash_and_show_nothing_of_it(
        self, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch, debug: bool
    ) -> None:
        settings.DEBUG = debug
        settings.ROOT_URLCONF = "tests.ops.crashing_urls"
        response = client.get("/crash", headers={"Accept": "application/json"})
        assert response.status_code == 500
        assert response.headers["Content-Type"] == "application/problem+json"
        assert "a secret plan" not in response.text
        assert response.json()["request_id"] == response.headers["X-Request-ID"]

    def test_stand_for_a_database_that_is_away_and_say_when_to_come_back(self, settings: Any) -> None:
        settings.ROOT_URLCONF = "tests.ops.crashing_urls"
        response = Client(raise_request_exception=False).get("/outage")
        assert response.status_code == 503
        assert response.headers["Content-Type"] == "application/problem+json"
        assert int(response.headers["Retry-After"]) > 0
        assert "secret" not in response.text

    def test_leave_the_technical_page_to_a_developers_browser_outside_the_api(
        self, client: Client, settings: Any
    ) -> None:
        settings.ROOT_URLCONF = "tests.ops.crashing_urls"
        accept = {"Accept": "text/html,*/*"}
        settings.DEBUG = True
        page = client.get("/crash", headers=accept)
        assert "text/html" in page.headers["Content-Type"]
        assert "Content-Security-Policy" not in page.headers, "its styles and scripts are inline"
        assert client.get("/api/crash", headers=accept).json()["status"] == 500
        assert client.get("/api/missing", headers=accept).json()["status"] == 404
        assert "Content-Security-Policy" in client.get("/api/crash", headers=accept).headers
        settings.DEBUG = False
        problem = client.get("/crash", headers=accept)
        assert problem.json()["status"] == 500
        assert "Content-Security-Policy" in problem.headers

    def test_keep_the_other_headers(self, client: Client) -> None:
        assert client.post("/version").headers["Allow"] == "GET, HEAD"

    def test_say_their_own_length(self) -> None:
        def view(request: Any) -> HttpResponse:
            return HttpResponse("short", status=400, headers={"Content-Length": "5"})

        response = middleware.ErrorsAsProblems(view)(RequestFactory().get("/x"))
        assert response.headers["Content-Length"] == str(len(response.content))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("origin", [None, "https://app.example.org"])
def test_asgi_servers_get_the_same_answers(alice: Person, settings: Any, origin: str | None) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    headers = {"Authorization": f"Bearer {alice.token}"} | ({"Origin": origin} if origin else {})
    answered = async_to_sync(AsyncClient(raise_request_exception=False).get)("/api/v1/tasks", headers=headers)
    assert answered.status_code == 200
    assert "origin" in answered.headers["Vary"]
    assert answered.headers.get("Access-Control-Allow-Origin") == origin
