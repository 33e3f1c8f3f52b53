"""How many connections, processes and how much memory the configured processes need: one sum, one result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

Get = Callable[[str], Any]

SPARE_CONNECTIONS: Final = 4  # the worker's LISTEN, a migration and its lock, someone with psql
POOL_SIZE: Final = 4  # connections that a pool keeps open in each process
SPARE_PIDS: Final = 20  # gunicorn's arbiter, health checks, a management command
THREADS_BESIDE: Final = 4  # per process: its main thread, Sentry's, a pool's
MEGABYTES: Final = {"m": 1, "g": 1024}
MEMORY_BASE, MEMORY_PROCESS, MEMORY_THREAD = 100, 60, 20  # megabytes; a thread that hashes a password takes 19


class Connections(NamedTuple):
    """Database connections of all processes together, and while a release runs twice as many replicas."""

    needed: int
    rolling: int


def connections(get: Get) -> Connections:
    """Return how many connections the processes may open; `get` returns a variable's value."""
    pooled = (get("DATABASE_URL") or {}).get("OPTIONS", {}).get("pool")
    each = get("GUNICORN_WORKERS") * max(get("GUNICORN_THREADS"), POOL_SIZE if pooled else 0)
    requests = get("BACKEND_REPLICAS") * each
    needed = requests + get("WORKER_CONCURRENCY") + SPARE_CONNECTIONS
    return Connections(needed, needed + requests)


def backend_pids(workers: int, threads: int) -> int:
    return workers * (threads + THREADS_BESIDE) + SPARE_PIDS


def backend_memory(workers: int, threads: int) -> int:
    """Return the megabytes that a backend container needs."""
    return MEMORY_BASE + workers * (MEMORY_PROCESS + threads * MEMORY_THREAD)


def worker_pids(jobs: int) -> int:
    return jobs + THREADS_BESIDE + SPARE_PIDS


def worker_memory(jobs: int) -> int:
    """Return the megabytes that the worker needs."""
    return MEMORY_BASE + jobs * MEMORY_PROCESS


def megabytes(text: str) -> int:
    return int(text[:-1]) * MEGABYTES[text[-1]]
