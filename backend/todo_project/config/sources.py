"""This will find each variable's text: process environment, then NAME_FILE, then the env file."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from todo_project.config.envfile import EnvFile
from todo_project.config.problems import PROCESS, Problem
from todo_project.config.schema import BY_NAME, VARIABLES
from todo_project.config.variable import Variable

SECRET_FILE_MAX_BYTES = 65_536


class Found(NamedTuple):
    """The text of a variable and where it was found."""

    text: str
    source: str
    where: str | None = None
    line: int | None = None


@dataclass(slots=True)
class Sources:
    """All texts: the one that counts for each variable, those that it hides, and what is wrong."""

    found: dict[str, Found] = field(default_factory=dict)
    hidden: list[tuple[str, Found]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)


def collect(environ: Mapping[str, str], file: EnvFile | None) -> Sources:
    """This will find every text of every variable."""
    # Compose empties the secrets of the service backup in the containers of all others: there they are not given.
    others = {variable.name for variable in VARIABLES if variable.reader == "backup" and variable.secret}
    process = {name: Found(text, PROCESS, PROCESS) for name, text in environ.items() if text or name not in others}
    lines: dict[str, Found] = {}
    sources = Sources()
    for entry in file.entries if file else []:
        path = str(file.path) if file else ""
        if entry.name in lines:
            sources.problems.append(_two_lines(entry.name, lines[entry.name], entry.line))
            if entry.name in BY_NAME:
                sources.hidden.append((entry.name, lines[entry.name]))
        lines[entry.name] = Found(entry.text, f"{path}:{entry.line}", path, entry.line)
    for variable in VARIABLES:
        _choose(variable, process, lines, sources)
    return sources


def _choose(variable: Variable, process: Mapping[str, Found], lines: Mapping[str, Found], sources: Sources) -> None:
    name, pointer = variable.name, f"{variable.name}_FILE"
    for places in (process, lines):
        if name in places and pointer in places:
            sources.problems.append(_twice(name, places[name], places[pointer]))
    ranked = [process.get(name), process.get(pointer) or lines.get(pointer), lines.get(name)]
    for rank, found in enumerate(ranked):
        if found is None or (rank == 1 and name in sources.found):
            continue
        text = _from_file(variable, found, sources) if rank == 1 else found
        if text is None:
            sources.unreadable.add(name)
        elif name in sources.found:
            sources.hidden.append((name, text))
        else:
            sources.found[name] = text


def _from_file(variable: Variable, pointer: Found, sources: Sources) -> Found | None:
    name = variable.name
    try:
        if variable.reader in {"compose", "make"} and not variable.secret:
            raise ValueError("Compose and make read this variable themselves and know no _FILE")
        text = _content(pointer.text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        sources.problems.append(
            Problem(
                code="file",
                variable=f"{name}_FILE",
                where=pointer.where,
                line=pointer.line,
                problem=f"cannot be used: {reason}",
                instead=f"write the path of a readable text file that holds the value, or set {name} itself",
            )
        )
        return None
    return Found(text, f"{name}_FILE, {pointer.source}", pointer.where, pointer.line)


def _content(path: str) -> str:
    if not path.strip():
        raise ValueError("it is empty")
    # Nothing but a file is opened: a FIFO would wait for ever.
    kind = os.stat(path).st_mode
    if stat.S_ISDIR(kind):
        raise ValueError("it names a directory")
    if not stat.S_ISREG(kind):
        raise ValueError("it names something that is not a file")
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
        raise ValueError("the file holds a NUL byte")
    return text


def _twice(name: str, place: Found, pointer: Found) -> Problem:
    lines = f", on lines {place.line} and {pointer.line}" if place.line else ""
    return Problem(
        code="twice",
        variable=name,
        where=place.where,
        line=place.line,
        problem=f"is given twice, as {name} and as {name}_FILE{lines}",
        instead="keep one of the two",
    )


def _two_lines(name: str, before: Found, line: int) -> Problem:
    return Problem(
        code="twice",
        variable=name,
        where=before.where,
        line=line,
        problem=f"is given twice, on lines {before.line} and {line}",
        instead="keep one of the two lines",
    )
