"""What leaves for Sentry, seen by a transport that keeps it here."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from django.apps import apps
from django.test import Client
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from todo_project.ops import sentry

TOKEN = "todo_" + "a" * 43


class Kept(Transport):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        event = envelope.get_event()
        if event is not None:
            self.events.append(dict(event))


@pytest.fixture
def kept(settings: Any) -> Iterator[Kept]:
    settings.SENTRY_DSN = "https://public@sentry.example.org/1"
    settings.SENTRY_TRACES_SAMPLE_RATE = 0.0
    settings.ENVIRONMENT = "prod"
    transport = Kept()
    sentry.init(transport=transport)
    yield transport
    sentry_sdk.get_client().close()
    sentry_sdk.init(dsn=None)


def test_a_crash_is_reported_with_release_environment_and_request_id(kept: Kept, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.ops.crashing_urls"
    Client(raise_request_exception=False).get(
        "/crash?q=private",
        headers={
            "X-Request-ID": "find-me",
            "Authorization": f"Bearer {TOKEN}",
            "Cookie": "sessionid=hunter2",
        },
    )
    (event,) = kept.events
    assert event["release"] == settings.RELEASE
    assert event["environment"] == "prod"
    assert event["tags"]["request_id"] == "find-me"
    text = json.dumps(event, default=str)
    for secret in (TOKEN, "hunter2", "private"):
        assert secret not in text


def test_an_error_line_is_reported_without_secrets(kept: Kept) -> None:
    logging.getLogger("some.library").error("no connection to postgres://todo_user:hunter2@db/todo_db")
    (event,) = kept.events
    assert "hunter2" not in json.dumps(event, default=str)


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
