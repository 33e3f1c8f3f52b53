"""How large the image is, and how long it takes to build again after a change."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures.figure import Figure, ratio
from benchmarks.figures.lab import Lab

_BASE = "python:3.11-slim"
# as the Dockerfile has them
_UV = {"UV_COMPILE_BYTECODE": "1", "UV_LINK_MODE": "copy"}


def figures(lab: Lab) -> list[Figure]:
    """Measure the size, then change code and the lock of a copy in turns."""
    added = lab.engine.image_mb(lab.image) - lab.engine.image_mb(_BASE)
    backend = lab.checkout / "backend"
    results = lab.in_turns(
        "build (s)",
        {
            "code changed": lambda: _rebuild(lab, backend / "todo_project/urls.py"),
            "lock changed": lambda: _rebuild(lab, backend / "requirements/prod.txt"),
            "uv alone": lambda: _install(lab, backend / "requirements/prod.txt"),
        },
    )
    code, lock, alone = ([values[0] for values in rounds] for rounds in results.values())
    return [
        Figure(title="image over its base", unit="MB", values=[added], goal=110),
        Figure(title="image again after a change of code", unit="s", values=code, goal=5),
        ratio("image again after a change of the lock, over uv's own install", lock, alone, unit="s", goal=1.5),
    ]


def _rebuild(lab: Lab, changed: Path) -> Sequence[float]:
    """Build after a line was added that changes nothing but the file."""
    with changed.open("a") as file:
        file.write(f"# {secrets.token_hex(8)}\n")
    began = time.monotonic()
    lab.engine.build(lab.checkout / "backend", "changed")
    return (time.monotonic() - began,)


def _install(lab: Lab, lock: Path) -> Sequence[float]:
    """Let uv install the lock into a fresh environment, from its warm cache."""
    folder = lab.directory / "venv"
    environment = os.environ | _UV
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, str(folder)], env=environment, check=True)
    options = ["--python", str(folder), "--require-hashes", "-r", str(lock)]
    began = time.monotonic()
    subprocess.run([*uv, "pip", "install", *options], env=environment, check=True)
    seconds = time.monotonic() - began
    shutil.rmtree(folder)
    return (seconds,)
