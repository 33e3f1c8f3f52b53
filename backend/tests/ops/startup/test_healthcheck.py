"""healthcheck.py: what decides whether a container is restarted."""

from __future__ import annotations

import importlib.util
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

PROGRAM = Path(__file__).parents[3] / "healthcheck.py"


@pytest.fixture
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("healthcheck", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def busy(program: ModuleType) -> Iterator[socket.socket]:
    """A server that listens, and whose workers are all busy: nobody accepts the connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        vars(program)["_SERVER"] = server.getsockname()
        vars(program)["_TIMEOUT_SECONDS"] = 0.2
        yield server


def test_a_server_with_no_free_worker_is_alive(program: ModuleType, busy: socket.socket) -> None:
    assert program.main("listening") is None
    assert "timed out" in str(program.main("/health/live"))


def test_a_server_that_has_ended_is_dead(program: ModuleType, busy: socket.socket) -> None:
    busy.close()
    assert "refused" in program.main("listening")


def answer(server: socket.socket, response: bytes) -> None:
    """Accept one connection, read the request, and send the response in two parts."""
    connection, _ = server.accept()
    with connection:
        assert connection.recv(65536).startswith(b"GET /health/ready HTTP/1.0\r\nHost: 127.0.0.1:8000\r\n")
        connection.sendall(response[:20])
        connection.sendall(response[20:])


@pytest.mark.parametrize(("response", "wrong"), [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"status\": \"ok\"}", None),
    (b"HTTP/1.1 503 Service Unavailable\r\n\r\nno database", "/health/ready answered 503: no database"),
    (b"HTTP/1.1 400 Bad Request\r\n\r\n200 OK", "/health/ready answered 400: 200 OK"),
    (b"", "/health/ready answered nothing: "),
], ids=["ready", "not ready", "refused", "nothing"])  # fmt: skip
def test_what_the_server_answers(
    program: ModuleType, busy: socket.socket, response: bytes, wrong: str | None
) -> None:
    vars(program)["_TIMEOUT_SECONDS"] = 60
    serving = threading.Thread(target=answer, args=(busy, response))
    serving.start()
    said = program.main("/health/ready")
    serving.join()
    assert said == wrong
