"""Counters and timings for Prometheus: requests, limits, logins. The present state is in gauges.py.

Several workers share one directory of memory-mapped files (PROMETHEUS_MULTIPROC_DIR). The files are named
after the worker's slot, not its process id, so that a recycled worker continues its predecessor's files
instead of adding more.
"""

from __future__ import annotations

import json
import os
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
    values,
)

from todo_project.ops.health import backups
from todo_project.ops.observability import gauges

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
DIRECTORY: Final = os.environ.get("PROMETHEUS_MULTIPROC_DIR")  # the library's own switch, under its own name
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
READ_ATTEMPTS: Final = 100
DATABASE_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)


class Worker:
    """This process's slot among the workers; gunicorn.conf.py sets it after each fork."""

    slot = "main"


if DIRECTORY:
    Path(DIRECTORY).mkdir(parents=True, exist_ok=True)
    values.ValueClass = values.MultiProcessValue(  # type: ignore[no-untyped-call]  # has no types
        process_identifier=lambda: Worker.slot
    )

REQUESTS: Final = Counter("http_requests", "Requests answered", ("method", "route", "status"))
DURATION: Final = Histogram(
    "http_request_duration_seconds", "Request duration", ("method", "route"), buckets=BUCKETS
)
IN_FLIGHT: Final = Gauge("http_requests_in_flight", "Requests being answered", multiprocess_mode="livesum")
RATE_LIMITED: Final = Counter("rate_limited_requests", "Requests answered 429, by the limit", ("limit",))
LOGIN_FAILURES: Final = Counter("login_failures", "Logins with wrong credentials, the admin's too")
DATABASE_SECONDS: Final = Histogram(
    "http_request_database_seconds", "A request's time in the database", buckets=DATABASE_BUCKETS
)
CONNECT_SECONDS: Final = Histogram(
    "database_connect_seconds", "Time to open a connection, or to get one of the pool", buckets=DATABASE_BUCKETS
)

_counters: dict[tuple[str, str, int], Counter] = {}
_durations: dict[tuple[str, str], Histogram] = {}


def begin_worker(slot: int) -> None:
    """Continue the files of a slot after the fork, and write down the process id for gauges.py."""
    Worker.slot = str(slot)
    IN_FLIGHT.set(0)
    if DIRECTORY:
        path = Path(DIRECTORY) / f"worker_{slot}.pid"
        draft = path.with_suffix(".new")
        draft.write_text(str(os.getpid()))
        draft.replace(path)  # never visible half-written


def end_worker(slot: int) -> None:
    """Remove what must not outlive a worker; called by the process that forked it."""
    multiprocess.mark_process_dead(slot)  # type: ignore[no-untyped-call]  # has no types
    if DIRECTORY:
        (Path(DIRECTORY) / f"worker_{slot}.pid").unlink(missing_ok=True)


def count_login_failure(**_: object) -> None:
    """Count a failed login; a receiver of Django's signal, which the API sends too."""
    LOGIN_FAILURES.inc()


def route_of(request: HttpRequest) -> str:
    """Return the template of the request's route, never its path."""
    match = request.resolver_match
    return "/" + match.route if match is not None else "(none)"


def observe(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    """Count one answered request under its route's template."""
    method = request.method if request.method in METHODS else "OTHER"
    route, status = route_of(request), response.status_code
    counter = _counters.get((method, route, status))
    if counter is None:
        counter = _counters[method, route, status] = REQUESTS.labels(method, route, str(status))
    duration = _durations.get((method, route))
    if duration is None:
        duration = _durations[method, route] = DURATION.labels(method, route)
    counter.inc()
    duration.observe(seconds)
    if status == 429:
        RATE_LIMITED.labels(_limit_of(response)).inc()


def _limit_of(response: HttpResponse) -> str:
    """Return which limit it was: the code of the problem."""
    kind: str = json.loads(response.content).get("type", "")
    return kind.rpartition(":")[2]


def render() -> bytes:
    """Return the exposition text: of all workers when they share a directory, else of this process."""
    ours = _of_all_workers() if DIRECTORY else generate_latest(REGISTRY)
    return b"".join((ours, generate_latest(gauges.REGISTRY), generate_latest(backups.REGISTRY)))


def _of_all_workers() -> bytes:
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # has no types
    for _ in range(READ_ATTEMPTS):
        try:
            return generate_latest(registry)
        except struct.error:  # a starting worker creates a file and sizes it in two steps
            time.sleep(0.02)
    return generate_latest(registry)
