"""What two environments must not share, and what of the shell would beat an env file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from todo_project.config import envfile
from todo_project.config.examination import examine
from todo_project.config.findings import PROCESS, Examination, Finding
from todo_project.config.schema import BY_NAME, VARIABLES


def shared(seen: Examination, other: Examination) -> list[Finding]:
    """Return a finding for everything that must not be the same in two deployed environments."""
    if not (seen.deployed and other.deployed):
        return []
    found, theirs = [], _own_texts(other)
    for text, name in _own_texts(seen).items():
        if text in theirs:
            place = other.found.get(theirs[text])
            line = f", line {place.line}" if place and place.line else ""
            same = "is the same as in" if theirs[text] == name else f"is the same as {theirs[text]} in"
            harm = "whoever learns it here has the other" if BY_NAME[name].secret else "they would share their data"
            problem, instead = f"{same} {other.path or other.env}{line}", f"write another value: {harm}"
            found.append(seen.finding("shared", name, problem, instead))
    names = ("HTTP_BIND", "HTTP_PORT", "HTTPS_PORT")
    if seen.path and other.path and all(seen.values[name] == other.values[name] for name in names):
        problem = f"and HTTPS_PORT are the ports of {other.path}: the two cannot run on one machine"
        instead = "write other ports, or another HTTP_BIND, unless they run on different machines"
        found.append(Finding("shared", "HTTP_PORT", problem, instead, seen.path, warning=True))
    return found


def _own_texts(seen: Examination) -> dict[str, str]:
    """Return the texts that each environment must have for itself, and the variables they are in."""
    texts: dict[str, str] = {}
    for row in (row for row in VARIABLES if row.own):
        value, text = seen.values[row.name], seen.texts.get(row.name)
        parts = value if isinstance(value, list) else [text]
        if row.kind == "database_url":
            # A derived URL has the password of POSTGRES_PASSWORD, which is compared by itself.
            parts = [value["PASSWORD"], text] if value and row.name in seen.found and "PASSWORD" in value else []
        for part in parts:
            if part:
                texts.setdefault(part, row.name)
    return texts


def beside(seen: Examination) -> list[Finding]:
    """Compare an env file with the others in its folder."""
    if not seen.path or not seen.deployed:
        return []
    path = Path(seen.path)
    others = [other for other in sorted(path.parent.glob("*.env")) if other.is_file() and not other.samefile(path)]
    return [problem for other in others for problem in shared(seen, examine(env_file=other, environ={}))]


def beaten(seen: Examination, environ: Mapping[str, str]) -> list[Finding]:
    """Return a warning for every line of the env file that a variable of the shell replaces."""
    lines = {entry.name: entry.text for entry in envfile.read(Path(seen.path)).entries} if seen.path else {}
    problem = f"is set in the shell to another value than in {seen.path}, and Compose uses the shell's"
    return [
        Finding("shell", name, problem, f"unset {name}, unless you mean it", PROCESS, warning=True)
        for name, text in lines.items()
        if name in BY_NAME and name in environ and environ[name] != text
    ]
