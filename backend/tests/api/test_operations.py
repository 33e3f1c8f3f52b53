"""Every operation of the OpenAPI document against the running application: what is documented happens."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from django.db import transaction
from drf_spectacular.validation import validate_schema
from pytest_django import DjangoDbBlocker

from tests.api.operations import DOCUMENT, OPERATIONS, STALE, Caller, Documented, Provoke, resolved, rows_of
from tests.conftest import Api, Person, new_person
from tests.declared import undeclared
from todo_project.db.rows import uuid7

VERBS = (
    "(accept|archive|change|complete|create|decline|delete|get|import|list|login|logout|mark|move|put|register|remove"
    "|reopen|restore|revoke|run|search|skip|transfer|unarchive|undo|update)(_[a-z]+)*"
)


DRY_RUN: dict[tuple[str, int], Any] = {
    ("create_task_from_text", 200): {"json": {"text": "Dig tomorrow", "dry_run": True}}
}


@pytest.fixture(params=OPERATIONS)
def operation(request: pytest.FixtureRequest) -> Documented:
    """One operation after the other."""
    return OPERATIONS[request.param]


@pytest.fixture(scope="module")
def prepared(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[Person, dict[str, str]]]:
    """Create alice and her rows for the whole module; each test is rolled back to them."""
    with django_db_blocker.unblock(), transaction.atomic():
        alice = new_person("alice")
        yield alice, rows_of(alice)
        transaction.set_rollback(True)


@pytest.fixture
def call(prepared: tuple[Person, dict[str, str]], db: None) -> Caller:
    """Call operations as alice, with a client of the test's own."""
    alice, rows = prepared
    return Caller(replace(alice, api=Api(alice.token)), rows)


def has_headers(answer: Any, response: dict[str, Any]) -> None:
    """Every documented header is sent, but for those of a replay."""
    for name in response.get("headers", {}):
        assert name in answer.headers or name in ("Idempotency-Replayed", "X-Original-Request-ID"), name


def fits(value: Any, schema: dict[str, Any]) -> None:
    """The value fits a schema of the document."""
    jsonschema.validate(value, {**schema, "components": DOCUMENT["components"]})


def test_the_document_is_valid() -> None:
    validate_schema(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")
    assert all(server["url"].startswith("http") for server in DOCUMENT["servers"])


def test_it_is_named_and_described(operation: Documented) -> None:
    assert re.fullmatch(VERBS, operation.id)
    summary = operation.details["summary"]
    assert 0 < len(summary) <= 100
    assert summary[0].isupper()


def test_its_examples_are_there_and_valid(operation: Documented) -> None:
    for media_type, media in operation.media.items():
        example = resolved(media["examples"]["example"])["value"]
        if media_type != "multipart/form-data":
            fits(example, media["schema"])
    for status, response in operation.responses.items():
        for media in response.get("content", {}).values():
            example = media["example"] if status >= 400 else resolved(media["examples"]["example"])["value"]
            fits(example, media["schema"])


def test_it_succeeds_as_documented(operation: Documented, call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    for status in (each for each in operation.responses if each < 300):
        if status == 202:
            monkeypatch.setattr("todo_project.imports.services.imports.AT_ONCE_BYTES", 0)
        before = transaction.savepoint()
        row = str(uuid7()) if (operation.method, status) == ("PUT", 201) else ""
        answer = call(operation, row=row, **DRY_RUN.get((operation.id, status), {}))
        assert answer.status_code == status, answer.content
        has_headers(answer, operation.responses[status])
        content = operation.responses[status].get("content")
        assert bool(answer.content) == bool(content)
        if content:
            fits(answer.json(), content["application/json"]["schema"])
        transaction.savepoint_rollback(before)


def test_every_documented_error_is_reached(
    operation: Documented, call: Caller, person: Callable[..., Person], mallory: Person
) -> None:
    provoke = Provoke(call, person, mallory)
    errors = sorted((each for each in operation.responses if each >= 400), key=lambda each: (each == 409, each))
    for status in errors:
        answer = provoke.error(operation, status)
        assert answer.status_code == status, (status, answer.content)
        assert answer["Content-Type"] == "application/problem+json"
        has_headers(answer, operation.responses[status])
        fits(json.loads(answer.content), {"$ref": "#/components/schemas/Problem"})


def test_if_match_is_documented_where_it_works(operation: Documented, call: Caller) -> None:
    answer = call(operation, headers={"If-Match": STALE})
    assert (answer.status_code == 412) == ("If-Match" in operation.parameters)


def test_if_none_match_is_documented_where_it_works(operation: Documented, call: Caller) -> None:
    answer = call(operation, headers={"If-None-Match": "*"})
    expected = {"GET": 304, "PUT": 412}.get(operation.method)
    assert (answer.status_code == expected) == ("If-None-Match" in operation.parameters)
    if answer.status_code == 304:
        has_headers(answer, operation.responses[304])


def test_idempotency_key_is_documented_where_it_works(operation: Documented, call: Caller) -> None:
    key = {"Idempotency-Key": str(uuid7())}
    first, second = call(operation, headers=key), call(operation, headers=key)
    is_replayed = second.headers.get("Idempotency-Replayed") == "true"
    assert is_replayed == ("Idempotency-Key" in operation.parameters)
    if is_replayed:
        assert second.status_code == first.status_code
        assert second.headers["X-Original-Request-ID"] == first.headers["X-Request-ID"]
        documented = operation.responses[first.status_code]["headers"]
        assert {"Idempotency-Replayed", "X-Original-Request-ID"} <= documented.keys()


def test_it_refuses_an_unknown_query_parameter(operation: Documented, call: Caller) -> None:
    answer = call(operation, query="?limits=5&limits=6")
    assert answer.status_code == 400
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/limits"]


def test_what_comes_in_is_strict_and_what_goes_out_is_complete() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for name, schema in schemas.items():
        if name.endswith("Request"):
            assert schema["additionalProperties"] is False, name
    for name in ("Task", "Project", "Section", "Label", "Token", "User", "TaskPage", "Report"):
        asked_for = {"expanded"} if name == "Task" else set()
        assert set(schemas[name]["required"]) == set(schemas[name]["properties"]) - asked_for, name


@pytest.mark.parametrize(
    ("method", "path", "status", "is_declared"),
    [
        ("GET", "/api/v1/tasks", 200, True),
        ("HEAD", "/api/v1/tasks", 200, True),
        ("GET", "/api/v1/tasks", 409, False),
        ("DELETE", "/api/v1/tasks/019aaf3e-0000-7000-8000-000000000001", 409, True),
        ("DELETE", "/api/v1/tasks/019aaf3e-0000-7000-8000-000000000001", 201, False),
        ("DELETE", "/api/v1/tasks", 405, True),
        ("GET", "/health/live", 418, True),
        ("GET", "/nowhere", 418, True),
    ],
)
def test_a_response_that_is_not_declared_fails_the_test_that_sees_it(
    method: str, path: str, status: int, is_declared: bool
) -> None:
    assert (undeclared(method, path, status) is None) == is_declared


def test_values_have_their_enumerations_and_ranges() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    priority = schemas["Task"]["properties"]["priority"]
    assert (priority["minimum"], priority["maximum"]) == (0, 4)
    assert schemas["Recurrence"]["properties"]["mode"]["enum"] == ["schedule", "completion"]
    assert schemas["TokenRequest"]["properties"]["scopes"]["items"]["enum"] == ["read", "write", "admin"]
    limit = OPERATIONS["list_tasks"].parameters["limit"]["schema"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 200, 50)


def test_parameters_with_several_values_list_them() -> None:
    for operation, name, value in (
        ("list_tasks", "sort", "-priority"),
        ("list_tasks", "expand", "subtask_counts"),
        ("get_task", "expand", "assignees"),
    ):
        parameter = OPERATIONS[operation].parameters[name]
        assert (parameter["style"], parameter["explode"]) == ("form", False)
        assert parameter["schema"]["type"] == "array"
        assert value in parameter["schema"]["items"]["enum"]
    expanded = resolved(DOCUMENT["components"]["schemas"]["Task"]["properties"]["expanded"])
    assert {*expanded["properties"]} == {"project", "labels", "assignees", "subtask_counts"}
    assert "expanded" not in DOCUMENT["components"]["schemas"]["TaskRequest"]["properties"]


def test_secrets_go_one_way() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert "token" in schemas["NewToken"]["properties"]
    assert "token" not in schemas["Token"]["properties"]
    answers = (schema for name, schema in schemas.items() if not name.endswith("Request"))
    assert not any("password" in schema.get("properties", {}) for schema in answers)


def test_who_may_call_is_described() -> None:
    assert DOCUMENT["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert OPERATIONS["get_me"].details["security"] == [{"token": []}, {"session": []}]
    assert {each.id for each in OPERATIONS.values() if each.is_open} == {"register", "login", "get_csrf_token"}


NULLABLE = {
    "update_comment": {"mentions"},
    "update_filter": {"is_pinned"},
    "update_label": {"color"},
    "update_me": {"quiet_hours", "digest_at"},
    "update_member": set(),
    "update_project": {"color", "parent_id", "is_archived"},
    "update_section": set(),
    "update_task": {
        *("project_id", "section_id", "parent_id", "description", "priority", "labels", "assignees"),
        *("reminders", "due", "start", "deadline", "recurrence"),
    },
    "update_token": set(),
}


@pytest.mark.parametrize("name", NULLABLE)
def test_null_clears_the_fields_that_the_description_names(name: str, call: Caller) -> None:
    operation = OPERATIONS[name]
    [media] = [each for key, each in operation.media.items() if key == "application/json"]
    fields = resolved(media["schema"])["properties"]
    written = {field for field, schema in fields.items() if not resolved(schema).get("readOnly")}
    cleared = set()
    for field in written:
        before = transaction.savepoint()
        answer = call(operation, json={field: None})
        if answer.status_code == 200:
            cleared.add(field)
            fits({field: None}, media["schema"])
        else:
            assert answer.status_code == 400
            assert [each["pointer"] for each in answer.json()["errors"]] == [f"/{field}"]
        transaction.savepoint_rollback(before)
    assert cleared == NULLABLE[name]


def test_every_merge_patch_is_tried_with_null() -> None:
    assert {each.id for each in OPERATIONS.values() if each.method == "PATCH"} == {*NULLABLE}
