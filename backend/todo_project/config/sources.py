"""This will find each variable's text: process environment, then NAME_FILE, then the env file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from todo_project.config.envfile import EnvFile
from todo_project.config.problems import Problem
from todo_project.config.schema import VARIABLES

SECRET_FILE_MAX_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Found:
    """The text of a variable and where it was found."""

    text: str
    source: str
    where: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    text: str
    where: str | None
    line: int | None


def collect(environ: Mapping[str, str], file: EnvFile | None) -> tuple[dict[str, Found], list[Problem]]:
    """This will return the text that counts for every variable that is set, and what is wrong with it."""
    process = {name: _Place(text, None, None) for name, text in environ.items()}
    entries = file.entries if file else []
    lines = {entry.name: _Place(entry.text, str(file.path), entry.line) for entry in entries} if file else {}
    found: dict[str, Found] = {}
    problems: list[Problem] = []
    for variable in VARIABLES:
        name = variable.name
        for places in (process, lines):
            if name in places and f"{name}_FILE" in places:
                problems.append(_twice(name, places[f"{name}_FILE"]))
        text = _first(name, process, lines, problems)
        if text is not None:
            found[name] = text
    return found, problems


def _first(
    name: str, process: Mapping[str, _Place], lines: Mapping[str, _Place], problems: list[Problem]
) -> Found | None:
    if name in process:
        return Found(process[name].text, "process environment")
    pointer = process.get(f"{name}_FILE") or lines.get(f"{name}_FILE")
    if pointer is not None:
        return _from_file(name, pointer, problems)
    if name in lines:
        place = lines[name]
        return Found(place.text, f"{place.where}:{place.line}", place.where, place.line)
    return None


def _from_file(name: str, pointer: _Place, problems: list[Problem]) -> Found | None:
    try:
        text = _content(pointer.text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        problems.append(
            Problem(
                code="file",
                variable=f"{name}_FILE",
                where=pointer.where,
                line=pointer.line,
                problem=f"names a file that cannot be used: {reason}",
                instead=f"write the path of a readable text file that holds the value, or set {name} itself",
            )
        )
        return None
    return Found(text, f"{name}_FILE ({pointer.text})", pointer.where, pointer.line)


def _content(path: str) -> str:
    with Path(path).open("rb") as file:
        raw = file.read(SECRET_FILE_MAX_BYTES + 1)
    if len(raw) > SECRET_FILE_MAX_BYTES:
        raise ValueError(f"it is larger than {SECRET_FILE_MAX_BYTES} bytes")
    try:
        text = raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    if not text:
        raise ValueError("it is empty")
    return text


def _twice(name: str, place: _Place) -> Problem:
    return Problem(
        code="twice",
        variable=name,
        where=place.where,
        line=place.line,
        problem=f"is given twice, as {name} and as {name}_FILE",
        instead="keep one of the two",
    )
