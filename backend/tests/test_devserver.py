"""The development server survives mistakes in the code and notices every kind of saved file."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.processes import free_port
from tests.architecture.source import BACKEND, REPOSITORY
from tests.conftest import BEING_WRITTEN

PATIENCE = 120  # seconds; the machine may be busy


class Server:
    """Run a server on a copy of the code."""

    def __init__(self, root: Path, port: int) -> None:
        self.code = root / "backend/todo_project"
        self.env_file = root / "envs/dev.env"
        self.log = root / "log"
        self._port = port
        outside = ("DJANGO_", "DATABASE_", "PYTEST_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
        self.terminal, keyboard = os.openpty()
        with self.log.open("w") as log, open(keyboard) as stdin:
            self.process = subprocess.Popen(
                [sys.executable, "devserver.py", f"127.0.0.1:{port}"],
                cwd=root / "backend",
                env=environment,
                stdin=stdin,
                stderr=log,
                stdout=log,
            )

    def status(self) -> int:
        """Return the status of a response, or 0 if there is none."""
        return self._get("/version")[0]

    def page(self, path: str) -> bytes:
        """Return the body of a response."""
        return self._get(path)[1]

    def _get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    def wait(self, what: str, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            assert self.process.poll() is None, f"ended while waiting for {what}: {self.log.read_text()}"
            assert time.monotonic() < deadline, f"no {what}: {self.log.read_text()}"
            time.sleep(0.05)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "backend").mkdir()
    shutil.copytree(BACKEND / "todo_project", tmp_path / "backend/todo_project", ignore=BEING_WRITTEN)
    for name in ("devserver.py", "manage.py"):
        shutil.copy(BACKEND / name, tmp_path / "backend")
    (tmp_path / "backend/var").mkdir()
    (tmp_path / "envs").mkdir()
    shutil.copy(REPOSITORY / "envs/dev.env", tmp_path / "envs")
    server = Server(tmp_path, free_port())
    try:
        server.wait("first answer", lambda: server.status() == 200)
        yield server
    finally:
        server.process.terminate()
        server.process.wait(PATIENCE)
        os.close(server.terminal)


def test_a_mistake_in_the_settings_ends_nothing_once_it_is_fixed(server: Server) -> None:
    settings = server.code / "settings/dev.py"
    good = settings.read_text()
    settings.write_text(f"{good}\nimport no_such_module\n")
    server.wait("notice", lambda: "starts again when a file is saved" in server.log.read_text())
    assert server.status() == 0
    settings.write_text(good)
    server.wait("answer after the mistake", lambda: server.status() == 200)


def test_a_saved_env_file_is_taken_over(server: Server) -> None:
    good = server.env_file.read_text()
    server.env_file.write_text(f"{good}PAGE_SIZE_MAX=many\n")
    server.wait("report", lambda: "PAGE_SIZE_MAX" in server.log.read_text())
    server.env_file.write_text(good)
    server.wait("answer after the mistake", lambda: server.status() == 200)


def test_the_file_of_another_environment_interrupts_nothing(server: Server) -> None:
    (server.env_file.parent / "prod.env").write_text("DJANGO_ENV=prod\n")
    (server.code / "ops/templates/ops/start.html").write_text("saved after it")
    server.wait("the new page", lambda: b"saved after it" in server.page("/"))
    assert "prod.env" not in server.log.read_text()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda each: each.name)
def test_a_signal_ends_it_and_its_server(server: Server, ending: signal.Signals) -> None:
    server.process.send_signal(ending)
    assert server.process.wait(PATIENCE) == 0
    assert server.status() == 0


def test_a_signal_ends_it_also_while_it_waits_for_a_save(server: Server) -> None:
    (server.code / "settings/dev.py").write_text("import no_such_module\n")
    server.wait("notice", lambda: "starts again when a file is saved" in server.log.read_text())
    server.process.terminate()
    assert server.process.wait(PATIENCE) == 0


def test_breakpoint_stops_at_the_terminal(server: Server) -> None:
    views = server.code / "ops/http/pages.py"
    lines = 'name = "of the program"\n    breakpoint()\n    return HttpResponse(name)\n'
    views.write_text(views.read_text().replace("return JsonResponse(", f"{lines}    return JsonResponse(", 1))
    with ThreadPoolExecutor(1) as pool:
        answers = [pool.submit(server.page, "/version")]

        def is_stopped() -> bool:
            if answers[-1].done():  # by the server before the save
                answers.append(pool.submit(server.page, "/version"))
            return "(Pdb)" in server.log.read_text()

        server.wait("prompt", is_stopped)
        os.write(server.terminal, b"name = 'typed'\ncontinue\n")
        assert answers[-1].result(PATIENCE) == b"typed"


def test_a_saved_template_is_served(server: Server) -> None:
    template = server.code / "ops/templates/ops/start.html"
    template.write_text("saved just now")
    server.wait("the new page", lambda: b"saved just now" in server.page("/"))


def test_what_is_saved_while_the_server_starts_is_not_missed(server: Server) -> None:
    page = server.code / "ops/templates/ops/start.html"
    for number in range(5):
        page.write_text(f"version {number}")
        time.sleep(0.1)
    # the server before the first save can give the last version, too: it has read none until it is asked
    server.wait("notice", lambda: "start.html changed, reloading" in server.log.read_text())
    server.wait("the last one", lambda: server.page("/") == b"version 4")


def test_a_save_within_the_second_of_another_is_served_though_it_is_as_long(server: Server) -> None:
    views = server.code / "ops/http/pages.py"
    text = views.read_text()
    second = (int(time.time()) + 3600) * 10**9  # ahead, so that slow reloads do not leave it

    def save(name: str, later: int) -> None:
        views.write_text(text.replace('"todo-backend"', f'"{name}"'))
        os.utime(views, ns=(second + later, second + later))
        server.wait(name, lambda: name.encode() in server.page("/version"))

    save("version 1", later=1)
    save("version 2", later=2)
