"""Counts and durations of requests for Prometheus.

Several workers share one directory of memory-mapped files (PROMETHEUS_MULTIPROC_DIR). The files are named
after the worker's slot, not its process id, so that recycled workers go on in their predecessor's files
instead of leaving ever more behind.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
    values,
)

if TYPE_CHECKING:
    from django.http import HttpRequest

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
DIRECTORY: Final = os.environ.get("PROMETHEUS_MULTIPROC_DIR")  # the library's own switch, under its own name
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Worker:
    """Which slot among the server's workers this process has; gunicorn.conf.py sets it after each fork."""

    slot = "main"


if DIRECTORY:
    values.ValueClass = values.MultiProcessValue(  # type: ignore[no-untyped-call]  # has no types
        process_identifier=lambda: Worker.slot
    )

REQUESTS: Final = Counter("http_requests", "Requests answered", ("method", "route", "status"))
DURATION: Final = Histogram(
    "http_request_duration_seconds", "Time to the answer", ("method", "route"), buckets=BUCKETS
)

_counters: dict[tuple[str, str, int], Counter] = {}
_durations: dict[tuple[str, str], Histogram] = {}


def observe(request: HttpRequest, *, status: int, seconds: float) -> None:
    """Count one answered request under its route's template, never its path."""
    method = request.method if request.method in METHODS else "OTHER"
    match = request.resolver_match
    route = "/" + match.route if match is not None else "(none)"
    counter = _counters.get((method, route, status))
    if counter is None:
        counter = _counters[method, route, status] = REQUESTS.labels(method, route, str(status))
    duration = _durations.get((method, route))
    if duration is None:
        duration = _durations[method, route] = DURATION.labels(method, route)
    counter.inc()
    duration.observe(seconds)


def render() -> bytes:
    """Return the exposition text: of all workers when they share a directory, else of this process."""
    if not DIRECTORY:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # has no types
    return generate_latest(registry)
