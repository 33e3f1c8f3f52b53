"""The OpenAPI document says of every operation what the shared layer does to it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client


@pytest.fixture
def document(db: None) -> dict[str, Any]:
    answer = Client().get("/api/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def parameters(operation: dict[str, Any]) -> set[str]:
    return {parameter["name"] for parameter in operation.get("parameters", [])}


def test_every_operation_may_answer_with_a_problem(document):
    for path in document["paths"].values():
        for operation in path.values():
            for status in ("400", "401", "404", "429", "500"):
                assert "application/problem+json" in operation["responses"][status]["content"]


def test_conditional_requests_are_described(document):
    me = document["paths"]["/api/v1/me"]
    assert "If-None-Match" in parameters(me["get"])
    assert "304" in me["get"]["responses"]
    assert "ETag" in me["get"]["responses"]["200"]["headers"]
    assert "If-Match" in parameters(me["patch"])
    assert {"application/json", "application/merge-patch+json"} == set(me["patch"]["requestBody"]["content"])


def test_posts_that_honour_an_idempotency_key_say_so(document):
    assert "Idempotency-Key" in parameters(document["paths"]["/api/v1/tokens"]["post"])
    assert "Idempotency-Key" not in parameters(document["paths"]["/api/v1/auth/login"]["post"])


def test_who_may_call_is_described(document):
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    security = document["paths"]["/api/v1/me"]["get"]["security"]
    assert [set(each) for each in security] == [{"token"}, {"session"}]
    assert not document["paths"]["/api/v1/auth/login"]["post"].get("security")


def test_shapes_that_come_in_refuse_what_they_do_not_know(document):
    schemas = document["components"]["schemas"]
    assert schemas["LoginInRequest"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["UserOut"]


def test_secrets_only_go_the_way_they_should(document):
    schemas = document["components"]["schemas"]
    assert "token" in schemas["NewTokenOut"]["properties"]
    assert "token" not in schemas["TokenOut"]["properties"]
    assert not any("password" in shape.get("properties", {}) for name, shape in schemas.items() if "Out" in name)
