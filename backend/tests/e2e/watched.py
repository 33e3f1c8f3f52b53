"""A production stack with two replicas, the optional Prometheus, and a stand-in for Sentry beside it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.e2e import harness
from tests.e2e.harness import Client, Stack

DSN_KEY = "dsnkey0123456789abcdef0123456789"
SENTRY = """
services:
  sentry:
    # it has brotli, with which the reports are compressed
    image: todo-backend:${{IMAGE_TAG}}
    pull_policy: never
    entrypoint: [python, /fake/fake_sentry.py]
    healthcheck: {{disable: true}}
    volumes: ["{path}:/fake/fake_sentry.py:ro"]
    networks: [default]
    stop_grace_period: 1s
"""
# In the running image: defer a job as a request with this id would.
_DEFER = """
import django; django.setup()
from django.db import connection, transaction
from structlog.contextvars import bound_contextvars
from todo_project.jobs import queue as jobs
with transaction.atomic(), bound_contextvars(request_id={request_id!r}):
    jobs.defer({name!r}, **{arguments!r})
    if {last}:
        connection.cursor().execute(
            "UPDATE procrastinate_jobs SET attempts = 5 WHERE args->>'_request_id' = %s", [{request_id!r}])
"""


def stack(checkout: Path, folder: Path, **values: str) -> Stack:
    """Return the stack, not yet started."""
    overlay = folder / "sentry.yml"
    overlay.write_text(SENTRY.format(path=Path(__file__).with_name("fake_sentry.py")))
    made = harness.deployed(
        checkout,
        "prod",
        PROMETHEUS_PORT=str(harness.free_port()),
        SENTRY_DSN=f"http://{DSN_KEY}@sentry:9000/1",
        **values,
    )
    made.files = (*made.files, str(overlay))
    return made


def monitoring(stack: Stack, *arguments: str) -> str:
    """Run docker compose for the stack's monitoring, as its README says."""
    return harness.run("deploy/monitoring/compose", "prod", *arguments, cwd=stack.checkout).stdout.strip()


def address(container: dict[str, Any], stack: Stack) -> str:
    """Return a container's address on the network that the proxy is on."""
    return str(container["NetworkSettings"]["Networks"][f"{stack.project}_default"]["IPAddress"])


def replicas(stack: Stack) -> list[Client]:
    """Return a client for each replica of the backend, which looks like the proxy to it."""
    headers = {"Host": "localhost", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    return [Client(address(one, stack), 8000, headers=headers) for one in stack.containers("backend")]


def prometheus(stack: Stack, path: str) -> Any:
    """Ask Prometheus's API on the port that it publishes."""
    port = monitoring(stack, "port", "prometheus", "9090").rpartition(":")[2]
    answer = Client("127.0.0.1", int(port)).get(f"/api/v1/{path}")
    assert answer.status == 200, answer.text
    return answer.json()["data"]


def query(stack: Stack, expression: str) -> list[dict[str, Any]]:
    """Return what an expression gives now."""
    return list(prometheus(stack, f"query?query={quote(expression)}")["result"])


def requests_counted(stack: Stack, route: str) -> float:
    """Return how many requests of a route all replicas have answered with 200, as their own pages say."""
    lines = (stack.checkout / str(stack.env_file)).read_text().splitlines()
    token = next(line.partition("=")[2] for line in lines if line.startswith("METRICS_TOKEN="))
    pages = [replica.get("/metrics", Authorization=f"Bearer {token}").text for replica in replicas(stack)]
    sample = re.compile(rf'^http_requests_total\{{method="GET",route="{route}",status="200"\}} (.*)$', re.M)
    return sum(float(value) for page in pages for value in sample.findall(page))


def sentry(stack: Stack) -> Client:
    """Return a client of the stand-in."""
    return Client(address(stack.containers("sentry")[0], stack), 9000)


def reported(stack: Stack) -> list[dict[str, Any]]:
    """Return what has been reported."""
    return list(sentry(stack).get("/items").json())


def defer(stack: Stack, name: str, request_id: str, *, last: bool = False, **arguments: Any) -> None:
    """Defer a job as a request with this id would; `last` makes its next attempt the last one."""
    program = _DEFER.format(name=name, request_id=request_id, arguments=arguments, last=last)
    settings = "DJANGO_SETTINGS_MODULE=todo_project.settings"
    stack.execute("backend", "env", settings, "python", "-c", program)


def sql(stack: Stack, statement: str) -> str:
    """Run a statement as the database's owner."""
    run = ("psql", "-h", "127.0.0.1", "-U", "todo_user", "-d", "todo_db", "-v", "ON_ERROR_STOP=1", "-Atc")
    return stack.execute("db", *run, statement).stdout.strip()


def lines(stack: Stack, *services: str) -> list[dict[str, Any]]:
    """Return what the services have logged; a line that is no JSON object is an error that shows it."""
    found = []
    for line in stack.logs(*services).splitlines():
        if line.strip():
            assert line.startswith("{"), f"not JSON: {shlex.quote(line)}"
            found.append(json.loads(line))
    return found
