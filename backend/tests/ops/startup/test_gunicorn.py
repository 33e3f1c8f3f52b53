"""The real server: what it logs, what it answers by itself, how it stops."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BACKEND = Path(__file__).resolve().parents[3]
PATIENCE = 120  # seconds; the machine may be busy


def wait_until(holds: Callable[[], Any], *, of: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert of.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def objects(log: Path) -> list[dict[str, Any]]:
    """Read the lines that are whole: the last one may be in the writing."""
    whole, _, _ = log.read_text().rpartition("\n")
    lines = whole.splitlines()
    assert [line for line in lines if not line.startswith("{")] == []
    return [json.loads(line) for line in lines]


class Server:
    """gunicorn with our configuration file, on a port that the kernel chooses, its logs in files."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.port = 0
        self.metrics = folder / "metrics"
        self.out, self.err = folder / "out", folder / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "gunicorn",
                    "--bind",
                    "127.0.0.1:0",
                    "tests.ops.slow_wsgi:application",
                ],
                cwd=BACKEND,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": "/nonexistent",
                    "DJANGO_ENV": "test",
                    "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
                    "LOG_FORMAT": "json",
                    "GUNICORN_WORKERS": "2",
                    "PROMETHEUS_MULTIPROC_DIR": str(self.metrics),
                    "IS_ANSWERING": str(folder / "answering"),
                    **environ,
                },
                stdout=out,
                stderr=err,
            )
        self.wait_until(self.listens)
        self.wait_until(self.is_live)

    def wait_until(self, holds: Callable[[], Any]) -> None:
        wait_until(holds, of=self.process, log=self.err)

    def listens(self) -> bool:
        said = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)\b", self.err.read_text())
        self.port = int(said[1]) if said else 0
        return bool(said)

    def is_live(self) -> bool:
        try:
            return self.get("/health/live")[0] == 200
        except OSError:
            return False

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Host": "localhost", **(headers or {})})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()

    def raw(self, sent: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(sent)
            answer = b""
            with contextlib.suppress(ConnectionResetError):  # it may hang up without having read everything
                while chunk := connection.recv(65536):
                    answer += chunk
        return answer

    def access_line(self, request_id: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        def is_there() -> bool:
            found[:] = [line for line in objects(self.out) if line["request_id"] == request_id]
            return bool(found)

        self.wait_until(is_there)
        assert len(found) == 1
        return found[0]

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("gunicorn"))
    yield running
    if running.process.poll() is None:
        running.stop()


def test_writes_an_access_line_with_the_id_and_without_the_query(server: Server) -> None:
    status, headers, body = server.get(
        "/version?q=my+private+search",
        {"X-Request-ID": "walk-1", "User-Agent": 'quote" back\\slash', "X-Forwarded-For": "6.6.6.6"},
    )
    assert (status, headers["X-Request-ID"]) == (200, "walk-1")
    line = server.access_line("walk-1")
    assert "private" not in server.out.read_text()
    assert line.pop("duration_ms") > 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "gunicorn.access",
        "event": "http.request",
        "environment": "test",
        "release": line["release"],
        "request_id": "walk-1",
        "method": "GET",
        "path": "/version",
        "status": 200,
        "bytes": len(body),
        "client": "127.0.0.1",
        "user_agent": 'quote" back\\slash',
    }


@pytest.mark.parametrize("path", ["/a%0A%7B%22level%22:1%7D", "/%00", "/%ff%fe", "/%E2%98%83", "/%1b[31m"])
def test_no_path_can_forge_a_line(server: Server, path: str) -> None:
    request_id = path.encode().hex()[:60]
    assert server.get(path, {"X-Request-ID": request_id})[0] == 404
    line = server.access_line(request_id)
    assert line["path"].startswith("/")
    assert line["event"] == "http.request"


def test_a_token_in_a_path_is_hidden(server: Server) -> None:
    server.get("/feeds/todo_" + "a" * 43, {"X-Request-ID": "token-in-path"})
    assert server.access_line("token-in-path")["path"] == "/feeds/todo_[hidden]"


def test_probes_leave_no_line(server: Server) -> None:
    server.get("/health/live", {"X-Request-ID": "probe"})
    server.get("/version", {"X-Request-ID": "after-probe"})
    server.access_line("after-probe")
    assert '"probe"' not in server.out.read_text()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (b"GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n", 500),
    ],
    ids=["header", "line", "long address", "long header", "failing worker"],
)
def test_its_own_errors_are_problems_too(server: Server, sent: bytes, status: int) -> None:
    head, _, body = server.raw(sent).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"application/problem+json" in head
    problem = json.loads(body)
    assert problem["status"] == status
    request_id = problem["request_id"]
    assert request_id.encode() in head
    assert request_id in server.err.read_text()
    assert b"aaaa" not in body.replace(request_id.encode(), b"")  # hexadecimal digits are letters, too


def test_every_line_of_its_error_log_is_json_and_no_control_socket_is_tried(server: Server) -> None:
    lines = objects(server.err)
    assert {"event", "level", "logger", "timestamp", "environment", "release"} <= set(lines[0])
    assert any("Booting worker" in line["event"] for line in lines)
    assert "ontrol" not in server.err.read_text()


def test_metrics_add_up_over_workers_and_outlive_one(server: Server) -> None:
    def count() -> float:
        text = server.get("/metrics")[2].decode()
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in text.splitlines()
            if line.startswith("http_requests_total") and 'route="/version"' in line
        )

    before = count()
    for _ in range(20):
        server.get("/version")
    assert count() == before + 20
    # one worker may have taken them all; the other's files come with its start and its first answer
    for name in ("worker_0.pid", "worker_1.pid", "histogram_0.db", "histogram_1.db"):
        server.wait_until(lambda name=name: server.get("/version") and (server.metrics / name).exists())
    files = sorted(path.name for path in server.metrics.iterdir())
    before = count()
    victim = server.workers()[0]
    os.kill(victim, signal.SIGTERM)
    server.wait_until(lambda: victim not in server.workers() and len(server.workers()) == 2)
    for _ in range(20):
        server.get("/version")
    assert count() == before + 20
    # the slot's files went on; the new worker writes the one of its process id when it begins
    server.wait_until(lambda: sorted(path.name for path in server.metrics.iterdir()) == files)
    text = server.get("/metrics")[2].decode()
    assert "http_requests_in_flight 0.0" in text  # the scrape itself does not count
    for slot in "01":
        assert f'worker_memory_bytes{{worker="{slot}"}}' in text


def test_a_worker_that_is_killed_in_a_request_leaves_nothing_in_flight(tmp_path: Path) -> None:
    server = Server(tmp_path, GUNICORN_WORKERS="2")
    client = threading.Thread(target=_ignored, args=(server,))
    client.start()
    server.wait_until(lambda: b"http_requests_in_flight 1.0" in server.get("/metrics")[2])
    for pid in server.workers():
        os.kill(pid, signal.SIGKILL)
    client.join(timeout=PATIENCE)
    server.wait_until(server.is_live)
    server.wait_until(lambda: b"http_requests_in_flight 0.0" in server.get("/metrics")[2])
    assert server.stop() == 0


def _ignored(server: Server) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        server.get("/slow-in-django")


def test_a_request_in_flight_is_finished_on_sigterm(tmp_path: Path) -> None:
    server = Server(tmp_path, GUNICORN_WORKERS="1")
    answers: list[tuple[int, Any, bytes]] = []
    client = threading.Thread(target=lambda: answers.append(server.get("/slow")))
    client.start()
    server.wait_until((tmp_path / "answering").exists)
    assert server.stop() == 0
    client.join(timeout=PATIENCE)
    assert [(status, body) for status, _, body in answers] == [(200, b"done")]
    assert not server.metrics.exists()


WORKER = "import os, sys, manage; os.getpid = lambda: 1; sys.argv = ['', 'procrastinate', 'worker']; manage.main()"


@pytest.mark.parametrize(
    "arguments",
    [("-m", "gunicorn", "--bind", "127.0.0.1:0", "tests.ops.hanging_wsgi:application"), ("-c", WORKER)],
    ids=["server", "worker"],
)
def test_a_stop_while_the_application_is_imported_ends_it(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    is_importing = tmp_path / "importing"
    environ = {"PATH": os.environ["PATH"], "DJANGO_ENV": "test", "IS_IMPORTING": str(is_importing)}
    if WORKER in arguments:
        environ["DJANGO_SETTINGS_MODULE"] = "tests.ops.hanging_wsgi"
    command = [sys.executable, *arguments]
    log = tmp_path / "err"
    with log.open("wb") as err:
        process = subprocess.Popen(command, cwd=BACKEND, env=environ, stderr=err)
    try:
        wait_until(is_importing.exists, of=process, log=log)
        process.terminate()
        assert process.wait(timeout=PATIENCE) == 128 + signal.SIGTERM  # of a handler, which process 1 needs
    finally:
        process.kill()


def test_it_serves_before_its_database_does(tmp_path: Path) -> None:
    server = Server(tmp_path, DATABASE_URL="postgres://todo_user:unused@127.0.0.1:1/todo_db")
    try:
        assert server.get("/health/live")[0] == 200
        assert server.get("/health/ready")[0] == 503
    finally:
        server.stop()


def test_a_bad_configuration_is_a_report_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--check-config"],
        cwd=BACKEND,
        env={"PATH": os.environ["PATH"], "DJANGO_ENV": "prod", "GUNICORN_WORKERS": "many", "SECRET_KEY": "short"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode != 0
    assert "GUNICORN_WORKERS" in done.stderr
    assert "SECRET_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_goes_on_serving_for_a_while_after_it_was_asked_to_stop(tmp_path: Path) -> None:
    server = Server(tmp_path, GUNICORN_DRAIN_SECONDS="8", GUNICORN_GRACEFUL_TIMEOUT="20")
    asked = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    while time.monotonic() - asked < 1:
        assert server.get("/health/live")[0] == 200
    assert server.process.wait(timeout=PATIENCE) == 0
    assert time.monotonic() - asked >= 8
    assert "Draining for 8 s" in server.err.read_text()
