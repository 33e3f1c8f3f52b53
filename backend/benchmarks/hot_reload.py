"""How long after a file is saved its new form is served, with `make run` and with `docker compose up`.

    backend/.venv/bin/python backend/benchmarks/hot_reload.py [run] [compose] [--rounds 10]

It works on a copy of the checkout, on ports of its own, and takes everything down again. A round rewrites one
line of todo_project/urls.py and asks for it every 10 ms until the new answer comes.
"""

from __future__ import annotations

import argparse
import http.client
import os
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    while time.monotonic() - start < 30:
        if _get(port, "/hot-reload-probe") == mark.encode():
            return time.monotonic() - start
        time.sleep(0.01)
    raise SystemExit(f"the saved file was not served within 30 s (port {port})")


def _get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return b""  # between the old server and the new one
    finally:
        connection.close()


def describe(name: str, figures: list[float]) -> str:
    """Return one line: median, least and most, in seconds."""
    return (
        f"{name:<20} median {statistics.median(figures):.2f} s   min {min(figures):.2f} s   "
        f"max {max(figures):.2f} s   ({len(figures)} rounds)"
    )


def copy_checkout(target: Path) -> None:
    """Copy what git tracks or would track."""
    listed = subprocess.check_output(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=REPOSITORY, text=True
    )
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, target / name)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_served(port: int, seconds: float) -> None:
    """Return once the server answers."""
    deadline = time.monotonic() + seconds
    while not _get(port, "/health/live"):
        if time.monotonic() > deadline:
            raise SystemExit("the server did not come up")
        time.sleep(0.2)


@contextmanager
def make_run(checkout: Path, port: int) -> Iterator[None]:
    """Serve as `make run` does, with the packages of this checkout."""
    (checkout / "backend/.venv").symlink_to((REPOSITORY / "backend/.venv").resolve())
    server = subprocess.Popen(
        ["make", "run", f"PORT={port}"],
        cwd=checkout,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until_served(port, 120)
        yield
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


@contextmanager
def docker_compose(checkout: Path, port: int) -> Iterator[None]:
    """Serve as `docker compose up` does."""
    project = f"hot-reload-{secrets.token_hex(3)}"
    command = ["docker", "compose", "-p", project]
    environment = os.environ | {"PORT": str(port)}
    try:
        subprocess.run([*command, "up", "-d", "--build", "--quiet-pull"], cwd=checkout, env=environment, check=True)
        wait_until_served(port, 120)
        yield
    finally:
        subprocess.run([*command, "down", "-v", "-t", "3"], cwd=checkout, env=environment, check=False)


WAYS = {"run": ("make run", make_run), "compose": ("docker compose up", docker_compose)}


def main() -> None:
    """Measure the ways that were named, or both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("way", nargs="*", choices=[*WAYS, []], help="run, compose; both when none is named")
    parser.add_argument("--rounds", type=int, default=10)
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped then, too
    lines = []
    for way in chosen.way or WAYS:
        name, serving = WAYS[way]
        with tempfile.TemporaryDirectory(prefix="hot-reload-") as folder:
            checkout = Path(folder)
            copy_checkout(checkout)
            port = free_port()
            with serving(checkout, port):
                lines.append(describe(name, measure(checkout, port, rounds=chosen.rounds)))
    sys.stdout.write("\nfrom save to served\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
