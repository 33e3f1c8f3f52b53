"""Env files, in the one shape of line that Compose, django-environ and `docker run --env-file` read alike.

A line is blank, a comment that begins with `#`, or NAME=value: a plain value, in which nothing is quoted,
replaced or cut off. Everything else is refused, and still read as it was probably meant, so that one report
names the other faults of the line as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from todo_project.config import names
from todo_project.config.findings import Finding, Found
from todo_project.config.schema import BY_NAME

MAX_BYTES: Final = 1_048_576
_LINE: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")
# What someone may have meant: `export NAME = value`, `NAME: value`, a name with a dot or a dash.
_MEANT: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:]\s*(.*?)\s*")
_ADVICE: Final = "write NAME=value: no quotes, no `$`, no `export`, no space before or after the value, no comment"


@dataclass(slots=True)
class EnvFile:
    """What an env file sets, and what is wrong with it; `stem` is its name up to the first dot."""

    path: Path
    stem: str
    entries: list[Found] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def texts(self, name: str) -> list[str]:
        return [entry.text for entry in self.entries if entry.name == name]

    def add(self, name: str, text: str, line: int) -> None:
        self.entries.append(Found(name, text, f"{self.path}:{line}", str(self.path), line))

    def complain(self, code: str, problem: str, instead: str, *, name: str | None = None, line: int = 0) -> None:
        self.findings.append(Finding(code, name, problem, instead, str(self.path), line or None))


def read(path: Path) -> EnvFile:
    """Read an env file; whatever is wrong with it becomes a finding, never an exception."""
    file = EnvFile(path, stem=path.name.partition(".")[0])
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        file.complain("file", f"cannot be read: {error.strerror}", "name an env file that exists and is readable")
        return file
    if len(raw) > MAX_BYTES:
        file.complain("file", "is larger than 1 MiB", "name an env file: lines of NAME=value")
        return file
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        file.complain("encoding", "begins with a byte order mark", "save it as UTF-8 without one", line=1)
        raw = raw.removeprefix(b"\xef\xbb\xbf")
    for number, line in enumerate(raw.split(b"\n"), start=1):
        text = line.removesuffix(b"\r").decode("utf-8", errors="replace")
        if "\ufffd" in text:
            file.complain("encoding", "is not UTF-8", "save the file as UTF-8", name=_name_in(text), line=number)
        elif text.strip(" \t") and not text.lstrip(" \t").startswith("#"):
            _read_line(file, text, number)
    return file


def _read_line(file: EnvFile, line: str, number: int) -> None:
    match, meant, name = _LINE.fullmatch(line), _MEANT.fullmatch(line), _name_in(line)
    fault = _fault(match[2]) if match else _fault_of_shape(line)
    if match and not fault:
        file.add(match[1], match[2], number)
        return
    text = _unquoted(meant[2]) if meant else ""
    if meant and name:
        file.add(name, text.replace("\0", ""), number)
    plain = name in BY_NAME and not BY_NAME[name].secret and text and not _fault(text)
    file.complain("portability", fault, f"write {name}={text}" if plain else _ADVICE, name=name, line=number)


def _fault(value: str) -> str:
    """Return why a value is not read alike everywhere, or nothing."""
    if value.startswith(("'", '"')):
        return "has a value in quotes, which `docker run` keeps as a part of it"
    if "$" in value:
        return "has a `$` in its value, where Compose inserts another variable or nothing"
    if value != value.strip():
        return "has a space before or after its value, which Compose removes and the others keep"
    if " #" in value or value.startswith("#"):
        return "has a comment after its value, which only Compose removes"
    return "" if value.isprintable() else "has an invisible character in its value"


def _fault_of_shape(line: str) -> str:
    if re.match(r"\s*export\s", line):
        return "begins with `export`, which `docker run` refuses"
    if re.fullmatch(r"\s*[A-Za-z0-9_]+\s*=.*", line):
        return "has a space before or after its name, which django-environ does not read"
    return "is not NAME=value"


def _unquoted(value: str) -> str:
    quoted = re.match(r"""(['"])(.*?)(?:\1|$)""", value)
    return quoted[2] if quoted else value.partition(" #")[0].strip()


def _name_in(line: str) -> str | None:
    """Return the name that a line sets. A line without one can be a piece of a secret and is not repeated."""
    meant = _MEANT.fullmatch(line)
    word = meant[1] if meant else line.strip()
    return word if names.known(word) or (meant and names.printable(word)) else None
