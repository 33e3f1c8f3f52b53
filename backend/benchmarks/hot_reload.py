"""How long after a file is saved its new form is served, with `make run` and with `docker compose up`.

A round rewrites one line of todo_project/urls.py in a copy of the checkout and asks for it every 10 ms until the
new answer comes.
"""

from __future__ import annotations

import http.client
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.processes import running

REPOSITORY = Path(__file__).resolve().parents[2]
PROBE = """
# --- hot reload probe ---
from django.http import HttpResponse
from django.urls import path as _path
urlpatterns += [_path("hot-reload-probe", lambda request: HttpResponse("{mark}"))]
"""


def measure(checkout: Path, port: int, *, rounds: int) -> list[float]:
    """Return the seconds from save to served, one figure a round, after one that does not count."""
    urls = checkout / "backend/todo_project/urls.py"
    original = urls.read_text()
    figures = []
    try:
        for number in range(rounds + 1):
            mark = f"{number}-{secrets.token_hex(4)}"
            urls.write_text(original + PROBE.format(mark=mark))
            figures.append(_seconds_until(port, mark))
            time.sleep(2)  # the watcher has to be watching again
    finally:
        urls.write_text(original)
    return figures[1:]


def _seconds_until(port: int, mark: str) -> float:
    start = time.monotonic()
    while time.monotonic() - start < 120:
        if _get(port, "/hot-reload-probe") == mark.encode():
            return time.monotonic() - start
        time.sleep(0.01)
    raise RuntimeError(f"the saved file was not served within 120 s (port {port})")


def _get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return b""  # between the old server and the new one
    finally:
        connection.close()


def copy_checkout(target: Path) -> None:
    """Copy what git tracks or would track."""
    listed = subprocess.check_output(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=REPOSITORY, text=True
    )
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, target / name)


def wait_until_served(port: int, seconds: float) -> None:
    """Return once the server answers."""
    deadline = time.monotonic() + seconds
    while not _get(port, "/health/live"):
        if time.monotonic() > deadline:
            raise RuntimeError("the server did not come up")
        time.sleep(0.2)


@contextmanager
def make_run(checkout: Path, port: int) -> Iterator[None]:
    """Serve as `make run` does, with the packages of this checkout."""
    (checkout / "backend/.venv").symlink_to((REPOSITORY / "backend/.venv").resolve())
    with running(["make", "run", f"PORT={port}"], log=checkout / "run.log", directory=checkout):
        wait_until_served(port, 120)
        yield


@contextmanager
def docker_compose(checkout: Path, port: int) -> Iterator[None]:
    """Serve as `docker compose up` does."""
    project = f"hot-reload-{secrets.token_hex(3)}"
    command = ["docker", "compose", "-p", project]
    options: Any = {"cwd": checkout, "env": os.environ | {"PORT": str(port)}, "capture_output": True, "text": True}
    try:
        done = subprocess.run([*command, "up", "-d", "--build"], check=False, **options)
        if done.returncode:
            raise RuntimeError(f"docker compose up failed:\n{done.stdout}{done.stderr}")
        wait_until_served(port, 120)
        yield
    finally:
        subprocess.run([*command, "down", "-v", "-t", "3"], check=False, **options)
