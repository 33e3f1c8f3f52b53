"""Production works behind PgBouncer in transaction mode, by configuration alone."""

from __future__ import annotations

import re
import secrets
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import api, harness, load
from tests.e2e.api import expect
from tests.e2e.harness import Client, Stack, wait_for

CLIENTS, ROUNDS = 8, 15
FILES = (*harness.PRODUCTION_FILES, "deploy/pooler/docker-compose.yml")


@pytest.fixture(scope="module")
def stack(checkout: Path) -> Iterator[Stack]:
    password = secrets.token_urlsafe(24)
    stack = harness.deployed(
        checkout,
        "prod",
        POSTGRES_PASSWORD=password,
        POOLER_PASSWORD=secrets.token_urlsafe(24),
        COMPOSE_FILE=":".join(FILES),
        BACKEND_REPLICAS="2",
        DATABASE_URL=f"postgres://todo_user:{password}@pooler:6432/todo_db?disable_server_side_cursors=true",
        DATABASE_DIRECT_URL=f"postgres://todo_user:{password}@db:5432/todo_db",
        REQUESTS_PER_TOKEN="0",
        LOGIN_FAILURES_PER_ACCOUNT="3",
    )
    stack.files = FILES
    with harness.standing(stack):
        stack.up("--build")
        yield stack


def sql(stack: Stack, statement: str) -> str:
    """Return the answer of the database itself."""
    return stack.execute("db", "psql", "-qAtU", "todo_user", "-d", "todo_db", "-c", statement).stdout.strip()


def test_two_replicas_start_behind_the_pooler_and_one_of_them_migrates(stack: Stack, client: Client) -> None:
    assert set(api.ready(client)["checks"].values()) == {"ok"}
    assert stack.logs("backend").count("migrating:") == 1

    def states() -> list[str]:
        return [container["State"]["Health"]["Status"] for container in stack.containers("backend")]

    wait_for("two healthy replicas", lambda: states() == ["healthy"] * 2)


def test_requests_come_from_the_pooler_and_the_worker_connects_itself(stack: Stack) -> None:
    pooler, worker = (
        stack.containers(name)[0]["NetworkSettings"]["Networks"][f"{stack.project}_database"]["IPAddress"]
        for name in ("pooler", "worker")
    )
    asked = "SELECT DISTINCT client_addr FROM pg_stat_activity WHERE client_addr IS NOT NULL"
    wait_for("both", lambda: {pooler, worker} <= set(sql(stack, asked).splitlines()))


def test_people_work(client: Client) -> None:
    alice = api.register(client)
    task = expect(alice.post("/api/v1/tasks", {"title": "Buy milk", "recurrence": None}), 201)
    expect(alice.post(f"/api/v1/tasks/{task['id']}/complete"), 200)
    for name, calendar in api.CALENDARS.items():
        expect(alice.upload("/api/v1/imports/ics", name, calendar.encode()), 201)
    assert {"Buy milk", "Water the lemon tree"} <= api.titles(alice)
    assert api.register(client).get(f"/api/v1/tasks/{task['id']}").status == 404


def test_a_repeated_post_is_done_once_even_at_the_same_moment(client: Client) -> None:
    alice, key = api.register(client), secrets.token_hex(8)
    answers: list[str] = []

    def post() -> None:
        answers.append(expect(alice.post("/api/v1/tasks", {"title": "Once"}, Idempotency_Key=key), 201)["id"])

    _at_once(post, times=4)
    assert len(answers) == 4
    assert len(set(answers)) == 1
    assert len(expect(alice.get("/api/v1/tasks"), 200)["results"]) == 1


def test_limits_hold_across_the_replicas(client: Client) -> None:
    def fail() -> list[int]:
        wrong = {"email": f"{secrets.token_hex(6)}@example.org", "password": "not-the-password-of-anybody"}
        return [client.post("/api/v1/auth/login", wrong).status for _ in range(4)]

    assert harness.within_a_window(15 * 60, fail) == [401, 401, 401, 429]


def test_the_worker_does_jobs(stack: Stack) -> None:
    wait_for(
        "a finished job",
        lambda: sql(stack, "SELECT 1 FROM procrastinate_events WHERE type = 'succeeded' LIMIT 1"),
        interval=1,
    )
    assert sql(stack, "SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'") == "0"


def test_eight_clients_at_once_see_no_error(client: Client) -> None:
    people = [api.register(client) for _ in range(CLIENTS)]
    bad: list[str] = []

    def use() -> None:
        person = people.pop()
        for number in range(ROUNDS):
            made = person.post("/api/v1/tasks", {"title": f"Task {number}"})
            task = made.json().get("id")
            answers = [
                made,
                person.get("/api/v1/tasks?limit=20"),
                person.request("PATCH", f"/api/v1/tasks/{task}", data={"priority": 2}),
                person.post(f"/api/v1/tasks/{task}/complete"),
            ]
            bad.extend(f"{answer.status} {answer.text[:200]}" for answer in answers if answer.status >= 300)
        if len(api.titles(person)) != ROUNDS:
            bad.append("a task is missing")

    _at_once(use, times=CLIENTS)
    assert bad == []


def test_a_new_password_needs_no_restart_of_the_pooler_and_costs_no_request(stack: Stack, client: Client) -> None:
    alice, pooler = api.register(client), stack.containers("pooler")[0]["Id"]
    command = (sys.executable, str(stack.checkout / "deploy/release/rotate"), "prod", "database-password")
    with load.running(alice) as seen:
        harness.run(*command)
        wait_for("people who use it", lambda: seen.sent > 100)
    assert seen.failures == []
    assert stack.containers("pooler")[0]["Id"] == pooler
    assert "todo_user_b" in sql(stack, "SELECT DISTINCT usename FROM pg_stat_activity")


def test_nothing_went_wrong_on_the_way_and_no_log_quotes_a_row(stack: Stack, client: Client) -> None:
    alice, mark = api.register(client), f"row-{secrets.token_hex(8)}"
    for status in (201, 409):
        expect(alice.post("/api/v1/labels", {"name": mark}), status)
    said = stack.logs()
    assert mark not in said
    said = stack.logs("backend", "worker", "pooler")
    wrong = re.compile(
        r"prepared statement|DuplicatePrepared|unsupported startup|Traceback|\"level\": ?\"error\"", re.I
    )
    assert [line[:300] for line in said.splitlines() if wrong.search(line)] == []


def _at_once(work: object, *, times: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(times)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
