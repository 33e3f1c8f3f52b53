"""Whatever fails, the answer is a problem detail that machines can compare and people can quote."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from tests.api.probe import RAISED
from todo_project import errors as domain
from todo_project.api import problems as errors

EXPECTED = {
    "not_found": (404, "not_found"),
    "conflict": (409, "bowl_is_empty"),
    "stale": (412, "stale_version"),
    "forbidden": (403, "forbidden"),
    "unauthenticated": (401, "unauthenticated"),
    "unprocessable": (422, "unprocessable"),
    "limit": (429, "limit_reached"),
    "input": (400, "invalid_input"),
    "unnamed": (409, "domain_error"),
    "http404": (404, "not_found"),
    "denied": (403, "forbidden"),
    "suspicious": (400, "bad_request"),
    "outage": (503, "unavailable"),
    "defect": (500, "internal_error"),
    "surrogate": (409, "conflict"),
}


def is_problem(answer, status: int, code: str) -> dict:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = json.loads(answer.content)
    assert {"type", "title", "status", "detail", "instance", "request_id"} <= set(body)
    assert body["type"] == f"urn:todo:problem:{code}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer["X-Request-ID"]
    return body


@pytest.mark.parametrize("name", RAISED)
def test_each_kind_of_error_has_its_status(probe: Client, name: str):
    body = is_problem(probe.get(f"/probe/raise/{name}"), *EXPECTED[name])
    assert body["instance"] == f"/probe/raise/{name}"
    assert "secret" not in json.dumps(body)


def test_a_limit_says_when_to_come_back(probe: Client):
    assert probe.get("/probe/raise/limit")["Retry-After"] == "7"
    assert int(probe.get("/probe/raise/outage")["Retry-After"]) > 0


def test_the_401_response_says_how_to_authenticate(probe: Client):
    assert probe.get("/probe/raise/unauthenticated")["WWW-Authenticate"] == 'Bearer realm="api"'
    assert probe.get("/api/v1/me")["WWW-Authenticate"] == 'Bearer realm="api"'


def test_an_input_error_points_at_the_value(probe: Client):
    body = probe.get("/probe/raise/input").json()
    assert body["errors"] == [{"pointer": "/due/at", "code": "in_the_past", "detail": "Not this."}]


def test_a_defect_is_logged_and_reported_with_its_request_id(probe: Client, caplog):
    answer = probe.get("/probe/raise/defect", headers={"X-Request-ID": "abc-1"})
    assert is_problem(answer, 500, "internal_error")["request_id"] == "abc-1"
    assert any(record.exc_info for record in caplog.records)


def test_every_kind_of_domain_error_has_its_own_status():
    direct = set(domain.DomainError.__subclasses__())
    assert direct == {kind for kind, _ in errors._STATUS}


def test_a_path_that_nothing_serves_is_a_problem(probe: Client):
    is_problem(probe.get("/api/v1/nothing"), 404, "not_found")
    is_problem(probe.get("/nothing\u2603"), 404, "not_found")
    is_problem(probe.get("/api/v1/tokens/not-an-id"), 404, "not_found")


@pytest.mark.parametrize("method", ["put", "delete", "options", "trace"])
def test_a_method_that_is_not_there_is_named_beside_those_that_are(probe: Client, method: str):
    answer = probe.generic(method.upper(), "/probe/echo")
    is_problem(answer, 405, "method_not_allowed")
    assert answer.json()["detail"] == "Use one of the methods that the header `Allow` lists."
    assert {name.strip() for name in answer["Allow"].split(",")} == {"GET", "HEAD", "POST", "PATCH"}


def test_requests_for_another_type_than_json_get_an_error(probe: Client):
    is_problem(probe.get("/probe/echo", headers={"Accept": "text/html"}), 406, "not_acceptable")
    for accepted in ("", "*/*", "application/*;q=0.5", "text/html,*/*;q=0.8", "application/json; charset=utf-8"):
        assert probe.get("/probe/echo", headers={"Accept": accepted}).status_code == 200, accepted
    for garbage in (";;;", "a/b/c", "application", "\xff", ",", "*/json", "text/html;q=abc"):
        assert probe.get("/probe/echo", headers={"Accept": garbage}).status_code in {200, 406}, garbage


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json; charset=latin-1",
        "application/merge-patch+json",
        "garbage",
        "",
    ],
)
def test_a_body_of_another_type_is_not_read(probe: Client, media_type: str):
    answer = probe.generic("POST", "/probe/echo", b'{"text": "a"}', content_type=media_type)
    is_problem(answer, 415, "unsupported_media_type")


def test_a_body_that_is_too_large_is_not_read(probe: Client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    body = json.dumps({"text": "x" * 100})
    is_problem(probe.post("/probe/echo", body, "application/json"), 413, "content_too_large")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = len(body)
    assert probe.post("/probe/echo", body, "application/json").status_code == 400


def test_a_body_of_unknown_length_is_refused_and_not_taken_for_an_empty_one(probe: Client):
    answer = probe.post("/probe/echo", headers={"Transfer-Encoding": "chunked"}, CONTENT_LENGTH="")
    is_problem(answer, 411, "length_required")


def test_a_form_without_a_csrf_token_is_refused_as_a_problem(db):
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x", "password": "y"})
    is_problem(answer, 403, "csrf_failed")


def test_any_status_has_a_name(rf):
    request = rf.get("/x")
    for status in (402, 408, 410, 414, 431, 501, 502, 504, 599):
        body = json.loads(errors.problem_response(request, status=status).content)
        assert body["title"]
        assert body["type"].startswith("urn:todo:problem:")


def test_nested_errors_are_pointed_at():
    found = errors._flat({"a/b": [{}, {"~": ["bad"]}], "non_field_errors": ["all"], "c": ["x", "y"]}, "")
    assert [(error["pointer"], error["detail"]) for error in found] == [
        ("/a~1b/1/~0", "bad"),
        ("", "all"),
        ("/c", "x"),
        ("/c", "y"),
    ]
