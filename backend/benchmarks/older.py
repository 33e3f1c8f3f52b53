"""This backend at another commit, as one more contender: how a change is judged for its speed."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.contenders import BACKEND, DATA, Contender, ours
from benchmarks.processes import ToolMissing

_LOCK = "requirements/prod.txt"


@contextlib.contextmanager
def at_commit(revision: str, repository: Path = BACKEND.parent) -> Iterator[Contender]:
    """Check a commit out into a temporary directory for as long as the block lasts, and yield it as a contender.

    It runs with this environment's packages if it locks the same ones, otherwise in a virtual environment with its
    own. Raises ToolMissing if git does not know the revision or the commit is too old to be measured.
    """
    commit, _, subject = _git(
        repository, "show", "--no-patch", "--format=%h %s", f"{revision}^{{commit}}"
    ).partition(" ")
    with tempfile.TemporaryDirectory(prefix="todo-bench-older-") as directory:
        with tarfile.open(fileobj=io.BytesIO(_archive(repository, commit))) as archive:
            archive.extractall(directory, filter="data")
        backend = Path(directory, "backend")
        if not (backend / DATA).exists():
            raise ToolMissing(f"{commit} cannot be measured: it has no backend/{DATA}. Name a later commit.")
        yield ours(commit, f"this backend at {commit} ({subject})", _interpreter(backend), backend)


def _git(repository: Path, *arguments: str) -> str:
    return _output(repository, *arguments).decode().strip()


def _archive(repository: Path, commit: str) -> bytes:
    return _output(repository, "archive", "--format=tar", commit, "backend")


def _output(repository: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise ToolMissing("--against needs git, which was not found.") from error
    if done.returncode:
        raise ToolMissing(f"git {' '.join(arguments)} failed: {done.stderr.decode().strip()}")
    return done.stdout


def _interpreter(backend: Path) -> str:
    """Return the Python that has the packages of the checkout's lock file."""
    lock = backend / _LOCK
    if lock.read_bytes() == (BACKEND / _LOCK).read_bytes():
        return sys.executable
    python = backend / ".venv/bin/python"
    uv = [sys.executable, "-m", "uv"]
    for command in (
        [*uv, "venv", "--quiet", "--python", sys.executable, str(backend / ".venv")],
        [*uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(lock)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"installing the packages of {lock} failed:\n{done.stdout}{done.stderr}")
    return str(python)
