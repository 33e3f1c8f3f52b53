"""Where values are found: the process environment, then NAME_FILE, then the env file."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from todo_project.config.envfile import EnvFile
from todo_project.config.problems import PROCESS, Problem
from todo_project.config.schema import BY_NAME, VARIABLES
from todo_project.config.variable import Variable

SECRET_FILE_MAX_BYTES: Final = 65_536


class Found(NamedTuple):
    """The text of a variable and where it was found."""

    text: str
    source: str
    where: str
    line: int | None = None


@dataclass(slots=True)
class Sources:
    """Every text of each variable, the one that counts first, and what is wrong with the places."""

    texts: dict[str, list[Found]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)


def collect(environ: Mapping[str, str], file: EnvFile | None) -> Sources:
    # Compose empties the secrets of the backup service in all other containers: they are not set there.
    emptied = {row.name for row in VARIABLES if row.reader == "backup" and row.secret}
    process = {name: Found(text, PROCESS, PROCESS) for name, text in environ.items() if text or name not in emptied}
    lines: dict[str, Found] = {}
    path = str(file.path) if file else ""
    sources = Sources()
    for entry in file.entries if file else []:
        place = Found(entry.text, f"{path}:{entry.line}", path, entry.line)
        before = lines.get(entry.name)
        if before and entry.name in BY_NAME:
            # hidden by the later line, and still read
            sources.texts.setdefault(entry.name, []).append(before)
        if before:
            _twice(sources, entry.name, place, f"on lines {before.line} and {place.line}")
        lines[entry.name] = place
    for row in VARIABLES:
        _gather(row, process, lines, sources)
    return sources


def _gather(row: Variable, process: Mapping[str, Found], lines: Mapping[str, Found], sources: Sources) -> None:
    name, pointer = row.name, f"{row.name}_FILE"
    for places in (process, lines):
        if name in places and pointer in places:
            numbers = f", on lines {places[name].line} and {places[pointer].line}" if places[name].line else ""
            _twice(sources, name, places[name], f"as {name} and as {pointer}{numbers}")
    texts = [process[name]] if name in process else []
    named = process.get(pointer) or lines.get(pointer)
    if named and not texts:
        texts += _from_file(row, named, sources)
    texts += [lines[name]] if name in lines else []
    if texts:
        sources.texts[name] = texts + sources.texts.get(name, [])


def _twice(sources: Sources, name: str, place: Found, how: str) -> None:
    problem = Problem("twice", name, f"is set twice, {how}", "keep one of the two", place.where, place.line)
    sources.problems.append(problem)


def _from_file(row: Variable, pointer: Found, sources: Sources) -> list[Found]:
    try:
        if row.reader in {"compose", "make"} and not row.secret:
            raise ValueError("Compose and make read this variable themselves, and do not know _FILE")
        text = _content(pointer.text)
    except (OSError, ValueError) as error:
        problem = f"cannot be used: {error.strerror if isinstance(error, OSError) else error}"
        instead = f"write the path of a readable text file with the value, or set {row.name} itself"
        sources.problems.append(Problem("file", f"{row.name}_FILE", problem, instead, pointer.where, pointer.line))
        sources.unreadable.add(row.name)
        return []
    return [Found(text, f"{row.name}_FILE, {pointer.source}", pointer.where, pointer.line)]


def _content(path: str) -> str:
    if not path.strip():
        raise ValueError("it is empty")
    if not stat.S_ISREG(os.stat(path).st_mode):  # a FIFO would wait for ever
        raise ValueError("it does not name a file")
    with open(path, "rb") as file:
        raw = file.read(SECRET_FILE_MAX_BYTES + 1)
    if len(raw) > SECRET_FILE_MAX_BYTES:
        raise ValueError(f"the file is larger than {SECRET_FILE_MAX_BYTES} bytes")
    try:
        text = raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text") from None
    if not text or "\0" in text:
        raise ValueError("the file has a NUL byte" if text else "the file is empty")
    return text
