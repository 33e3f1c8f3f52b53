"""Production with a streaming replica, by configuration alone: which reads go there and which do not."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e import api, harness
from tests.e2e.api import expect
from tests.e2e.harness import Client, Stack, wait_for

# a replica as an administrator makes it; each statement that reaches it is logged
REPLICA = """
services:
  replica:
    image: postgres:17
    user: postgres
    entrypoint: [sh, -euc]
    command:
      - |
        [ -s "$$PGDATA/PG_VERSION" ] || {
          pg_basebackup -h db -U todo_replica -D "$$PGDATA" -R -X stream -c fast
          chmod 700 "$$PGDATA"
        }
        exec postgres -c log_statement=all
    environment:
      PGPASSWORD: ${POSTGRES_PASSWORD}
    networks: [database]
    stop_grace_period: 5s
"""


@pytest.fixture(scope="module")
def stack(checkout: Path) -> Iterator[Stack]:
    (checkout / "replica.yml").write_text(REPLICA)
    password = secrets.token_urlsafe(24)
    stack = harness.deployed(
        checkout,
        "prod",
        POSTGRES_PASSWORD=password,
        DATABASE_REPLICA_URL=f"postgres://todo_user:{password}@replica:5432/todo_db",
        GUNICORN_TIMEOUT="60",  # the primary is read for ten seconds longer than that after a write
    )
    stack.files = (*harness.PRODUCTION_FILES, "replica.yml")
    with harness.standing(stack):
        stack.compose("up", "-d", "--wait", "db")
        allow = 'echo "host replication todo_replica all scram-sha-256" >>"$PGDATA/pg_hba.conf"'
        stack.execute("db", "sh", "-c", allow)
        sql(stack, "db", f"CREATE ROLE todo_replica LOGIN REPLICATION PASSWORD '{password}'")
        sql(stack, "db", "SELECT pg_reload_conf()")
        stack.up("--build")
        yield stack


@pytest.fixture(scope="module")
def alice(client: Client) -> Client:
    """Somebody with three tasks."""
    alice = api.register(client)
    for title in ("One", "Two", "Three"):
        expect(alice.post("/api/v1/tasks", {"title": title}), 201)
    return alice


def sql(stack: Stack, service: str, statement: str, role: str = "todo_user") -> str:
    return stack.execute(
        service, "psql", "-qAtU", role, "-d", "todo_db", "-h", "/var/run/postgresql", "-c", statement
    ).stdout.strip()


def lists_read_from_the_replica(stack: Stack) -> int:
    """Count the lists of tasks among the statements that have reached the replica."""
    return sum('FROM "todos_task"' in line and "execute" in line for line in stack.logs("replica").splitlines())


def lists_as_often_as(stack: Stack, person: Client, times: int) -> int:
    """List a person's tasks and give how many of the lists the replica answered."""
    before = lists_read_from_the_replica(stack)
    for _ in range(times):
        assert len(api.titles(person)) == 3
    return lists_read_from_the_replica(stack) - before


def wait_until_the_replica_is_asked(stack: Stack, person: Client) -> None:
    wait_for("a replica that is asked", lambda: lists_as_often_as(stack, person, 4), interval=1)


def test_lists_of_people_who_changed_nothing_lately_are_read_there(stack: Stack, alice: Client) -> None:
    wait_until_the_replica_is_asked(stack, alice)
    wait_for("nearly all of ten", lambda: lists_as_often_as(stack, alice, 10) >= 8)


def test_a_token_that_is_revoked_opens_nothing_from_then_on(client: Client) -> None:
    person = {"email": f"{secrets.token_hex(6)}@example.org", "password": secrets.token_urlsafe(18)}
    expect(client.post("/api/v1/auth/register", person | {"name": "Carol"}), 201)
    for _ in range(5):
        token = expect(client.post("/api/v1/auth/login", person), 200)["token"]
        carol = replace(client, headers={"Authorization": f"Bearer {token}"})
        expect(carol.get("/api/v1/tasks"), 200)
        expect(carol.post("/api/v1/auth/logout"), 204)
        assert carol.get("/api/v1/tasks").status == 401


def test_what_somebody_has_written_is_in_the_next_list_while_the_replica_stands_still(
    stack: Stack, client: Client, alice: Client
) -> None:
    bob = api.register(client)
    wait_until_the_replica_is_asked(stack, alice)
    sql(stack, "replica", "SELECT pg_wal_replay_pause()", role="postgres")
    try:
        for number in range(10):
            expect(bob.post("/api/v1/tasks", {"title": f"Task {number}"}), 201)
            assert len(api.titles(bob)) == number + 1
        first = expect(alice.get("/api/v1/tasks"), 200)["results"][0]
        changed = expect(alice.request("PATCH", f"/api/v1/tasks/{first['id']}", data={"title": "Changed"}), 200)
        assert changed["title"] in api.titles(alice)
    finally:
        sql(stack, "replica", "SELECT pg_wal_replay_resume()", role="postgres")


def test_a_replica_that_is_behind_is_not_asked_until_it_has_caught_up(
    stack: Stack, client: Client, alice: Client
) -> None:
    wait_until_the_replica_is_asked(stack, alice)
    sql(stack, "replica", "SELECT pg_wal_replay_pause()", role="postgres")
    try:
        state = "SELECT pg_get_wal_replay_pause_state()"
        wait_for("the pause", lambda: sql(stack, "replica", state) == "paused")
        api.register(client)  # the log of the primary goes on
        time.sleep(15)  # every process finds out within MAX_LAG_SECONDS, which is 5
        assert lists_as_often_as(stack, alice, 8) == 0
    finally:
        sql(stack, "replica", "SELECT pg_wal_replay_resume()", role="postgres")
    wait_until_the_replica_is_asked(stack, alice)


def test_without_the_replica_everything_is_served(stack: Stack, alice: Client) -> None:
    wait_until_the_replica_is_asked(stack, alice)
    stack.compose("kill", "replica")
    for _ in range(20):
        assert len(api.titles(alice)) == 3
    wait_for("its failure in the log", lambda: "replica_failed" in stack.logs("backend"))
    wait_for("a healthy backend", lambda: stack.health("backend") == "healthy")
    stack.compose("start", "replica")
    wait_until_the_replica_is_asked(stack, alice)
