"""Fuzz the API from its own schema: no request causes a 500, and every response is documented."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test

from tests.api.operations import OPERATIONS
from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, post_task
from todo_project.wsgi import application

EXAMPLES = 6
# tests/architecture calls every route without a token, which is added here to whatever the fuzzer sends; and what
# the schema cannot say (whose id it is, what is in the trash) is refused, so what fits it may be
UNCHECKED = {"ignored_auth", "positive_data_acceptance", "use_after_free", "ensure_resource_availability"}

load_all_checks()
checks = [check for check in CHECKS.get_all() if check.__name__ not in UNCHECKED]


schema = schemathesis.openapi.from_wsgi("/api/openapi.json", application)
# logging out and changing the password would end the fuzzer's own session
names = [name for name in OPERATIONS if name not in ("logout", "change_password")]


@pytest.mark.parametrize("name", names)
def test_no_request_finds_a_defect(name: str, alice: Person, ids: dict[str, Any]) -> None:
    """Use ids of existing rows in half of the requests.

    `schema.parametrize()` would generate the requests while tests are collected, in every process.
    """
    turn = itertools.count(1)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    def send(case: Any) -> None:
        if next(turn) % 2 and case.meta.generation.mode.is_positive:
            case.path_parameters |= {name: ids[name] for name in case.path_parameters if name in ids}
        response = case.call(headers={"Authorization": f"Bearer {alice.token}"})
        case.validate_response(response, checks=checks)

    config = HypothesisTestConfig(project=schema.config, modes=list(HypothesisTestMode))
    create_test(operation=schema.find_operation_by_id(name), test_func=send, config=config)()


@pytest.fixture(autouse=True)
def kept_connection(ids: dict[str, Any]) -> Iterator[None]:
    """Keep the test's transaction open between requests, as Django's own client does.

    After `ids`, because that client connects the receivers again when it is done.
    """
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def ids(alice: Person) -> dict[str, Any]:
    """Return the id of one row of each kind."""
    project = make_project(alice)
    label = make(alice, "labels", name="urgent")
    task = post_task(alice, due={"date": "2026-11-30"}, recurrence={"rule": "FREQ=DAILY"}, labels=[label["id"]])
    section = make_section(alice, project)
    return {f"{kind}_id": row["id"] for kind, row in locals().items() if isinstance(row, dict)}
