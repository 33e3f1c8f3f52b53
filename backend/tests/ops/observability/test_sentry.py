"""What leaves for Sentry, seen by a transport that keeps it here."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from django.apps import apps
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, RequestFactory
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from todo_project.ops.observability import sentry

TOKEN = "todo_" + "a" * 43


class Kept(Transport):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        for item in envelope.items:
            if item.payload.json is not None:
                self.events.append(dict(item.payload.json))


@pytest.fixture
def rate() -> float:
    return 0.0


@pytest.fixture
def kept(settings: Any, rate: float) -> Iterator[Kept]:
    settings.SENTRY_DSN = "https://public@sentry.example.org/1"
    settings.SENTRY_TRACES_SAMPLE_RATE = rate
    settings.ENVIRONMENT = "prod"
    transport = Kept()
    sentry.init(transport=transport)
    with sentry_sdk.isolation_scope() as scope:
        scope.clear_breadcrumbs()  # lines that other tests have logged in this process
        yield transport
    sentry_sdk.get_client().close()
    sentry_sdk.init(dsn=None)


def test_a_crash_is_reported_with_release_environment_and_request_id(kept: Kept, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.ops.crashing_urls"
    Client(raise_request_exception=False).get(
        "/crash?q=unshown-search",
        headers={
            "X-Request-ID": "find-me",
            "Authorization": f"Bearer {TOKEN}",
            "Cookie": "sessionid=hunter2-of-the-crash",
        },
    )
    (event,) = [each for each in kept.events if each.get("tags", {}).get("request_id") == "find-me"]
    assert event["release"] == settings.RELEASE
    assert event["environment"] == "prod"
    assert event["tags"]["request_id"] == "find-me"
    text = json.dumps(event, default=str)
    for secret in (TOKEN, "hunter2-of-the-crash", "unshown-search"):
        assert secret not in text


def test_an_error_line_is_reported_without_secrets(kept: Kept) -> None:
    logging.getLogger("some.library").error("no connection to postgres://todo_user:hunter2@db/todo_db")
    (event,) = kept.events
    assert "hunter2" not in json.dumps(event, default=str)


def test_a_line_of_a_failed_job_names_it_and_the_request_that_wanted_it(kept: Kept) -> None:
    job = {"task_name": "todos.purge_trash", "id": 7, "attempts": 5, "task_kwargs": {"_request_id": "find-me"}}
    logging.getLogger("procrastinate.worker").error("Job ended with status: Error", extra={"job": job})
    (event,) = kept.events
    assert event["tags"] == {"job": "todos.purge_trash", "request_id": "find-me"}


def test_a_request_that_is_attached_to_a_line_does_not_show_its_query(kept: Kept) -> None:
    request = RequestFactory().get("/api/v1/tasks?q=unshown")
    logging.getLogger("django.security.csrf").warning("Forbidden", extra={"request": request})
    logging.getLogger("some.library").error("failed", extra={"request": request})
    (event,) = kept.events
    sent = json.dumps(event, default=str)
    assert "Forbidden" in sent  # the line before the error is there
    assert "unshown" not in sent


def test_the_stack_keeps_its_lines_and_loses_peoples_addresses(kept: Kept) -> None:
    try:
        raise ValueError("Key (email)=(alice@example.org) already exists")
    except ValueError:
        logging.getLogger("some.library").exception("broken")
    (event,) = kept.events
    frame = event["exception"]["values"][0]["stacktrace"]["frames"][-1]
    assert isinstance(frame["lineno"], int)
    assert "raise ValueError" in frame["context_line"]
    assert "vars" not in frame
    assert "alice@" not in json.dumps(event, default=str)


def ask(path: str, **headers: str) -> None:
    """Send one request through the WSGI handler; Django's test client uses another one, which is not traced.

    The end of a request looks after the database's connection, so the tests need the database.
    """
    environ = RequestFactory().get(path, headers={"Host": "testserver"} | headers).environ
    for chunk in WSGIHandler()(environ, lambda *_: lambda _: None):
        assert chunk
    sentry_sdk.flush()


TRACE = f"{'a' * 32}-{'b' * 16}-1"  # of a caller who wants to be sampled


@pytest.mark.django_db
def test_no_timing_leaves_at_rate_0_whatever_the_caller_asks_for(kept: Kept) -> None:
    ask("/version", **{"sentry-trace": TRACE})
    assert kept.events == []


@pytest.mark.parametrize("rate", [1.0])
@pytest.mark.django_db
def test_timings_leave_at_rate_1_under_the_routes_template(kept: Kept) -> None:
    ask("/version?q=private", **{"Authorization": f"Bearer {TOKEN}", "X-Request-ID": "find-me"})
    (event,) = kept.events
    assert (event["type"], event["transaction"]) == ("transaction", "/version")
    assert event["tags"]["request_id"] == "find-me"
    assert "private" not in json.dumps(event, default=str)
    assert TOKEN not in json.dumps(event, default=str)


@pytest.mark.parametrize("rate", [0.000001])
@pytest.mark.django_db
def test_a_caller_does_not_decide_about_a_sample(kept: Kept) -> None:
    ask("/version", **{"sentry-trace": TRACE})
    assert kept.events == []


def test_a_foreign_host_is_no_event(kept: Kept) -> None:
    Client().get("/version", headers={"Host": "evil.example"})
    assert kept.events == []


@pytest.mark.parametrize(("dsn", "started"), [(None, 0), ("https://public@sentry.example.org/1", 1)])
def test_reporting_starts_only_where_it_is_wanted(
    settings: Any, monkeypatch: pytest.MonkeyPatch, dsn: str | None, started: int
) -> None:
    calls: list[None] = []
    monkeypatch.setattr(sentry, "init", lambda: calls.append(None))
    settings.SENTRY_DSN = dsn
    apps.get_app_config("ops").ready()
    assert len(calls) == started
