"""What a log line holds, whoever wrote it."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.test import Client, RequestFactory
from structlog.contextvars import bound_contextvars

from todo_project.ops.observability import logs

BACKEND = Path(__file__).resolve().parents[3]
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The JSON lines that the root logger writes while a test runs."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.make_formatter(style="json", environment="prod", release="1.2.3"))
    root = logging.getLogger()
    root.addHandler(handler)
    level, _ = root.level, root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


def test_a_line_of_the_standard_library_has_every_field(lines: Lines) -> None:
    with bound_contextvars(request_id="abc"):
        logging.getLogger("some.library").warning("%d things", 3, extra={"job": "todos.purge"})
    line = lines()[0]
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "3 things",
        "level": "warning",
        "logger": "some.library",
        "job": "todos.purge",
        "request_id": "abc",
        "environment": "prod",
        "release": "1.2.3",
    }


def test_a_line_of_our_own_has_the_same_fields(lines: Lines) -> None:
    structlog.get_logger("todos").info("todos.task_completed", task_id="1")
    line = lines()[0]
    assert (line["event"], line["task_id"], line["logger"]) == ("todos.task_completed", "1", "todos")
    assert {"timestamp", "level", "environment", "release"} <= set(line)


def test_log_lines_of_a_request_have_its_id_method_and_path(lines: Lines) -> None:
    request = RequestFactory().post("/api/v1/tasks?q=private", headers={"Authorization": "Bearer x"})
    request.request_id = "abc"  # type: ignore[attr-defined]
    logging.getLogger("django.request").error("failed", extra={"request": request, "status_code": 500})
    line = lines()[0]
    assert (line["request_id"], line["method"], line["path"]) == ("abc", "POST", "/api/v1/tasks")
    assert "private" not in json.dumps(line)


def test_an_exception_is_one_line_without_secrets(lines: Lines) -> None:
    try:
        raise ValueError("could not connect: password=hunter2")
    except ValueError:
        logging.getLogger("x").exception("broken")
    (line,) = lines()
    assert "Traceback" in line["exception"]
    assert "hunter2" not in json.dumps(line)


def test_a_line_cannot_be_forged(lines: Lines) -> None:
    logging.getLogger("x").error('a\n{"event": "forged"}\r\nb')
    assert len(lines()) == 1


Write = Callable[..., str]


@pytest.fixture
def write() -> Write:
    """Formats one record without logging it: pytest could not report a captured lone surrogate."""

    def write(style: str, message: str, **extra: Any) -> str:
        formatter = logs.make_formatter(style=style, environment="dev", release="1")
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, message, (), None)
        record.__dict__.update(extra)
        return formatter.format(record)

    return write


def test_what_cannot_be_json_is_written_all_the_same(write: Write) -> None:
    line = json.loads(write("json", "lone \ud800 and \x00", thing=object(), items={1, 2}))
    assert line["thing"].startswith("<object")


def test_the_console_shows_lines_for_people_without_control_characters(write: Write) -> None:
    line = write("console", "red \x1b[31m alert \ud800", token="hunter2", task="1")
    assert "\x1b" not in line
    assert "red \\x1b[31m alert \\ud800" in line
    assert "hunter2" not in line
    assert "task=1" in line


def test_log_lines_of_a_job_have_its_name_and_its_requests_id(lines: Lines) -> None:
    job = {"task_name": "todos.purge_trash", "id": 7, "attempts": 1, "task_kwargs": {"_request_id": "abc"}}
    logging.getLogger("procrastinate.worker").info("Job ended", extra={"job": job, "worker": {"name": "worker"}})
    line = lines()[0]
    assert (line["job"], line["job_id"], line["attempts"], line["request_id"]) == ("todos.purge_trash", 7, 1, "abc")
    assert "worker" not in line


def test_what_ends_a_process_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", "import warnings; warnings.warn('old'); 1 / 0"],
        cwd=BACKEND,
        env={"PATH": os.environ["PATH"], "DJANGO_ENV": "test", "LOG_FORMAT": "json"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    warned, ended = (json.loads(line) for line in done.stderr.splitlines())
    assert "old" in warned["event"]
    assert (ended["event"], ended["level"]) == ("unhandled_exception", "critical")
    assert "ZeroDivisionError" in ended["exception"]


def test_an_interruption_by_hand_is_no_error(lines: Lines, capsys: pytest.CaptureFixture[str]) -> None:
    logs.log_uncaught(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert lines() == []
    assert "KeyboardInterrupt" in capsys.readouterr().err


def test_a_foreign_host_is_a_warning_without_a_traceback(lines: Lines) -> None:
    Client().get("/version", headers={"Host": "evil.example"})
    line = next(line for line in lines() if line["logger"] == "django.security.DisallowedHost")
    assert line["level"] == "warning"
    assert "exception" not in line
    assert line["request_id"]


def test_a_404_is_left_to_the_access_log(lines: Lines) -> None:
    Client().get("/nothing")
    assert not [line for line in lines() if line["logger"] == "django.request"]


def test_the_development_server_is_silent_about_probes(lines: Lines) -> None:
    for path in ("/health/ready", "/api/v1/me"):
        logging.getLogger("django.server").info('"%s" %s %s', f"GET {path} HTTP/1.1", "200", "57")
    assert [line["event"] for line in lines()] == ['"GET /api/v1/me HTTP/1.1" 200 57']


def test_a_crash_is_logged_with_its_request_id(lines: Lines, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.ops.crashing_urls"
    response = Client(raise_request_exception=False).get("/crash")
    line = next(line for line in lines() if line["logger"] == "django.request")
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert "a secret plan" in line["exception"]
