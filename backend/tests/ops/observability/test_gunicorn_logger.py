"""The access line in this process; test_gunicorn.py reads those of a real server."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from todo_project.ops.http.server_errors import write_problem
from todo_project.ops.observability.gunicorn_logger import Logger, _kept_text

ENVIRON = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/caf\u00c3\u00a9",  # UTF-8 as WSGI spells it
    "QUERY_STRING": "q=private",
    "REMOTE_ADDR": "172.18.0.3",
    "HTTP_X_FORWARDED_FOR": "6.6.6.6, 203.0.113.7",
    "HTTP_USER_AGENT": "x" * 5000,
}


def answer(status: Any = "200 OK") -> SimpleNamespace:
    return SimpleNamespace(status=status, sent=12, headers=[("x-request-id", "abc")])


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[Logger]:
    config = Config()
    config.set("accesslog", str(tmp_path / "access"))
    config.set("errorlog", str(tmp_path / "error"))
    made = Logger(config)
    yield made
    for log in (made.access_log, made.error_log):
        for handler in list(log.handlers):
            log.removeHandler(handler)
            handler.close()


@pytest.fixture
def written(logger: Logger, tmp_path: Path) -> Callable[..., str]:
    def write(resp: Any, environ: dict[str, Any] = ENVIRON, took: float = 0.0123) -> str:
        logger.access(resp, None, environ, timedelta(seconds=took))
        return (tmp_path / "access").read_text()

    return write


def test_one_line_of_json(written: Callable[..., str], settings: Any) -> None:
    settings.LOG_FORMAT, settings.TRUSTED_PROXY_COUNT = "json", 1
    line = json.loads(written(answer()))
    assert (line["path"], line["client"], line["duration_ms"]) == ("/caf\u00e9", "203.0.113.7", 12.3)
    assert (line["status"], line["bytes"], line["request_id"]) == (200, 12, "abc")
    assert len(line["user_agent"]) == 2000


def test_what_many_requests_repeat_is_kept_and_nothing_long(written: Callable[..., str], settings: Any) -> None:
    settings.LOG_FORMAT = "json"
    _kept_text.cache_clear()
    for agent in ("app/1.0", "app/1.0", "x" * 300):
        written(answer(), ENVIRON | {"HTTP_USER_AGENT": agent})
    kept = _kept_text.cache_info()
    assert (kept.hits, kept.currsize) == (3, 2)  # the method, and the app


def test_a_line_for_people(written: Callable[..., str], settings: Any) -> None:
    settings.LOG_FORMAT = "console"
    environ = ENVIRON | {"PATH_INFO": "/a\nb"}
    assert written(answer(404), environ) == "172.18.0.3 GET /a\\nb 404 12.3 ms [abc]\n"


def test_a_request_that_was_none_has_a_line_too(written: Callable[..., str], settings: Any) -> None:
    settings.LOG_FORMAT = "json"
    line = json.loads(written(SimpleNamespace(status="400 Bad Request", headers=[]), {}))
    assert (line["status"], line["path"], line["request_id"]) == (400, "", None)


def test_only_failing_probes_have_lines(written: Callable[..., str]) -> None:
    probe = ENVIRON | {"PATH_INFO": "/health/ready"}
    assert written(answer("200 OK"), probe) == ""
    assert "/health/ready 503" in written(answer("503 Service Unavailable"), probe)


def test_a_line_that_fails_is_an_error_and_no_exception(
    written: Callable[..., str], tmp_path: Path, settings: Any
) -> None:
    assert written(SimpleNamespace(status="nonsense", headers=[])) == ""
    assert "the access log could not be written" in (tmp_path / "error").read_text()


def test_without_an_access_log_nothing_is_done(logger: Logger) -> None:
    logger._access_log_enabled = False
    logger.access(None, None, {}, timedelta())


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        (400, "Bad Request", "bad_request"),
        (414, "URI Too Long", "request_uri_too_long"),
        (500, "Internal Server Error", "internal_server_error"),
        (599, "Unknown", "internal_server_error"),
    ],
)
def test_gunicorns_own_answer_is_a_problem(status: int, reason: str, code: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        write_problem(ours, status, reason, "Invalid header <script>")
        head, _, body = theirs.recv(65536).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} {reason}".encode())
    problem = json.loads(body)
    assert (problem["status"], problem["type"]) == (status, f"urn:todo:problem:{code}")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"script" not in body
