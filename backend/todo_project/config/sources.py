"""Where values are found: the process environment, then NAME_FILE, then the env file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from typing import Final

from todo_project.config.envfile import Entry
from todo_project.config.findings import PROCESS, Examination, Finding, Found
from todo_project.config.schema import VARIABLES
from todo_project.config.variable import Variable

SECRET_FILE_MAX_BYTES: Final = 65_536


def collect(environ: Mapping[str, str], entries: Iterable[Entry], seen: Examination) -> dict[str, list[Found]]:
    """Return every text of each variable, the one that counts first; none if its NAME_FILE cannot be read."""
    # Compose empties the secrets of the backup service in all other containers: they are not set there.
    emptied = {row.name for row in VARIABLES if row.reader == "backup" and row.secret}
    process = {
        name: [Found(text, PROCESS, PROCESS)] for name, text in environ.items() if text or name not in emptied
    }
    lines = _by_name(entries, seen)
    texts: dict[str, list[Found]] = {}
    for row in VARIABLES:
        pointer = f"{row.name}_FILE"
        for places in (process, lines):
            if row.name in places and pointer in places:
                value, named = places[row.name][0], places[pointer][0]
                numbers = f", on lines {value.line} and {named.line}" if value.line else ""
                _complain_twice(seen, row.name, value, f"as {row.name} and as {pointer}{numbers}")
        found = process.get(row.name, [])
        pointers = process.get(pointer) or lines.get(pointer)
        if pointers and not found:
            found = _from_file(row, pointers[0], seen)
        if found or pointers or row.name in lines:
            texts[row.name] = found + lines.get(row.name, [])
    return texts


def _by_name(entries: Iterable[Entry], seen: Examination) -> dict[str, list[Found]]:
    """Return the lines of each name, the last one first."""
    lines: dict[str, list[Found]] = {}
    path = str(seen.path)
    for name, text, number in entries:
        place = Found(text, f"{path}:{number}", path, number)
        if before := lines.get(name):
            _complain_twice(seen, name, place, f"on lines {before[0].line} and {number}")
        lines[name] = [place, *(before or [])]
    return lines


def _complain_twice(seen: Examination, name: str, place: Found, how: str) -> None:
    problem, instead = f"is set twice, {how}", "keep one of the two"
    seen.findings.append(Finding("twice", name, problem, instead, place.where, place.line))


def _from_file(row: Variable, pointer: Found, seen: Examination) -> list[Found]:
    instead = f"write the path of a readable text file with the value, or set {row.name} itself"
    try:
        if row.reader in {"compose", "make"} and not row.secret:
            raise ValueError("Compose and make read this variable themselves, and do not know _FILE")
        text = _content(pointer.text)
    except (OSError, ValueError) as error:
        problem = f"cannot be used: {error.strerror if isinstance(error, OSError) else error}"
        seen.findings.append(Finding("file", f"{row.name}_FILE", problem, instead, pointer.where, pointer.line))
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
