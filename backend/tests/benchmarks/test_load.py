from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import load
from benchmarks.data import token
from benchmarks.load import Request, WrongAnswers
from benchmarks.processes import parse_stat

SAID = 'Running 1s test\nRESULT {"requests": 10, "microseconds": 2000000, "socket_errors": %d, "p50": 1500, '
SAID += '"p99": 9000, "statuses": {%s}}\n'


def test_a_request_goes_on_the_wire_as_the_proxy_would_send_it() -> None:
    wire = Request("POST", "/api/v1/tasks", "todo_x", b"{}").with_header("If-Match", '"1"').wire()
    head, _, body = wire.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /api/v1/tasks HTTP/1.1"
    assert {"Host: bench.example", "X-Forwarded-Proto: https", "Authorization: Bearer todo_x"} < set(lines)
    assert {"Content-Length: 2", 'If-Match: "1"'} < set(lines)
    assert body == b"{}"


def test_the_file_for_wrk_has_each_length(tmp_path: Path) -> None:
    path = tmp_path / "requests"
    requests = [Request("GET", "/a"), Request("POST", "/é".encode().decode("latin-1"), None, "ü".encode())]
    load.write_requests(path, requests)
    rest, found = path.read_bytes(), []
    while rest:
        length, _, rest = rest.partition(b"\n")
        found.append(rest[: int(length)])
        rest = rest[int(length) :]
    assert found == [request.wire() for request in requests]


def test_what_wrk_printed_is_read() -> None:
    done = load.parse(SAID % (0, '"200": 10'), status=200)
    assert (done.requests, done.seconds, done.p50_ms, done.p99_ms) == (10, 2.0, 1.5, 9.0)


@pytest.mark.parametrize(("errors", "statuses"), [(0, '"200": 9, "429": 1'), (0, '"304": 10'), (1, '"200": 10')])
def test_any_other_answer_ends_the_run(errors: int, statuses: str) -> None:
    with pytest.raises(WrongAnswers):
        load.parse(SAID % (errors, statuses), status=200)


def test_a_missing_result_is_reported_with_the_output() -> None:
    with pytest.raises(RuntimeError, match="unable to connect"):
        load.parse("", status=200, otherwise="unable to connect")


def test_tokens_have_the_form_of_real_ones() -> None:
    assert token(0).startswith("todo_")
    assert len(token(0)) == len("todo_") + 43
    assert token(0) != token(1)


def test_processor_time_is_read_behind_a_command_with_brackets() -> None:
    fields = " ".join(["S", "7", *["0"] * 9, "100", "20", "3", "4", *["0"] * 30])
    assert parse_stat(f"42 (gunicorn: (x) y) {fields}") == (7, 127)
