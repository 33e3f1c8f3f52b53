"""What two environments must not share, and which variables of the shell override an env file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from todo_project.config import envfile, paths
from todo_project.config.examination import examine
from todo_project.config.findings import PROCESS, Examination, Found
from todo_project.config.schema import BY_NAME, VARIABLES


def compare(seen: Examination, other: Examination) -> None:
    """Complain about everything that must not be the same in two deployed environments."""
    if not other.is_readable:
        problem = f"is not compared with {paths.shown(other.path or '')}, which {other.findings[0].problem}"
        seen.complain("file", None, problem, other.findings[0].instead, warning=True)
    if not (seen.deployed and other.deployed and other.is_readable):
        return
    theirs = _own_texts(other)
    for text, name in _own_texts(seen).items():
        if twin := theirs.get(text):
            place = other.found[twin].source if twin in other.found else paths.shown(other.path or other.env)
            seen.complain("shared", name, f"is the same as {twin} in {place}", "write another value")
    names = ("HTTP_BIND", "HTTP_PORT", "HTTPS_PORT")
    if seen.path and other.path and all(seen.values[name] == other.values[name] for name in names):
        problem = f"and HTTPS_PORT are the ports of {paths.shown(other.path)}: the two cannot run on one machine"
        instead = "write other ports, or another HTTP_BIND, unless they run on different machines"
        seen.complain("shared", "HTTP_PORT", problem, instead, warning=True)


def _own_texts(seen: Examination) -> dict[str, str]:
    """Return the texts that each environment must have for itself, and the variables they are in."""
    texts: dict[str, str] = {}
    for row in (row for row in VARIABLES if row.own):
        value, text = seen.values[row.name], seen.texts.get(row.name)
        parts = value if isinstance(value, list) else [text]
        if row.kind == "database_url":
            # A derived URL has the password of POSTGRES_PASSWORD, which is compared by itself.
            parts = [value["PASSWORD"], text] if row.name in seen.found and value and "PASSWORD" in value else []
        texts |= {part: row.name for part in parts if part and part not in texts}
    return texts


def compare_folder(seen: Examination) -> None:
    """Compare an env file with the others in its folder."""
    path = Path(seen.path or "")
    if seen.path and seen.deployed and seen.is_readable:
        for other in sorted(path.parent.glob("*.env")):
            if other.is_file() and not other.samefile(path):
                compare(seen, examine(env_file=other, environ={}))


def compare_shell(seen: Examination, environ: Mapping[str, str]) -> None:
    """Warn of every line of the env file that a variable of the shell overrides."""
    entries = envfile.read(Path(seen.path)).entries if seen.path else []
    problem = f"differs from {paths.shown(seen.path or '')}; the shell's value is used here, and in Compose files"
    for name, text in {entry.name: entry.text for entry in entries}.items():
        if name in BY_NAME and name in environ and environ[name] != text:
            at = Found(name, None, PROCESS, PROCESS)
            seen.complain("shell", at, problem, f"unset {name}, unless you mean it", warning=True)
