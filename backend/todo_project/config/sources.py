"""Where values are found: the process environment, then NAME_FILE, then the env file."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from todo_project.config.envfile import EnvFile
from todo_project.config.problems import PROCESS, Problem
from todo_project.config.schema import VARIABLES
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
    """Return every text of every variable."""
    # Compose empties the secrets of the backup service in all other containers: they are not set there.
    emptied = {row.name for row in VARIABLES if row.reader == "backup" and row.secret}
    process = {name: Found(text, PROCESS, PROCESS) for name, text in environ.items() if text or name not in emptied}
    lines: dict[str, list[Found]] = {}
    sources = Sources()
    for entry in file.entries if file else []:
        path = str(file.path) if file else ""
        before = lines.setdefault(entry.name, [])
        if before:
            numbers = f"on lines {before[0].line} and {entry.line}"
            sources.problems.append(_twice(entry.name, path, entry.line, f"is set twice, {numbers}"))
        before.insert(0, Found(entry.text, f"{path}:{entry.line}", path, entry.line))  # the last one counts
    for row in VARIABLES:
        _gather(row, process, lines, sources)
    return sources


def _gather(
    row: Variable, process: Mapping[str, Found], lines: Mapping[str, list[Found]], sources: Sources
) -> None:
    name, pointer = row.name, f"{row.name}_FILE"
    for places in (process, {key: found[0] for key, found in lines.items()}):
        if name in places and pointer in places:
            place, other = places[name], places[pointer]
            numbers = f", on lines {place.line} and {other.line}" if place.line else ""
            problem = f"is set twice, as {name} and as {pointer}{numbers}"
            sources.problems.append(_twice(name, place.where, place.line, problem))
    texts = [process[name]] if name in process else []
    named = process.get(pointer) or next(iter(lines.get(pointer, [])), None)
    if named and not texts:
        texts += _from_file(row, named, sources)
    texts += lines.get(name, [])
    if texts:
        sources.texts[name] = texts


def _from_file(row: Variable, pointer: Found, sources: Sources) -> list[Found]:
    try:
        if row.reader in {"compose", "make"} and not row.secret:
            raise ValueError("Compose and make read this variable themselves, and do not know _FILE")
        text = _content(pointer.text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        problem = f"cannot be used: {reason}"
        instead = f"write the path of a readable text file with the value, or set {row.name} itself"
        sources.problems.append(
            Problem(
                code="file",
                variable=f"{row.name}_FILE",
                where=pointer.where,
                line=pointer.line,
                problem=problem,
                instead=instead,
            )
        )
        sources.unreadable.add(row.name)
        return []
    return [Found(text, f"{row.name}_FILE, {pointer.source}", pointer.where, pointer.line)]


def _content(path: str) -> str:
    if not path.strip():
        raise ValueError("it is empty")
    # Only a regular file is opened: a FIFO would wait for ever.
    kind = os.stat(path).st_mode
    if not stat.S_ISREG(kind):
        raise ValueError("it names a directory" if stat.S_ISDIR(kind) else "it does not name a file")
    with open(path, "rb") as file:
        raw = file.read(SECRET_FILE_MAX_BYTES + 1)
    if len(raw) > SECRET_FILE_MAX_BYTES:
        raise ValueError(f"the file is larger than {SECRET_FILE_MAX_BYTES} bytes")
    try:
        text = raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text") from None
    if not text:
        raise ValueError("the file is empty")
    if "\0" in text:
        raise ValueError("the file has a NUL byte")
    return text


def _twice(name: str, where: str, line: int | None, problem: str) -> Problem:
    return Problem(
        code="twice", variable=name, where=where, line=line, problem=problem, instead="keep one of the two"
    )
