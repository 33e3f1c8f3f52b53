"""Put deploy/ on the path, because its commands are not part of the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.source import DEPLOY

sys.path.insert(0, str(DEPLOY))

from host.console import Console, Failure
from host.stack import Stack


class Lock:
    """A lock that nobody else wants, in place of a container."""

    descriptor = 2

    def end(self) -> str:
        return ""


@pytest.fixture(autouse=True)
def _free_lock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every command have the lock; test_lock.py tests the lock itself."""
    if request.path.name != "test_lock.py":
        monkeypatch.setattr("host.lock._start", lambda stack, command: Lock())


@pytest.fixture(autouse=True)
def _uncaught_signals(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave this process's signals alone; test_console.py tests how commands catch them."""
    if request.path.name != "test_console.py":
        monkeypatch.setattr("host.console.catch_signals", lambda: None)


class Kept:
    """Keeps the lines of a journal in memory, in place of host.records.Records."""

    def __init__(self) -> None:
        self.text = ""
        self.is_full = False

    def read(self) -> str:
        return self.text

    def append(self, line: str) -> None:
        if self.is_full:
            raise Failure("no space left on device", "free space")
        self.text += line + "\n"

    def adopt(self, console: Console) -> None:
        """Find nothing of an earlier version."""


@pytest.fixture
def kept() -> Kept:
    """Return the empty records of a stack."""
    return Kept()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Create a checkout that contains only an env file for production."""
    (tmp_path / "envs").mkdir()
    env_file = tmp_path / "envs/prod.env"
    env_file.write_text("# ours\nDJANGO_ENV=prod\nIMAGE_TAG=one\n\nPOSTGRES_PASSWORD=a-secret-of-some-length\n")
    env_file.chmod(0o600)
    return tmp_path


class Docker:
    """Returns canned output by the beginning of a command, and records the commands."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, str | int] = {}

    def run(self, *command: str, check: bool = True, **options: Any) -> Any:
        words = [word for word in command if not word.startswith(("/", "docker-compose"))]
        said = " ".join(word for word in words if word not in {"--env-file", "-f"})
        self.asked.append(said)
        found = [answer for begin, answer in self.answers.items() if said.startswith(begin)]
        answer = found[0] if found else ""
        code = answer if isinstance(answer, int) else 0
        if check and code:
            raise Failure(f"{said} exited with {code}", "fix it")
        return subprocess.CompletedProcess(command, code, "" if code else str(answer), "")


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch) -> Docker:
    docker = Docker()
    monkeypatch.setattr(Stack, "run", docker.run)
    return docker


@pytest.fixture
def stack(repository: Path, docker: Docker) -> Stack:
    return Stack("prod", repository=repository)
