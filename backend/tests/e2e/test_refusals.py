"""Starts that must fail, and many starts at the same time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import harness
from tests.e2e.harness import Stack, say, wait_for

REPLICAS = 10


@pytest.fixture
def broken(checkout: Path) -> Iterator[Stack]:
    stack = harness.deployed(
        checkout, "prod", DEBUG="True", SECRET_KEY="short", GUNICORN_WORKERS="many", ALLOWED_HOSTS="*"
    )
    with harness.standing(stack):
        yield stack


def test_a_bad_configuration_is_refused_with_every_fault_in_one_report(broken: Stack) -> None:
    started = broken.compose("up", "-d", "--build", check=False)
    assert started.returncode != 0
    said = broken.logs("backend")
    for name in ("DEBUG", "SECRET_KEY", "GUNICORN_WORKERS", "ALLOWED_HOSTS"):
        assert name in said
    assert "entrypoint: the configuration check failed" in said
    assert "Traceback" not in said
    assert all(json.loads(line)["event"] for line in said.splitlines() if line.strip())
    # nothing after the check has happened: neither the database nor the services behind have seen a start
    tables = ("psql", "-h", "127.0.0.1", "-U", "todo_user", "-d", "todo_db", "-Atc", r"\dt")
    assert broken.execute("db", *tables).stdout.strip() == ""
    for service in ("worker", "proxy"):
        assert all(one["State"]["Status"] == "created" for one in broken.containers(service))


@pytest.fixture
def crowd(checkout: Path) -> Iterator[Stack]:
    stack = harness.deployed(checkout, "prod", GUNICORN_WORKERS="1", BACKEND_REPLICAS=str(REPLICAS))
    with harness.standing(stack):
        yield stack


def test_ten_replicas_start_at_once_on_an_empty_database_and_one_migrates(crowd: Stack) -> None:
    seconds = crowd.up("--build", "--scale", f"backend={REPLICAS}", "backend")

    def healthy() -> bool:
        states = [one["State"]["Health"]["Status"] for one in crowd.containers("backend")]
        return states == ["healthy"] * REPLICAS

    wait_for("ten healthy replicas", healthy, timeout=harness.PATIENCE, interval=2)
    say(f"{REPLICAS} replicas were created after {seconds:.0f} s")
    said = crowd.logs("backend")
    assert said.count("migrating: ") == 1
    assert said.count("another replica has migrated") + said.count("nothing to migrate") == REPLICAS - 1
    assert [one["RestartCount"] for one in crowd.containers("backend")] == [0] * REPLICAS
