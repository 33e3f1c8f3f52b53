"""What two environments must not share, and what of the shell would beat an env file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from todo_project.config.examination import examine
from todo_project.config.problems import PROCESS, Problem
from todo_project.config.result import Examination
from todo_project.config.schema import BY_NAME, VARIABLES

_PORTS: Final = ("HTTP_PORT", "HTTPS_PORT")


def shared(seen: Examination, other: Examination) -> list[Problem]:
    """Return a problem for everything that must not be the same in two deployed environments."""
    if not (seen.environment.deployed and other.environment.deployed):
        return []
    theirs = _own_texts(other)
    found = []
    for text, name in _own_texts(seen).items():
        if text in theirs:
            verb = "is the same as in" if theirs[text] == name else f"is the same as {theirs[text]} in"
            found.append(_problem(seen, name, f"{verb} {_place(other, theirs[text])}"))
    places = [(side.texts.get("HTTP_BIND"), *(side.values[name] for name in _PORTS)) for side in (seen, other)]
    if places[0] == places[1] and seen.path and other.path:
        problem = f"and HTTPS_PORT are the ports of {other.path}: the two cannot run on one machine"
        instead = "write other ports, or another HTTP_BIND, unless they run on different machines"
        found.append(_problem(seen, "HTTP_PORT", problem, instead, warning=True))
    return found


def _own_texts(seen: Examination) -> dict[str, str]:
    """Return the texts that each environment must have for itself, and the variables they are in."""
    texts: dict[str, str] = {}
    for row in (row for row in VARIABLES if row.own):
        value = seen.values[row.name]
        if row.kind == "database_url":
            # The derived URL has the password of POSTGRES_PASSWORD, which is compared by itself.
            parts = [value["PASSWORD"], seen.texts[row.name]] if value and row.name in seen.found else []
        else:
            parts = value if isinstance(value, list) else [seen.texts.get(row.name)]
        for part in parts:
            if part:
                texts.setdefault(part, row.name)
    return texts


def _place(seen: Examination, name: str) -> str:
    found = seen.found.get(name)
    return f"{found.where}, line {found.line}" if found and found.line else seen.path or seen.env


def _problem(seen: Examination, name: str, problem: str, instead: str = "", *, warning: bool = False) -> Problem:
    found = seen.found.get(name)
    instead = instead or (
        "write another value: a secret that is known in one environment opens the other"
        if BY_NAME[name].secret
        else "write another value: the two would overwrite each other's data"
    )
    return Problem(
        code="shared",
        variable=name,
        problem=problem,
        instead=instead,
        where=found.where if found else seen.path,
        line=found.line if found else None,
        warning=warning,
    )


def beside(seen: Examination) -> list[Problem]:
    """Compare an env file with the others in its folder."""
    if not seen.path or not seen.environment.deployed:
        return []
    path = Path(seen.path)
    others = [other for other in sorted(path.parent.glob("*.env")) if other.is_file() and not other.samefile(path)]
    found = []
    for other in others:
        found += shared(seen, examine(env_file=other, environ={}))
    return found


def beaten(seen: Examination, environ: Mapping[str, str], lines: Mapping[str, str]) -> list[Problem]:
    """Return a warning for every line of the env file that a variable exported in the shell replaces."""
    return [
        Problem(
            code="shell",
            variable=name,
            problem=f"is set in the shell to another value than in {seen.path}, and the shell's is used",
            instead=f"unset {name}, or choose on purpose: Compose and this check both prefer the shell",
            where=PROCESS,
            warning=True,
        )
        for name, text in lines.items()
        if name in environ and environ[name] != text
    ]
