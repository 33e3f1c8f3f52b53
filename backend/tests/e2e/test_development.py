"""`docker compose up` as a developer types it, in a checkout that does not belong to root."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator

import pytest

from benchmarks import hot_reload
from tests.e2e import api, harness
from tests.e2e.harness import Client, Stack

OWNER = 12345
# the image has no pkill
KILL_WORKER = r"""
import os, pathlib, signal
for line in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
    if line.read_bytes() == b"python\0manage.py\0procrastinate\0worker\0":
        os.kill(int(line.parent.name), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    checkout = harness.copy_checkout(tmp_path_factory.mktemp("development"))
    project = harness.project_name("dev")
    # as for a second development stack
    projects = checkout / "deploy/development/projects"
    (projects / f"{project}.env").write_bytes((projects / "todo.env").read_bytes())
    if os.geteuid() == 0:
        harness.run("chown", "-R", f"{OWNER}:{OWNER}", str(checkout))
    port = harness.free_port()
    ports = {"PORT": str(port), "MAILPIT_PORT": str(harness.free_port()), "DEBUGPY_PORT": str(harness.free_port())}
    stack = Stack(project, checkout, variables=ports)
    with harness.standing(stack):
        harness.say(f"the development stack was up after {stack.up('--build'):.0f} s, images included")
        yield stack


@pytest.fixture
def client(stack: Stack) -> Client:
    return Client("127.0.0.1", int(stack.variables["PORT"]))


def test_the_page_and_the_health_check_answer(client: Client) -> None:
    assert client.get("/").status == 200
    api.ready(client)


def test_it_starts_in_order(stack: Stack) -> None:
    started = {name: stack.containers(name)[0]["State"]["StartedAt"] for name in ("db", "backend", "worker")}
    assert started["db"] < started["backend"] < started["worker"]


def test_the_worker_becomes_healthy(stack: Stack) -> None:
    harness.wait_for("a healthy worker", lambda: stack.health("worker") == "healthy")


def test_it_is_reachable_from_this_machine_only(stack: Stack) -> None:
    for service in ("backend", "mailpit"):
        for published in stack.containers(service)[0]["NetworkSettings"]["Ports"].values():
            assert {binding["HostIp"] for binding in published or ()} <= {"127.0.0.1"}
    assert not any(stack.containers("db")[0]["NetworkSettings"]["Ports"].values())


def test_exec_runs_as_the_owner_of_the_checkout(stack: Stack) -> None:
    owner = stack.checkout.stat()
    assert stack.execute("backend", "id", "-u").stdout.strip() == str(owner.st_uid)
    assert stack.execute("backend", "id", "-g").stdout.strip() == str(owner.st_gid)
    stack.execute("backend", "python", "manage.py", "check")


def test_mail_lands_in_mailpit(stack: Stack) -> None:
    sent = "from django.core.mail import send_mail; send_mail('Hello', 'World', None, ['alice@example.org'])"
    harness.wait_for("Mailpit", lambda: stack.execute("backend", "python", "manage.py", "shell", "-c", sent))
    mailpit = Client("127.0.0.1", int(stack.variables["MAILPIT_PORT"]))
    harness.wait_for("the mail", lambda: "alice@example.org" in mailpit.get("/api/v1/messages").text)


def test_a_worker_that_dies_starts_again(stack: Stack) -> None:
    worker = stack.containers("worker")[0]["Id"]

    def processes() -> set[str]:
        rows = harness.run("docker", "top", worker, "-eo", "pid,args").stdout.splitlines()
        return {row.split()[0] for row in rows if row.endswith("python manage.py procrastinate worker")}

    harness.wait_for("the worker", lambda: len(processes()) == 1)
    dead = processes()
    stack.execute("worker", "python", "-c", KILL_WORKER)
    harness.wait_for("another worker", lambda: len(processes() - dead) == 1)
    harness.wait_for("a healthy worker", lambda: stack.health("worker") == "healthy")


def test_a_debugger_can_connect(stack: Stack) -> None:
    def greeting() -> bytes:
        with socket.create_connection(
            ("127.0.0.1", int(stack.variables["DEBUGPY_PORT"])), timeout=60
        ) as connection:
            return connection.recv(100)

    # until debugpy listens, the engine itself accepts the connection and closes it
    harness.wait_for("the greeting of debugpy's adapter", lambda: b"Content-Length" in greeting())


def test_breakpoint_stops_at_an_attached_terminal(stack: Stack) -> None:
    container = stack.containers("backend")[0]
    assert (container["Config"]["OpenStdin"], container["Config"]["Tty"]) == (True, True)
    assert stack.execute("backend", "sh", "-c", "readlink /proc/1/fd/0").stdout.startswith("/dev/pts/")


def test_a_saved_file_is_served_without_a_restart(stack: Stack) -> None:
    figures = hot_reload.measure(stack.checkout, int(stack.variables["PORT"]), rounds=3)
    harness.say(f"from save to served: {', '.join(f'{seconds:.2f} s' for seconds in figures)}")
    # how fast is `make figures`'s question; this machine may be busy
    assert min(figures) < 100


def test_it_leaves_nothing_of_another_owner_in_the_checkout(stack: Stack) -> None:
    if os.geteuid():
        pytest.skip("only root can own a checkout as somebody else")
    # without a check of its status: a file may go away while it looks
    assert harness.run("find", str(stack.checkout), "!", "-user", str(OWNER), check=False).stdout == ""


def test_a_volume_of_another_owner_is_named_with_the_command_that_fixes_it(stack: Stack) -> None:
    # not empty: the engine gives an empty volume the owner and the mode that the image says
    spoil = "touch /volume/file && chown -R 4321:4321 /volume && chmod 755 /volume"
    mount = ("--volume", f"{stack.project}_media_volume:/volume")
    harness.run(
        "docker", "run", "--rm", "--user", "0", "--entrypoint", "sh", *mount, "todo-backend-dev", "-c", spoil
    )
    if stack.checkout.stat().st_uid == 0:
        pytest.skip("root may write everywhere")
    refused = stack.compose("run", "--rm", "--no-deps", "-T", "backend", check=False)
    assert refused.returncode
    assert f"user {OWNER}:{OWNER} cannot write to /app/media (owner 4321:4321, mode 755)" in refused.stderr
    mending = re.search(r"To fix it: docker compose (.*)", refused.stderr)
    assert mending
    stack.compose(*mending[1].split())
    stack.execute("backend", "writable.sh", "/app/media")


def test_a_changed_lock_is_noticed_and_synced(stack: Stack, client: Client) -> None:
    lock = stack.checkout / "backend/requirements/dev.txt"
    there = "import importlib.util as u; print(u.find_spec('hypothesis') is not None)"
    assert stack.execute("backend", "python", "-c", there).stdout.strip() == "True"
    dropped = re.compile(r"^hypothesis==.*\n(?:    .*\n)*", re.M)
    lock.write_text(dropped.sub("", lock.read_text()))
    stack.compose("restart", "--timeout", "3", "backend")
    harness.wait_for("the page after the sync", lambda: client.get("/health/live").status == 200)
    assert "requirements/dev.txt is not what this image was built from" in stack.logs("backend")
    assert stack.execute("backend", "python", "-c", there).stdout.strip() == "False"
