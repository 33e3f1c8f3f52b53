"""Whatever dies is restarted soon, and nothing that was acknowledged is lost."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e import harness, load, together
from tests.e2e.api import expect
from tests.e2e.harness import Client, Stack, say, wait_for

VARIABLES = {"GUNICORN_WORKERS": "2", "GUNICORN_TIMEOUT": "30", "REQUESTS_PER_TOKEN": "0"}
SECONDS = 300  # about three on a quiet machine; a busy one may need many times that
ENQUEUE = "from todo_project.jobs import queue; queue.defer('api.purge_expired', timestamp=0)"
# While somebody holds this table, the job waits in the middle of its work.
HOLD = "BEGIN; LOCK TABLE common_idempotencyrecord IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3600); COMMIT"
IS_HELD = """
    SELECT 1 FROM pg_locks
    WHERE relation = 'common_idempotencyrecord'::regclass AND mode = 'AccessExclusiveLock' AND granted
"""
LET_GO = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'"

# The job is found by its argument, because the worker itself defers one like it every hour.
STATUS = "SELECT status FROM procrastinate_jobs WHERE args = '{\"timestamp\": 0}'"

# How often the job was begun.
STARTS = """SELECT count(*) FROM procrastinate_events WHERE type = 'started' AND job_id =
  (SELECT id FROM procrastinate_jobs WHERE args = '{"timestamp": 0}')"""


def kill(stack: Stack, service: str) -> None:
    """Kill a service's main process as the kernel does when memory runs out; `docker kill` is a deliberate stop."""
    pid = stack.containers(service)[0]["State"]["Pid"]
    harness.run(
        "docker", "run", "--rm", "--pid", "host", "--user", "0", "python:3.11-slim", "sh", "-c", f"kill -9 {pid}"
    )


def ask(stack: Stack, query: str, *, check: bool = True) -> str:
    """Return what the database answers."""
    command = ("psql", "-h", "127.0.0.1", "-U", "todo_user", "-d", "todo_db", "-Atc", query)
    return stack.execute("db", *command, check=check).stdout.strip()


@pytest.mark.parametrize("what", ["backend is killed", "database restarts"])
def test_people_can_work_again_within_seconds(stack: Stack, alice: Client, what: str) -> None:
    with load.running(alice, clients=4) as seen:
        wait_for("people at work", lambda: len(seen.created) > 20)
        if what == "backend is killed":
            kill(stack, "backend")
        else:
            stack.compose("restart", "db")
        wait_for("an answer", lambda: alice.get("/api/v1/me").status == 200)
        before = len(seen.created)
        wait_for("people at work again", lambda: len(seen.created) > before + 20)
    say(f"{what}: {len(seen.failures)} of {seen.sent} requests failed within {seen.outage():.1f} s")
    assert seen.outage() < SECONDS
    assert seen.slowest < SECONDS
    assert load.lost(stack, seen) == set()
    assert len(seen.created) > 20


def test_fifty_people_write_to_one_project_and_a_backend_is_killed(stack: Stack, alice: Client) -> None:
    project = expect(alice.post("/api/v1/projects", {"name": "Together"}), 201)
    people = together.editors(stack, alice, project["id"], count=50)
    work = together.Work(project["id"])
    copies = [together.Copy(alice), together.Copy(people[0])]
    with load.meanwhile(*(copy.follow for copy in copies)):
        runs = (functools.partial(work.run, person, number, rounds=3) for number, person in enumerate(people))
        threads = together.all_at_once(*runs)
        wait_for("people at work", lambda: len(work.created) > 50)
        kill(stack, "backend")
        for thread in threads:
            thread.join()
    say(f"{len(work.created)} tasks, {len(work.commented)} comments; {work.unanswered} requests without an answer")
    assert work.refused == []
    server = together.Copy(alice)
    server.sync_all()
    tasks = {id_: thing["title"] for (kind, id_), thing in server.things.items() if kind == "task"}
    assert [id_ for id_, titles in work.created.items() if tasks.get(id_) not in titles] == []
    assert {id_ for kind, id_ in server.things if kind == "comment"} >= set(work.commented)
    for copy in copies:
        copy.sync_all()
        fresh = together.Copy(copy.person)
        fresh.sync_all()
        assert copy.things == fresh.things
    logged = ask(
        stack, "SELECT count(DISTINCT object_id) FROM todos_change WHERE (kind, action) = ('task', 'created')"
    )
    assert logged == ask(stack, "SELECT count(*) FROM todos_task")
    assert "deadlock" not in stack.logs("db")


@contextmanager
def paused(stack: Stack, service: str) -> Iterator[None]:
    """Let a service hang: it accepts connections and answers nothing."""
    stack.compose("pause", service)
    try:
        yield
    finally:
        stack.compose("unpause", service)


def test_nothing_is_restarted_while_every_worker_waits_for_the_database(stack: Stack, alice: Client) -> None:
    def running() -> dict[str, tuple[int, int]]:
        states = {each["Name"]: (each["State"]["Pid"], each["RestartCount"]) for each in stack.containers()}
        # the job worker gives up after half a minute without a connection, and is started again
        return {name: state for name, state in states.items() if "-db-" not in name and "-worker-" not in name}

    before = running()
    with load.running(alice, clients=4) as seen, paused(stack, "db"):
        wait_for("a container that is not ready", lambda: stack.health("backend") == "unhealthy", interval=1)
        listening = stack.execute("backend", "python", "healthcheck.py", "listening", check=False)
        assert listening.returncode == 0, listening.stdout
    assert seen.sent > 0
    assert running() == before
    wait_for("an answer", lambda: alice.get("/api/v1/me").status == 200)
    wait_for("readiness", lambda: stack.health("backend") == "healthy")


def test_workers_that_hang_for_ever_are_replaced(stack: Stack, alice: Client) -> None:
    processes = "grep -l 'g[u]nicorn' /proc/[0-9]*/cmdline | cut -d/ -f3 | grep -vx 1"
    freeze = f"for pid in $({processes}); do kill -STOP $pid; echo $pid; done"
    frozen = set(stack.execute("backend", "sh", "-c", freeze).stdout.split())
    assert len(frozen) >= 2
    wait_for("others", lambda: frozen.isdisjoint(stack.execute("backend", "sh", "-c", processes).stdout.split()))
    wait_for("an answer", lambda: alice.get("/api/v1/me").status == 200)


def test_a_job_whose_worker_is_killed_is_done_by_the_next(stack: Stack) -> None:
    holding = threading.Thread(target=ask, args=(stack, HOLD), kwargs={"check": False})
    holding.start()
    wait_for("the held table", lambda: ask(stack, IS_HELD))
    stack.execute("backend", "python", "manage.py", "shell", "-c", ENQUEUE)
    wait_for("the job's start", lambda: ask(stack, STATUS) == "doing")
    start = time.monotonic()
    kill(stack, "worker")
    wait_for(
        "another worker",
        lambda: stack.execute("worker", "python", "healthcheck.py", "worker", check=False).returncode == 0,
    )
    seconds = time.monotonic() - start
    say(f"a worker was there again after {seconds:.1f} s")
    assert seconds < SECONDS
    wait_for("its return to the queue", lambda: ask(stack, STARTS) == "2")
    say(f"its job was taken again after {time.monotonic() - start:.1f} s")
    ask(stack, LET_GO)
    holding.join()
    wait_for("the job's end", lambda: ask(stack, STATUS) == "succeeded")
