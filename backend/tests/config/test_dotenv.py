"""The emulations of Compose and docker read every recorded line as the real programs did.

env_lines.json was recorded from Compose 2.26 and the docker CLI 28; tests/e2e/test_env_parsers.py holds the
record against the programs of this machine.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from todo_project.config import dotenv

LINES = json.loads((Path(__file__).parent / "env_lines.json").read_text())
by_text = pytest.mark.parametrize("line", LINES, ids=lambda line: ascii(line["text"]))


def compose(text: str) -> dict[str, str] | None:
    statements = list(dotenv.compose(text, {}))
    if any(statement.reading.error for statement in statements):
        return None
    return {name: value for statement in statements for name, value in statement.reading.pairs if value is not None}


def docker_run(text: str) -> list[list[str]] | None:
    readings = [dotenv.docker_run(line) for line in text.removeprefix("\ufeff").split("\n")]
    if any(reading.error for reading in readings):
        return None
    return [[name, value] for reading in readings for name, value in reading.pairs if value is not None]


@by_text
def test_compose_reads_as_recorded(line: dict[str, Any]) -> None:
    assert compose(line["text"]) == line["compose"]


@by_text
def test_docker_run_reads_as_recorded(line: dict[str, Any]) -> None:
    assert docker_run(line["text"]) == line["docker_run"]


def test_compose_takes_variables_from_its_surroundings_before_those_of_the_file() -> None:
    [_, statement] = dotenv.compose("B=file\nA=$B\n", {"B": "shell"})
    assert statement.reading.pairs == (("A", "shell"),)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("A=1\n\n# note\n  B=2\n", [(1, 1), (4, 4)]),
        ('A="one\ntwo\nthree"\nB=2\n', [(1, 3), (4, 4)]),
        ('A="never closed\nB=2\n', [(1, 1), (2, 2)]),
        ("A\nB=2", [(1, 1), (2, 2)]),
        ("A=1\r\nB=2\r\n", [(1, 1), (2, 2)]),
    ],
)
def test_statements_know_their_lines(text: str, spans: list[tuple[int, int]]) -> None:
    assert [(statement.first, statement.last) for statement in dotenv.compose(text, {})] == spans


def test_django_environ_is_asked_itself_and_does_not_log_the_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="environ.environ"):
        assert dotenv.django("SECRET = hunter2").pairs == ()
        assert dotenv.django("A=' x '").pairs == (("A", " x "),)
    assert "hunter2" not in caplog.text
    assert logging.getLogger("environ.environ").disabled is False
