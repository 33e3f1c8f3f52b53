"""healthcheck.py: what decides whether a container is restarted."""

from __future__ import annotations

import importlib.util
import socket
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
