"""What is left out of a request changes nothing of its answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from corsheaders.middleware import CorsMiddleware
from django.contrib.messages import get_messages
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.gzip import GZipMiddleware
from django.test import AsyncClient, Client, RequestFactory

from tests.conftest import PASSWORD, Person
from todo_project.accounts.models import User
from todo_project.ops.http.shortcuts import Cors, Sessions

ORIGIN = "https://app.example.org"


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers={"Vary": "Cookie"} if request.GET else {})


ORIGINS = ("", ORIGIN, "https://evil.example.net", "null", "http://[", "HTTPS://APP.example.org")


def both(path: str, method: str, headers: dict[str, str]) -> list[tuple[int, dict[str, str]]]:
    request = getattr(RequestFactory(), method)(path, headers=headers)
    answers: list[Any] = [kind(answer)(request) for kind in (Cors, CorsMiddleware)]
    return [(each.status_code, dict(each.headers)) for each in answers]


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/v1/tasks?q=1", "/admin/", "/api", "/health/live?q=1"])
@pytest.mark.parametrize("method", ["get", "post", "options"])
def test_cors_answers_as_the_library_does(settings: Any, path: str, method: str) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    preflight = {"Access-Control-Request-Method": "PATCH"}
    for headers in ({}, *({"Origin": origin} | more for origin in ORIGINS for more in ({}, preflight))):
        ours, theirs = both(path, method, headers)
        assert ours == theirs, headers


def test_what_has_no_origin_is_no_preflight(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    headers = {"Access-Control-Request-Method": "PATCH"}
    assert both("/api/v1/tasks", "options", headers)[0] == both("/api/v1/tasks", "options", {})[1]


@pytest.mark.parametrize("cookies", ["", "sessionid=unknown", "other=1"])
@pytest.mark.parametrize("view", ["ignores it", "looks at it", "writes", "empties it", "replaces it"])
def test_a_session_is_kept_as_django_does(db: None, rf: RequestFactory, cookies: str, view: str) -> None:
    def answer_with(request: HttpRequest) -> HttpResponse:
        if view == "looks at it":
            request.session.get("name")
        elif view == "writes":
            request.session["name"] = "alice"
        elif view == "empties it":
            request.session.flush()
        elif view == "replaces it":
            request.session = type(request.session)()
            request.session["name"] = "bob"
        return HttpResponse()

    kept = []
    for kind in (Sessions, SessionMiddleware):
        request = rf.get("/admin/", headers={"Cookie": cookies} if cookies else {})
        response: Any = kind(answer_with)(request)
        names = {name: (morsel["max-age"], morsel["httponly"]) for name, morsel in response.cookies.items()}
        saved = Session.objects.count()
        kept.append((names, response.headers.get("Vary"), saved))
        Session.objects.all().delete()
    assert kept[0] == kept[1]


# A cookie of no meaning keeps a request on the whole way.
WHOLE_WAY = {"Cookie": "other=1"}
ASKED = [
    ("get", "/api/v1/tasks"),
    ("get", "/api/v1/tasks?unknown=1"),
    ("get", "/api/v1/me"),
    ("post", "/api/v1/labels"),
    ("delete", "/api/v1/tasks"),
    ("get", "/api/v1/nothing"),
    ("options", "/api/v1/tasks"),
    ("get", "/api/v1/auth/csrf"),
]


@pytest.mark.parametrize(("method", "path"), ASKED)
@pytest.mark.parametrize("token", ["alice's", "unknown"])
def test_a_token_goes_past_what_is_for_pages_and_is_answered_alike(
    alice: Person, client: Client, method: str, path: str, token: str
) -> None:
    authorization = {"Authorization": f"Bearer {alice.token if token != 'unknown' else 'todo_' + 'x' * 43}"}

    def asked(headers: dict[str, str]) -> Any:
        answered = getattr(client, method)(path, headers=authorization | headers)
        its_own = {"X-Request-ID", "RateLimit"}
        return answered.status_code, {k: v for k, v in answered.headers.items() if k not in its_own}

    short, whole = asked({}), asked(WHOLE_WAY)
    assert short == whole
    assert short[1]["X-Frame-Options"] == "DENY"


def test_a_304_tells_no_length_that_would_have_to_be_the_whole_answers(alice: Person, client: Client) -> None:
    asked = {"Authorization": f"Bearer {alice.token}"}
    whole = client.get("/api/v1/tasks", headers=asked)
    assert whole.headers["Content-Length"] == str(len(whole.content))
    unchanged = client.get("/api/v1/tasks", headers=asked | {"If-None-Match": whole.headers["ETag"]})
    assert unchanged.status_code == 304
    assert "Content-Length" not in unchanged.headers


def test_frames_are_what_the_setting_says_on_both_ways(db: None, client: Client, settings: Any) -> None:
    settings.X_FRAME_OPTIONS = "SAMEORIGIN"
    for headers in ({}, WHOLE_WAY):
        answered = client.get("/api/v1/tasks", headers={"Authorization": "Bearer unknown"} | headers)
        assert answered.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize(
    ("path", "headers", "is_short"),
    [
        ("/api/v1/tasks", {}, True),
        ("/api/v1/tasks", WHOLE_WAY, False),
        ("/api/v1/auth/login", {}, False),
        ("/admin/", {}, False),
    ],
)
def test_only_a_token_of_the_api_goes_past(
    alice: Person, client: Client, monkeypatch: pytest.MonkeyPatch, path: str, headers: Any, is_short: bool
) -> None:
    seen: list[HttpRequest] = []
    monkeypatch.setattr(CsrfViewMiddleware, "process_request", lambda _, request: seen.append(request))
    client.get(path, headers={"Authorization": f"Bearer {alice.token}"} | headers)
    assert (not seen) is is_short


def test_logging_in_with_an_old_token_at_hand_gives_the_cookies_of_a_session(alice: Person, client: Client) -> None:
    body = {"email": alice.user.email, "password": PASSWORD, "session": True}
    answered = client.post(
        "/api/v1/auth/login", body, "application/json", headers={"Authorization": f"Bearer {alice.token}"}
    )
    assert answered.status_code == 200, answered.content
    assert {"sessionid", "csrftoken"} <= set(answered.cookies)


def past_pages(handler: Any) -> Any:
    """Give what is called in the place of the middleware for pages."""
    [sessions] = [each for each in map(unwrapped, chain_of(handler._middleware_chain)) if type(each) is Sessions]
    return sessions._past_pages.__wrapped__


def chain_of(handler: Any) -> Iterator[Any]:
    while middleware := getattr(handler, "__wrapped__", None):
        yield middleware
        handler = getattr(middleware, "get_response", None)


def unwrapped(middleware: Any) -> Any:
    return getattr(middleware, "_inner", middleware)  # of Sentry's class, which tests before may have left there


def test_a_shortcut_ends_at_the_view() -> None:
    handler: Any = WSGIHandler()
    assert past_pages(handler) == handler._get_response


def test_nothing_is_gone_past_that_is_not_there_for_pages(settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.gzip.GZipMiddleware"]
    handler: Any = WSGIHandler()
    [*_, last, _] = chain_of(handler._middleware_chain)
    assert isinstance(unwrapped(last), GZipMiddleware)
    assert past_pages(handler) is last


def test_an_operator_is_told_what_was_done(db: None, client: Client) -> None:
    olga = User.objects.create_superuser("olga@example.org", PASSWORD)
    client.force_login(olga)
    sent = {
        "old_password": PASSWORD,
        "new_password1": "another long passphrase",
        "new_password2": "another long passphrase",
    }

    answered = client.post(
        f"/admin/accounts/user/{olga.pk}/change/",
        {"email": olga.email, "time_zone": "UTC", "name": "Olga", "is_active": "on", **sent},
    )

    assert answered.status_code == 302
    assert [str(each) for each in get_messages(answered.wsgi_request)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("headers", [{}, {"Origin": ORIGIN}])
def test_the_door_for_asgi_servers_answers_too(alice: Person, settings: Any, headers: dict[str, str]) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    given = {"Authorization": f"Bearer {alice.token}"} | headers
    answered = async_to_sync(AsyncClient(raise_request_exception=False).get)("/api/v1/tasks", headers=given)
    assert answered.status_code == 200
    assert "origin" in answered.headers["Vary"]
    assert answered.headers.get("Access-Control-Allow-Origin") == headers.get("Origin")
