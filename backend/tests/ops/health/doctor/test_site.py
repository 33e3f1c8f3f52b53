"""The service recognises its own request through what stands in front, and says what does not arrive."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest
from django.test import Client

from todo_project.ops.health import self_test
from todo_project.ops.health.doctor import site
from todo_project.ops.health.web import Answer, Site, UnreachableError

HOUR = 3600.0
DAY = 24 * HOUR


def answer(status: int = 200, headers: tuple[tuple[str, str], ...] = (), **changes: Any) -> Answer:
    arrived = {
        "scheme": "https",
        "host": "todo.example.org",
        "address": "198.51.100.4",
        "forwarded": ["198.51.100.4"],
    }
    message = http.client.HTTPMessage()
    for name, value in headers:
        message[name] = value
    return Answer(status, message, json.dumps(arrived | changes).encode())


@pytest.fixture(autouse=True)
def _one_proxy(settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT = 1


def judged(given: Answer) -> list[tuple[str, str]]:
    return [(found.level, found.message) for found in site.compare(given, Site("https://todo.example.org"))]


class TestWhatArrives:
    def test_as_it_was_sent_is_well(self) -> None:
        assert judged(answer()) == [("ok", "scheme, host and client (198.51.100.4) arrive as they are")]

    def test_behind_a_proxy_that_believes_the_client_is_counted_without_the_forgery(self) -> None:
        assert judged(answer(forwarded=[site.FORGED, "198.51.100.4"]))[0][0] == "ok"

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"scheme": "http"}, "the request came by https and arrived as http"),
            ({"host": "backend:8000"}, "the request asked for todo.example.org and arrived for backend:8000"),
        ],
    )
    def test_otherwise_is_a_failure(self, changes: dict[str, Any], message: str) -> None:
        assert judged(answer(**changes))[0] == ("failure", message)

    @pytest.mark.parametrize("forwarded", [[], [site.FORGED], ["198.51.100.4", "172.18.0.9"]])
    def test_by_more_or_fewer_proxies_than_are_counted_is_a_failure(self, forwarded: list[str]) -> None:
        hops = len([hop for hop in forwarded if hop != site.FORGED])
        message = f"{hops} proxies have added an address to X-Forwarded-For, TRUSTED_PROXY_COUNT is 1"
        assert judged(answer(forwarded=forwarded)) == [("failure", message)]

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (
                answer(301, (("Location", "https://todo.example.org/self-test"),)),
                "redirects to https://todo.example.org",
            ),
            (answer(400), "is refused with 400"),
            (answer(404), "answers 404 where this service would recognise its own request"),
            (Answer(200, http.client.HTTPMessage(), b"<html>"), "answers 200 where this service"),
        ],
    )
    def test_nowhere_is_a_failure_that_says_where_it_went(self, given: Answer, message: str) -> None:
        [(level, said)] = judged(given)
        assert level == "failure"
        assert message in said


class TestThroughARealServer:
    @pytest.fixture(autouse=True)
    def _served(self, live_server: Any, settings: Any) -> None:
        settings.SITE_URL = live_server.url
        settings.TRUSTED_PROXY_COUNT = 0

    def test_a_read_and_a_write_of_its_own_arrive(self) -> None:
        assert [(found.level, found.message.split(" (")[0]) for found in site.self_test()] == [
            ("ok", "scheme, host and client"),
            ("ok", "a form of the site itself is accepted"),
        ]

    def test_a_form_that_is_refused_is_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("todo_project.ops.http.pages.get_token", lambda _: "x" * 64)
        refused = list(site.self_test())[1]
        assert refused.level == "failure"
        assert "refused with 403" in refused.message

    def test_nothing_is_said_of_a_site_that_is_out_of_reach(self, settings: Any) -> None:
        settings.SITE_URL = "http://127.0.0.1:9"
        [found] = site.self_test()
        assert found.level == "warning"
        assert found.message.startswith("http://127.0.0.1:9 cannot be reached from here: ")

    def test_a_site_without_tls_needs_no_certificate(self) -> None:
        assert list(site.certificate()) == []

    def test_a_site_without_tls_is_reported(self, settings: Any) -> None:
        settings.SITE_URL = settings.SITE_URL.replace("http://", "https://")
        assert [found.level for found in site.self_test()] == ["warning"]
        assert [found.level for found in site.certificate()] == ["warning"]


@pytest.mark.parametrize(
    ("life", "left", "level"),
    [
        (90 * DAY, 30 * DAY, "ok"),
        (90 * DAY, 20 * DAY, "warning"),
        (90 * DAY, -HOUR, "failure"),
        (12 * HOUR, 4 * HOUR, "ok"),
    ],
)
def test_a_certificate_is_judged_by_what_is_left_of_its_own_life(life: float, left: float, level: str) -> None:
    now = 1_800_000_000.0
    assert site.expiry(now + left - life, now + left, now).level == level


class TestTheDoor:
    def test_is_closed_to_anybody_else(self, db: None) -> None:
        client = Client(raise_request_exception=False)
        assert client.get("/self-test").status_code == 404
        forged = {self_test.HEADER: "doctor:1sXyz:AAAA"}
        assert client.get("/self-test", headers=forged).status_code == 404
        assert client.post("/self-test", headers=forged).status_code == 404

    def test_closes_after_a_minute(self, time_machine: Any) -> None:
        time_machine.move_to("2026-11-24T12:00:00Z")
        signed = self_test.sign()
        assert self_test.is_signed(signed)
        time_machine.shift(61)
        assert not self_test.is_signed(signed)

    def test_asks_a_write_for_its_csrf_token(self, db: None) -> None:
        client = Client(enforce_csrf_checks=True)
        assert client.post("/self-test", headers={self_test.HEADER: self_test.sign()}).status_code == 403


def test_an_address_that_nobody_has_is_unreachable() -> None:
    with pytest.raises(UnreachableError):
        Site("http://127.0.0.1:9").request("GET", "/", {})
