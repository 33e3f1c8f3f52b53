"""The operator's commands, the images that they deploy, and people at work, for the tests of releases."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e import harness, watched
from tests.e2e.harness import Client, Stack, say, wait_for

ONE, TWO, DEAF, COLLIDING, BREAKING, RENAMING, WRITES, LATER, CLOSING = (
    f"{harness.IMAGE_TAG}-{name}"
    for name in (
        "one", "two", "deaf", "colliding", "breaking", "renaming", "writes", "later", "closing",
    )
)  # fmt: skip
MIGRATION = """
from django.db import migrations, models
class Migration(migrations.Migration):
    dependencies = [("todos", "{last}")]
    operations = [{operation}]
"""
# The table exists; an image that brings this cannot migrate, although the old code would not mind.
COLLISION = (
    'migrations.CreateModel("Twin", [("id", models.AutoField(primary_key=True))], {"db_table": "todos_task"})'
)
# Old code would read and write a column that is gone.
BREAKAGE = 'migrations.RunSQL("ALTER TABLE todos_task RENAME COLUMN description TO words; " \
           "ALTER TABLE todos_task RENAME COLUMN words TO description")'
RENAME = 'migrations.RunSQL("ALTER TABLE todos_task RENAME COLUMN description TO words")'
FAILING = """
answering = application
def application(environ, start_response):
    path, method, query = (environ[name] for name in ("PATH_INFO", "REQUEST_METHOD", "QUERY_STRING"))
    if {condition}:
        start_response("500 Internal Server Error", [("Content-Type", "application/problem+json")])
        return [b'{{"status": 500}}']
    return answering(environ, start_response)
"""
# Images that are healthy, but answer some requests with 500.
FAILS_FOR = {
    WRITES: 'method == "PATCH" and path.startswith("/api/v1/tasks/")',
    # what the people at work ask for, and the test does not
    LATER: 'query == "limit=5"',
    CLOSING: 'query == "limit=5"',
}


@dataclass
class Operator:
    """The operator's commands."""

    stack: Stack
    env: str = "prod"

    def types(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the commands to its end, whatever that is."""
        return harness.run(f"deploy/release/{command}", *arguments, cwd=self.stack.checkout, check=False)

    def succeeds(self, command: str, *arguments: str) -> dict[str, Any]:
        """Run one of the commands and return what it says to machines."""
        done = self.types(command, *arguments, "--json")
        assert done.returncode == 0, done.stderr
        say(f"{command} {' '.join(arguments)}: {done.stdout[-80:].strip()}")
        return dict(json.loads(done.stdout))

    def deploys(self, tag: str, *options: str) -> dict[str, Any]:
        """Deploy an image; backups have tests of their own."""
        return self.succeeds("deploy", self.env, "--image", tag, "--without-backup", "--new-stack", *options)

    def fails(self, command: str, *arguments: str) -> str:
        """Run one of the commands, which has to fail, and return what it says to people."""
        done = self.types(command, *arguments)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert "\n  next: " in done.stderr
        return done.stderr

    def sees(self) -> dict[str, Any]:
        """Return the status."""
        return self.succeeds("status", self.env)


def derive(checkout: Path, tag: str, line: str, operation: str = "", first: str = ONE) -> None:
    """Build an image that differs from another one in one line, and remove what an earlier run left of the tag."""
    harness.run("docker", "image", "rm", "--force", f"todo-backup:{tag}", f"todo-proxy:{tag}", check=False)
    folder = checkout / "derived" / tag
    folder.mkdir(parents=True)
    migrations = sorted((checkout / "backend/todo_project/todos/migrations").glob("0*.py"))
    (folder / "9999.py").write_text(MIGRATION.format(last=migrations[-1].stem, operation=operation))
    wsgi = (checkout / "backend/todo_project/wsgi.py").read_text()
    (folder / "wsgi.py").write_text(wsgi + FAILING.format(condition=FAILS_FOR.get(tag, "False")))
    (folder / "Dockerfile").write_text(f"FROM todo-backend:{first}\n{line}\n")
    harness.run("docker", "build", "--tag", f"todo-backend:{tag}", str(folder))


def derive_proxy(checkout: Path, tag: str) -> None:
    """Build an image of the proxy with another configuration, which its answers show."""
    folder = checkout / "derived" / f"proxy-{tag}"
    folder.mkdir(parents=True)
    change = "sed -i 's/^.*Referrer-Policy .*$/header ?Referrer-Policy no-referrer/' /etc/caddy/Caddyfile"
    (folder / "Dockerfile").write_text(f"FROM todo-proxy:{ONE}\nUSER root\nRUN {change}\nUSER 10001:10001\n")
    harness.run("docker", "build", "--tag", f"todo-proxy:{tag}", str(folder))


def serving(stack: Stack, count: int = 2) -> set[str]:
    """Return the tags that the backends run, once all are healthy."""

    def tags() -> set[str]:
        found = stack.containers("backend")
        assert [each["State"]["Health"]["Status"] for each in found] == ["healthy"] * count
        return {each["Config"]["Image"].split(":")[1] for each in found}

    return wait_for(f"{count} healthy backends", tags)


@contextmanager
def slow_upload(person: Client) -> Iterator[list[bytes]]:
    """Have a request in the sending during a whole release; gives the answers.

    The proxy waits two minutes for a body, and a release may take longer on a busy machine: then another follows.
    """
    answers: list[bytes] = []
    over = threading.Event()

    def send() -> None:
        while not over.is_set():
            answers.append(_sent_slowly(person, over))

    sending = threading.Thread(target=send)
    sending.start()
    try:
        yield answers
    finally:
        over.set()
        sending.join()


def _sent_slowly(person: Client, over: threading.Event) -> bytes:
    body = b'{"title": "Sent slowly"}'
    head = (
        f"POST /api/v1/tasks HTTP/1.1\r\nHost: localhost:{person.port}\r\n"
        f"Authorization: {person.headers['Authorization']}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    assert person.tls
    try:
        with (
            socket.create_connection((person.host, person.port), timeout=120) as plain,
            person.tls.wrap_socket(plain, server_hostname=person.host) as connection,
        ):
            connection.sendall(head.encode() + body[:8])
            over.wait(60)
            connection.sendall(body[8:])
            return b"".join(iter(lambda: connection.recv(65536), b""))
    except OSError as error:
        return repr(error).encode()


def accounts_of_tests(stack: Stack) -> str:
    """Return how many accounts there are that were made to test a release."""
    return watched.sql(stack, "SELECT count(*) FROM accounts_user WHERE email LIKE '%@release-test.invalid'")


@contextmanager
def watching(stack: Stack) -> Iterator[None]:
    """Have a release watched for so long that the people at work must meet its errors."""
    env_file = stack.checkout / str(stack.env_file)
    env_file.write_text(env_file.read_text().replace("RELEASE_WATCH_SECONDS=1\n", "RELEASE_WATCH_SECONDS=600\n"))
    try:
        yield
    finally:
        text = env_file.read_text().replace("RELEASE_WATCH_SECONDS=600\n", "RELEASE_WATCH_SECONDS=1\n")
        env_file.write_text(text)


# A process that holds the stack's lock until it is killed.
HOLD = """
import pathlib, sys, time
sys.path.insert(0, sys.argv[1])
from host.console import Console
from host.lock import exclusive
from host.stack import Stack
with exclusive(Stack("prod", repository=pathlib.Path(sys.argv[2])), "a test", Console()):
    print("held", flush=True)
    time.sleep(3600)
"""
# A command whose process is killed soon after a step has begun: what follows the step in the journal waits for it.
KILLED = """
import os, runpy, signal, sys, threading, time
sys.path.insert(0, "deploy")
from release.journal import Journal
append, step = Journal._append, sys.argv[1]
def killed(self, name, event, details):
    if killed.soon:
        time.sleep(3600)
    line = append(self, name, event, details)
    if details.get("step") == step:
        killed.soon = True
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return line
killed.soon = False
Journal._append = killed
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def kill_at(operator: Operator, step: str, tag: str) -> None:
    """Deploy, and kill the command while a step is at work; what the step has started goes on."""
    command = ("deploy/release/deploy", "prod", "--image", tag, "--without-backup")
    # no pipes: what survives it would hold them
    done = subprocess.run(
        [sys.executable, "-c", KILLED, step, *command],
        cwd=operator.stack.checkout,
        env=harness.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=harness.PATIENCE,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
