"""Env files, in the one shape of line that Compose, django-environ and `docker run --env-file` read alike.

A line is blank, a comment that begins with `#`, or NAME=value: a plain value, in which nothing is quoted,
replaced or cut off. Of any other line only the name is read, so that the variable does not count as missing.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from todo_project.config import paths
from todo_project.config.findings import Finding, Found
from todo_project.config.schema import BY_NAME

MAX_BYTES: Final = 1_048_576
_LINE: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")
# The name in `export NAME = value`, `NAME: value`, and with a dot or a dash in it.
_NAME: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:].*")
_ADVICE: Final = "write NAME=value: no quotes, no `$`, no `export`, no space before or after the value, no comment"
# Read by other programs that share the environment: Python, Compose, Docker, the C library.
_FOREIGN: Final = re.compile(
    r"TZ|LANG|LANGUAGE|LC_[A-Z]+|(?i:https?|no|all|ftp)_(?i:proxy)|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|"
    r"PYTHON[A-Z_]*|COMPOSE_[A-Z_]+|DOCKER_[A-Z_]+|BUILD(?:KIT|X)_[A-Z_]+"
)
_RETIRED: Final = {"BACKUP_AGE_RECIPIENT", "BACKUP_GPG_RECIPIENT"}
# Prefixes that nobody else uses, and names that gunicorn and Kubernetes use all the same.
_OURS: Final = re.compile(
    r"(?:GUNICORN|CORS|CSRF|ALLOWED|SECRET_KEY|SECURE)_|DJANGO_(?:ENV|DEBUG|SECRET|ALLOWED|DATABASE)", re.IGNORECASE
)
_NOT_OURS: Final = re.compile(
    r"GUNICORN_(?:CMD_ARGS|FD|PID)|.*_(?:SERVICE_(?:HOST|PORT).*|PORT(?:_[0-9]+_(?:TCP|UDP).*)?)"
)


@dataclass(slots=True)
class EnvFile:
    """What an env file sets, and what is wrong with it; `stem` is its name up to the first dot."""

    path: Path
    stem: str
    entries: list[Found] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def texts(self, name: str) -> list[str]:
        return [entry.text for entry in self.entries if entry.name == name and entry.text is not None]


def read(path: Path) -> EnvFile:
    """Read an env file; whatever is wrong with it becomes a finding, never an exception."""
    file, raw, problem = EnvFile(path, stem=path.name.partition(".")[0]), b"", ""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    if problem or len(raw) > MAX_BYTES:
        problem, instead = problem or "is larger than 1 MiB", "name a file of lines NAME=value that you may read"
        file.findings.append(Finding("file", None, problem, instead, str(path)))
        return file
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        problem, instead = "begins with a byte order mark", "save it as UTF-8 without one"
        file.findings.append(Finding("encoding", None, problem, instead, str(path), 1))
        if not raw.startswith(b"\xef"):  # UTF-16: every line would be wrong
            return file
        raw = raw.removeprefix(b"\xef\xbb\xbf")
    for number, line in enumerate(raw.split(b"\n"), start=1):
        _read_line(file, line.removesuffix(b"\r").decode("utf-8", errors="replace"), number)
    return file


def _read_line(file: EnvFile, line: str, number: int) -> None:
    match, name = _LINE.fullmatch(line), _name_in(line)
    code, fault, instead = "portability", _fault(match[2]) if match else "is not NAME=value", _ADVICE
    if "\ufffd" in line:
        code, fault, instead = "encoding", "is not UTF-8", "save the file as UTF-8"
    elif not line.strip(" \t") or line.lstrip(" \t").startswith("#"):
        return
    if fault:
        file.findings.append(Finding(code, name, fault, instead, str(file.path), number))
    if name := match[1] if match else name:
        text = match[2] if match and not fault else None
        file.entries.append(Found(name, text, f"{paths.shown(file.path)}:{number}", str(file.path), number))


def _fault(value: str) -> str:
    """Return why a value is not read alike everywhere, or nothing."""
    faults = {
        "has a value in quotes": value.startswith(("'", '"')),
        "has a `$` in its value": "$" in value,
        "has a space before or after its value": value != value.strip(),
        "has a comment after its value": " #" in value or value.startswith("#"),
        "has an invisible character in its value": not value.isprintable(),
    }
    return next((fault for fault, applies in faults.items() if applies), "")


def _name_in(line: str) -> str | None:
    """Return the name that a line sets. A line without one can be a piece of a secret and is not repeated."""
    match = _NAME.fullmatch(line)
    word = match[1] if match else line.strip()
    return word if known(word) or (match and printable(word)) else None


def known(name: str) -> bool:
    """Return whether a name is a variable's, or that name with _FILE."""
    return name in BY_NAME or (name.endswith("_FILE") and name.removesuffix("_FILE") in BY_NAME)


def printable(name: str) -> bool:
    """Return whether a name looks like one; a piece of a broken line can be a piece of a secret."""
    return known(name.upper()) or bool(re.fullmatch(r"[A-Z_][A-Z0-9_.-]{0,39}|[a-z_][a-z0-9_.-]{0,39}", name))


def nearest(name: str, cutoff: float = 0.6) -> str:
    """Return the known name that is most like an unknown one, or nothing."""
    plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    base, suffix = (plain.removesuffix("_FILE"), "_FILE") if plain.endswith("_FILE") else (plain, "")
    for candidate in (base, re.sub(r"^(?:DJANGO|TODO|APP)_", "", base)):
        if candidate in BY_NAME:
            return candidate + suffix
    # SECRET_KEY_FIEL is nearer to SECRET_KEY_FILE than to SECRET_KEY.
    candidates = [*BY_NAME, *(f"{name}_FILE" for name in BY_NAME if not suffix)]
    return next((found + suffix for found in difflib.get_close_matches(base, candidates, n=1, cutoff=cutoff)), "")


def is_unknown(name: str) -> bool:
    """Return whether nothing reads a name in an env file."""
    # A misspelt COMPOSE_PROJECT_NAME must not pass for another variable of Compose's.
    return not known(name) and (not _FOREIGN.fullmatch(name) or bool(nearest(name, cutoff=0.9)))


def is_misspelt(name: str) -> bool:
    """Return whether a name in the process environment looks like a misspelt one of ours."""
    if known(name) or _NOT_OURS.fullmatch(name) or _FOREIGN.fullmatch(name):
        return False
    return bool(_OURS.match(name) or nearest(name, cutoff=0.85))


def unknown(found: Found) -> Finding:
    """Return what is wrong with a name that nothing reads."""
    if found.name in _RETIRED:
        instead = "set BACKUP_PASSWORD, which encrypts the backups, and remove this line; older ones need their key"
        return Finding("unknown", found.name, "is no longer read", instead, found.where, found.line)
    name, close = found.name if printable(found.name) else None, nearest(found.name)
    problem = "is not a variable of this service" if name else "sets an unknown name"
    instead = "remove it, or see docs/configuration.md"
    if close:
        problem, instead = f"{problem}; the nearest known name is {close}", f"write {close}, or remove it"
    return Finding("unknown", name, problem, instead, found.where, found.line)
