"""Clients that create and read tasks all the time, and record every unexpected response."""

from __future__ import annotations

import functools
import http.client
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.e2e.harness import Client, Stack

CLIENTS = 8
PAUSE = 0.4  # or they would take a third of the processor from what is tested


@dataclass
class Load:
    """What the clients have seen."""

    sent: int = 0
    failures: list[tuple[float, str]] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    slowest: float = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def saw(self, outcome: str | None, *, seconds: float, title: str | None) -> None:
        """Count one request; `outcome` says what was wrong, `title` what was promised to be kept."""
        with self._lock:
            self.sent += 1
            self.slowest = max(self.slowest, seconds)
            if outcome:
                self.failures.append((time.monotonic(), outcome))
            elif title:
                self.created.append(title)

    def outage(self) -> float:
        """Return the seconds between the first and the last failure."""
        return self.failures[-1][0] - self.failures[0][0] if self.failures else 0


def lost(stack: Stack, seen: Load) -> set[str]:
    """Return the titles of the tasks that were acknowledged and are not in the database."""
    query = "SELECT title FROM todos_task WHERE title LIKE 'load %'"
    command = ("psql", "-h", "127.0.0.1", "-U", "todo_user", "-d", "todo_db", "-Atc", query)
    return set(seen.created) - set(stack.execute("db", *command).stdout.splitlines())


@contextmanager
def meanwhile(*works: Callable[[threading.Event], object]) -> Iterator[None]:
    """Run each function in a thread of its own; at the end of the block the event is set, and they are awaited."""
    stop = threading.Event()
    threads = [threading.Thread(target=work, args=(stop,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def running(person: Client, *, clients: int = CLIENTS) -> Iterator[Load]:
    """Keep a person busy meanwhile; half of the clients keep their connections, as browsers and pools do."""
    load = Load()
    with meanwhile(*(functools.partial(_work, number, person, load) for number in range(clients))):
        yield load


def _work(number: int, person: Client, load: Load, stop: threading.Event) -> None:
    connection = person.connection()
    for count in range(10**9):
        if stop.is_set():
            break
        if number % 2 == 0 or _is_closed(connection):
            connection.close()  # the next request opens it again
        title = f"load {number} {count} {time.monotonic()}" if count % 2 == 0 else None
        start = time.monotonic()
        outcome = _ask(connection, person, title)
        load.saw(outcome, seconds=time.monotonic() - start, title=title)
        time.sleep(PAUSE)
    connection.close()


def _is_closed(connection: http.client.HTTPConnection) -> bool:
    """Return whether the server has ended a kept connection, which is its right; every client library looks."""
    return connection.sock is not None and bool(select.select([connection.sock], [], [], 0)[0])


def _ask(connection: http.client.HTTPConnection, person: Client, title: str | None) -> str | None:
    try:
        if title:
            answer = person.on(connection, "POST", "/api/v1/tasks", data={"title": title})
        else:
            answer = person.on(connection, "GET", "/api/v1/tasks?limit=5")
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return f"{'POST' if title else 'GET'}: {type(error).__name__}: {error}"
    wanted = 201 if title else 200
    return None if answer.status == wanted else f"{answer.status}: {answer.text[:200]}"
