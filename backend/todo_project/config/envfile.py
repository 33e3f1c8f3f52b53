"""This will read an env file: what each line sets, and each line that its readers would read differently."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from todo_project.config import dotenv, names
from todo_project.config.dotenv import Reading, Statement
from todo_project.config.problems import Problem
from todo_project.config.schema import BY_NAME
from todo_project.config.values import shown

MAX_BYTES = 1_048_576
READERS = ("Compose", "django-environ", "`docker run --env-file`")
PORTABLE = "NAME=value: no quotes, no `$`, no `export`, no spaces around `=` or behind, no comment behind"

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:]\s*(.*?)\s*", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z0-9._~:/?@=&%+,*<>-](?:[A-Za-z0-9._~:/?@=&%+,*<> -]*[A-Za-z0-9._~:/?@=&%+,*<>-])?")


class Entry(NamedTuple):
    """One assignment in an env file."""

    name: str
    text: str
    line: int


@dataclass(slots=True)
class EnvFile:
    """An env file that was read: its assignments, and what is wrong with it as a file and line by line."""

    path: Path
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, code: str, problem: str, instead: str, *, name: str | None = None, line: int = 0) -> None:
        """This will note one problem of this file."""
        self.problems.append(
            Problem(
                code=code,
                problem=problem,
                instead=instead,
                variable=name,
                where=str(self.path),
                line=line or None,
            )
        )


def read(path: Path, environment: Mapping[str, str]) -> EnvFile:
    """This will read an env file; what is wrong with it becomes problems, never an exception."""
    file = EnvFile(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        file.complain("file", f"cannot be read: {error.strerror}", "name an env file that exists and is readable")
        return file
    if len(raw) > MAX_BYTES:
        file.complain("file", "is larger than 1 MiB", "name an env file: lines of NAME=value")
        return file
    _lines(file, _decoded(file, raw), environment)
    return file


def _decoded(file: EnvFile, raw: bytes) -> str:
    """Decode the file; what is not plain UTF-8 is a problem, and the rest is still read."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        file.complain("encoding", "is UTF-16", "save it as UTF-8 without a byte order mark", line=1)
        return raw.decode("utf-16", errors="replace")
    if raw.startswith(b"\xef\xbb\xbf"):
        file.complain(
            "encoding",
            "begins with a byte order mark, with which django-environ does not see the first line",
            "save it as UTF-8 without a byte order mark",
            line=1,
        )
        raw = raw[3:]
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if b"\0" in line:
            file.complain("nul", "holds a NUL byte", "remove it", name=_raw_name(line), line=number)
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            file.complain("encoding", "is not UTF-8", "save the file as UTF-8", name=_raw_name(line), line=number)
    return raw.replace(b"\0", b"").decode("utf-8", errors="replace")


def _raw_name(line: bytes) -> str | None:
    return _name_in(line.replace(b"\0", b"").decode("utf-8", errors="replace"))


def _lines(file: EnvFile, text: str, environment: Mapping[str, str]) -> None:
    lines = text.replace("\r\n", "\n").split("\n")
    covered = 0
    for statement in dotenv.compose(text, environment):
        _others(file, lines, range(covered + 1, statement.first))
        first = max(statement.first, covered + 1)
        _statement(file, lines[first - 1 : statement.last], first, statement)
        covered = max(covered, statement.last)
    _others(file, lines, range(covered + 1, len(lines) + 1))


def _others(file: EnvFile, lines: Sequence[str], numbers: range) -> None:
    """Look at lines in which Compose sees nothing: comments and white space."""
    for number in numbers:
        _judge(file, [lines[number - 1]], number, Reading(), expanded=False)


def _statement(file: EnvFile, lines: Sequence[str], first: int, statement: Statement) -> None:
    if lines:
        _judge(file, lines, first, statement.reading, expanded=statement.expanded)
    elif statement.reading.pairs and file.entries:  # two statements on one line: A="x"B=y
        _differs(file, first - 1, "Compose sees two assignments on this line", "write one a line")


def _judge(file: EnvFile, lines: Sequence[str], first: int, compose: Reading, *, expanded: bool) -> None:
    """Compare the three readings of these lines, note a difference, and keep what the lines set."""
    django = [dotenv.django(line) for line in lines]
    raw = [dotenv.docker_run(line) for line in lines]
    readings = (compose, _joined(django), _joined(raw))
    alike = readings[0] == readings[1] == readings[2] and not compose.error
    if not alike:
        name = _name(readings, lines[0])
        mask = len(lines) > 1 or not _may_be_shown(name)
        told = _told(readings, lines[0], masks=(mask or expanded, mask, mask))
        _differs(file, first, told, _better(compose, name, mask=mask or expanded), name=name)
    if len(lines) > 1:
        _swallowed(file, first, lines)
    else:
        _keep(file, first, lines[0], readings)


def _joined(readings: Sequence[Reading]) -> Reading:
    errors = [reading.error for reading in readings if reading.error]
    return Reading(tuple(pair for reading in readings for pair in reading.pairs), errors[0] if errors else "")


def _differs(file: EnvFile, line: int, told: str, instead: str, *, name: str | None = None) -> None:
    file.complain("portability", f"is not read alike: {told}", instead, name=name, line=line)


def _keep(file: EnvFile, number: int, line: str, readings: Sequence[Reading]) -> None:
    """Keep what Compose reads (containers get that), or what another reader does, or what was probably meant."""
    for reading in readings:
        pairs = [(name, text) for name, text in reading.pairs if text is not None and name]
        if pairs and not reading.error:
            # A stray line separator hides assignments from Compose that django-environ sees.
            kept = dict(readings[1].pairs) | dict(pairs)
            file.entries += [Entry(name, text, number) for name, text in kept.items() if text is not None]
            return
    meant = _ASSIGNMENT.fullmatch(line)
    if meant and not line.lstrip().startswith("#"):
        file.entries.append(Entry(meant[1], meant[2].strip("\"'"), number))


def _swallowed(file: EnvFile, first: int, lines: Sequence[str]) -> None:
    """Keep the lines that a quote which ends too late has taken in, where they set something we know."""
    for number, line in enumerate(lines, start=first):
        meant = _ASSIGNMENT.fullmatch(line)
        if meant and (meant[1] in BY_NAME or names.nearest(meant[1]) is not None):
            file.entries.append(Entry(meant[1], meant[2].strip("\"'"), number))


def _name_in(line: str) -> str | None:
    meant = _ASSIGNMENT.fullmatch(line)
    word = meant[1] if meant else line.strip().removeprefix("export").strip()
    # A line without `=` can be a piece of a secret: its text is not repeated unless it is a known name.
    return word if (meant and names.printable(word)) or names.known(word) else None


def _name(readings: Sequence[Reading], line: str) -> str | None:
    for reading in readings:
        for name, text in reading.pairs:
            if names.printable(name) and (text is not None or names.known(name)):
                return name
    return _name_in(line)


def _may_be_shown(name: str | None) -> bool:
    return name in BY_NAME and not BY_NAME[name].secret


def _told(readings: Sequence[Reading], line: str, *, masks: Sequence[bool]) -> str:
    told = [_says(reading, line, mask=mask) for reading, mask in zip(readings, masks, strict=True)]
    return "; ".join(f"{reader} {what}" for reader, what in zip(READERS, told, strict=True))


def _says(reading: Reading, line: str, *, mask: bool) -> str:
    if reading.error:
        return f"refuses the file, since {reading.error}"
    if not reading.pairs:
        return "drops the line"
    if len(reading.pairs) > 1:
        return "sees several assignments"
    text = reading.pairs[0][1]
    if text is None:
        return "takes the value from its own surroundings, or drops the line"
    if not mask:
        return f"reads {shown(text)}"
    return _described(text, line)


def _described(text: str, line: str) -> str:
    """Say how a secret's reading differs from what is written, without the secret."""
    written = re.split("[=:]", line, maxsplit=1)[-1]
    if text == written:
        return "takes the value as written"
    if text == written.strip():
        return "leaves out the white space around the value"
    if written.lstrip()[:1] in {"'", '"'} and "\n" in text:
        return "reads on over several lines, up to the closing quote"
    if written.lstrip()[:1] in {"'", '"'}:
        return "takes what is between the quotes"
    if "$" in written:
        return "replaces what follows `$` by another variable or by nothing"
    return "takes only the part before the comment" if " #" in written else "takes another value"


def _better(compose: Reading, name: str | None, *, mask: bool) -> str:
    text = compose.pairs[0][1] if len(compose.pairs) == 1 else None
    if not mask and text and _PLAIN.fullmatch(text):
        return f"write {name}={text}"
    return f"write {PORTABLE}"
