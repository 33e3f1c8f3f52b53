"""This will read an env file: what each of its lines sets, and on which line."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

from todo_project.config.problems import Problem
from todo_project.config.values import StrictEnv


@dataclass(frozen=True, slots=True)
class Entry:
    """One assignment in an env file."""

    name: str
    text: str
    line: int


@dataclass(slots=True)
class EnvFile:
    """An env file that was read: its assignments and what is wrong with it."""

    path: Path
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(path: Path) -> EnvFile:
    """This will read an env file; what is wrong with it becomes problems, never an exception."""
    found = EnvFile(path)
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        found.problems.append(
            Problem(code="file", problem=f"cannot be read: {error.strerror}", instead="", where=str(path))
        )
        return found
    for number, line in enumerate(text.split("\n"), start=1):
        values: dict[str, str] = {}
        reader = StrictEnv(values)
        type(reader)  # read_env is a class method over ENVIRON
        scope = type("_Line", (StrictEnv,), {"ENVIRON": values})
        scope.read_env(io.StringIO(line))
        found.entries += [Entry(name, value, number) for name, value in values.items()]
    return found
