"""Known and unknown names, and the known name that was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Final

from todo_project.config.problems import PROCESS, Problem
from todo_project.config.schema import BY_NAME

# Read by other programs that share the environment: Python, Compose, Docker, the C library.
_FOREIGN: Final = re.compile(
    r"TZ|LANG|LANGUAGE|LC_[A-Z]+|(?i:https?|no|all|ftp)_(?i:proxy)|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|"
    r"PYTHON[A-Z_]*|COMPOSE_[A-Z_]+|DOCKER_[A-Z_]+|BUILD(?:KIT|X)_[A-Z_]+"
)
# Prefixes that nobody else uses, and names that gunicorn and Kubernetes use all the same.
_OURS: Final = re.compile(
    r"(?:GUNICORN|CORS|CSRF|ALLOWED|SECRET_KEY|SECURE)_|DJANGO_(?:ENV|DEBUG|SECRET|ALLOWED|DATABASE)", re.IGNORECASE
)
_NOT_OURS: Final = re.compile(
    r"GUNICORN_(?:CMD_ARGS|FD|PID)|.*_(?:SERVICE_(?:HOST|PORT).*|PORT(?:_[0-9]+_(?:TCP|UDP).*)?)"
)
_SOMEWHAT_ALIKE, _ALIKE, _SURELY_MEANT = 0.6, 0.85, 0.9
_FIXED: Final = {
    "POSTGRES_USER": "remove it: the user is always todo_user",
    "POSTGRES_DB": "remove it: the database is always todo_db",
    "DJANGO_SETTINGS_MODULE": "remove it: it is always todo_project.settings; see DJANGO_ENV",
    "WEB_CONCURRENCY": "write GUNICORN_WORKERS",
}


def known(name: str) -> bool:
    """Return whether a name is a variable's, or that name with _FILE."""
    return name in BY_NAME or (name.endswith("_FILE") and name.removesuffix("_FILE") in BY_NAME)


def public(name: str) -> bool:
    """Return whether the variable's value may be shown."""
    return name in BY_NAME and not BY_NAME[name].secret


def printable(name: str) -> bool:
    """Return whether a name looks like one; a piece of a broken line can be a piece of a secret."""
    return known(name.upper()) or bool(re.fullmatch(r"[A-Z_][A-Z0-9_.-]{0,39}|[a-z_][a-z0-9_.-]{0,39}", name))


def nearest(name: str, cutoff: float = 0.8) -> str | None:
    """Return the known name that an unknown one probably means."""
    plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    base, suffix = (plain.removesuffix("_FILE"), "_FILE") if plain.endswith("_FILE") else (plain, "")
    for candidate in (base, re.sub(r"^(?:DJANGO|TODO|APP)_", "", base)):
        if candidate in BY_NAME:
            return candidate + suffix
    # SECRET_KEY_FIEL is nearer to SECRET_KEY_FILE than to SECRET_KEY.
    candidates = [*BY_NAME, *(f"{name}_FILE" for name in BY_NAME if not suffix)]
    found = difflib.get_close_matches(base, candidates, n=1, cutoff=cutoff)
    return found[0] + suffix if found else None


def unknown_in_file(entries: Iterable[tuple[str, int]], where: str) -> list[Problem]:
    """Return a problem for every name in an env file that nothing reads."""
    return [
        _unknown(name, nearest(name, _SOMEWHAT_ALIKE), where, line)
        for name, line in dict.fromkeys(entries)
        # A misspelt COMPOSE_PROJECT_NAME must not pass for another variable of Compose's.
        if not known(name) and not (_FOREIGN.fullmatch(name) and nearest(name, _SURELY_MEANT) is None)
    ]


def unknown_in_process(environ: Mapping[str, str]) -> list[Problem]:
    """Return a problem for every name in the process environment that looks like a misspelt one of ours."""
    ours = [name for name in environ if not (known(name) or _NOT_OURS.fullmatch(name) or _FOREIGN.fullmatch(name))]
    return [
        _unknown(name, nearest(name, _SOMEWHAT_ALIKE), PROCESS, None)
        for name in ours
        if _OURS.match(name) or nearest(name, _ALIKE)
    ]


def _unknown(name: str, close: str | None, where: str, line: int | None) -> Problem:
    problem = "is not a variable of this service" if printable(name) else "sets an unknown name"
    instead = _FIXED.get(name, "remove it, or see docs/configuration.md")
    if close and name not in _FIXED:
        problem += f"; the nearest known name is {close}"
        instead = f"write {close}" if close == nearest(name) else f"remove it, or write {close} if it means that"
    return Problem("unknown", name if printable(name) else None, problem, instead, where, line)
