"""Whatever is put into a path, a query or a header of accounts, the answer is no 500."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.conftest import Person

HOSTILE = [
    "%00",
    "%ff",
    "%ed%a0%80",
    "%F0%9F%98%80",
    "9" * 400,
    "-1",
    "1e400",
    "null",
    "[]",
    "'",
    "../..",
    "%2e%2e",
]
LISTS = ["limit", "cursor", "updated_since", "include_deleted", "nothing"]


@pytest.mark.parametrize("value", HOSTILE)
def test_query_parameters(alice: Person, value: str):
    for name in LISTS:
        answer = alice.api.get(f"/tokens?{name}={value}")
        assert answer.status_code == 400, (name, value)
        assert answer.json()["errors"][0]["pointer"] == f"/{name}"


@pytest.mark.parametrize("value", HOSTILE)
def test_paths(alice: Person, value: str):
    for method in ("get", "patch", "delete"):
        assert getattr(alice.api, method)(f"/tokens/{value}").status_code == 404


@pytest.mark.parametrize(
    "value", ["\xff\xfe", "\x00", "Bearer", "Bearer a b", "Bearer \xe9", "bearer todo_\x00", "x" * 9000]
)
def test_authorization(db, value: str):
    answer = Client(raise_request_exception=False).get("/api/v1/me", HTTP_AUTHORIZATION=value)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("value", ["\xff", "\x00", "x" * 9000, "a=b;c", "sessionid"])
def test_cookies(db, value: str):
    client = Client(raise_request_exception=False)
    answer = client.get("/api/v1/me", HTTP_COOKIE=f"sessionid={value}; csrftoken={value}")
    assert answer.status_code == 401
    login = {"email": "a@example.org", "password": "x", "session": True}
    answer = client.post("/api/v1/auth/login", login, "application/json", HTTP_COOKIE=f"sessionid={value}")
    assert answer.status_code == 401


@pytest.mark.parametrize("value", ["\xff", "\x00", '"', "W/", "9" * 9000, '"' + "9" * 9000 + '-x"'])
def test_conditions(alice: Person, value: str):
    assert alice.api.get("/me", headers={"If-None-Match": value}).status_code == 200
    assert alice.api.patch("/me", {"name": "x"}, headers={"If-Match": value}).status_code == 412


@pytest.mark.parametrize(
    "value", ["", "x", "1.2.3.4, x", "\xff", "999.1.1.1", "::1, 1.2.3.4", "fe80::1%eth0", "," * 500]
)
def test_forwarded_addresses(alice: Person, settings, value: str):
    settings.TRUSTED_PROXY_COUNT = 1
    body = {"email": "alice@example.org", "password": "wrong"}
    client = Client(raise_request_exception=False)
    answer = client.post("/api/v1/auth/login", body, "application/json", HTTP_X_FORWARDED_FOR=value)
    assert answer.status_code == 401
