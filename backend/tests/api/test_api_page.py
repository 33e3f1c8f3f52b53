"""The examples of docs/api.md, run as they are printed."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from time_machine import TimeMachineFixture

from tests.architecture.source import REPOSITORY
from todo_project.accounts.services import registration

PAGE = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
ANYTHING = "…"


def blocks() -> Iterator[tuple[str, str]]:
    """Yield the language and the text of each code block."""
    yield from re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


class Shell:
    """Runs the few kinds of lines that the page has: variables, curl, and curl into a variable."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self.answer: Any = None
        self.was_replayed = False

    def run(self, script: str) -> None:
        """Run each line of a block."""
        for line in script.replace("\\\n", " ").splitlines():
            if captured := re.fullmatch(r"([A-Z]+)=\$\((curl .*?)(?: \| jq -r \.([\w.\[\]]+))?\)", line):
                name, command, field = captured.groups()
                self.curl(command)
                assert self.answer.status_code < 300, self.answer.content
                self.variables[name] = picked(self.answer.json(), field) if field else self.answer["ETag"]
            elif assigned := re.fullmatch(r"([A-Z]+)=(\S+)", line):
                self.variables[assigned[1]] = assigned[2]
            else:
                self.curl(line)

    def curl(self, command: str) -> None:
        """Send one request."""
        arguments = iter(self._words(command))
        assert next(arguments) == "curl"
        method, url, body, headers = "", "", "", {}
        for argument in arguments:
            if argument == "-X":
                method = next(arguments)
            elif argument == "-H":
                name, value = next(arguments).split(": ", 1)
                headers[name] = value
            elif argument == "--json":
                body = next(arguments)
            elif argument in {"-o", "-w"}:
                next(arguments)
            elif argument != "-s":
                url = argument
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        kind = "application/json" if body else ""
        method = method or ("POST" if body else "GET")
        self.answer = Client().generic(method, path, body, content_type=kind, headers=headers)
        self.was_replayed |= self.answer.get("Idempotency-Replayed") == "true"

    def _words(self, command: str) -> list[str]:
        """Split as the shell does; text in single quotes is left as it is."""
        quoted = re.split(r"('[^']*')", command)
        filled = [each if each.startswith("'") else self._filled(each) for each in quoted]
        return shlex.split("".join(filled))

    def _filled(self, text: str) -> str:
        return re.sub(r"\$([A-Z]+)", lambda found: self.variables[found[1]].replace('"', r"\""), text)


def picked(value: Any, path: str) -> str:
    """Return what jq prints for a path such as `results[0].id`."""
    for step in re.findall(r"\w+", path):
        value = value[int(step) if step.isdecimal() else step]
    return str(value)


def matches(expected: Any, actual: Any) -> bool:
    """Compare; `…` stands for any text, "…": "…" for further fields, and a last "…" for further entries."""
    if isinstance(expected, dict):
        named = {name: value for name, value in expected.items() if name != ANYTHING}
        is_complete = ANYTHING in expected or set(named) == set(actual)
        return is_complete and all(name in actual and matches(each, actual[name]) for name, each in named.items())
    if isinstance(expected, list) and expected[-1:] == [ANYTHING]:
        return all(map(matches, expected[:-1], actual[: len(expected) - 1])) and len(actual) >= len(expected)
    if isinstance(expected, list):
        return len(expected) == len(actual) and all(map(matches, expected, actual))
    if isinstance(expected, str) and ANYTHING in expected:
        return isinstance(actual, str) and bool(
            re.fullmatch(re.escape(expected).replace(ANYTHING, ".*"), actual, re.DOTALL)
        )
    return bool(expected == actual)


@pytest.mark.django_db(transaction=True)  # the log names the person who began the transaction
def test_the_examples_run_as_printed(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(timezone.now().replace(hour=12))  # so that the day does not end meanwhile
    registration.register_user(email="demo@example.org", password="demo-password", name="Demo", now=timezone.now())
    shell = Shell()
    compared = 0
    for language, text in blocks():
        if language == "bash":
            shell.run(text)
        elif language == "json":
            assert matches(json.loads(text), shell.answer.json()), (text, shell.answer.content.decode())
            compared += 1
    assert compared >= 9
    assert shell.was_replayed


def test_a_difference_is_noticed() -> None:
    assert not matches({"a": 1}, {"a": 1, "b": 2})
    assert matches({"a": "x…", "…": "…"}, {"a": "xy", "b": 2})
    assert not matches({"a": "x…", "…": "…"}, {"a": "y"})
    assert not matches([{"a": 1}], [])
