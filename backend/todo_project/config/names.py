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
# Prefixes that nobody else uses, and the names with them that other programs do read.
_OURS: Final = re.compile(
    r"(?:GUNICORN|CORS|CSRF|ALLOWED|SECRET_KEY|SECURE)_|DJANGO_(?:ENV|DEBUG|SECRET|ALLOWED|DATABASE)", re.IGNORECASE
)
# gunicorn's own, and Kubernetes' about every service in the cluster.
_NOT_OURS: Final = re.compile(
    r"GUNICORN_(?:CMD_ARGS|FD|PID)|.*_(?:SERVICE_(?:HOST|PORT).*|PORT(?:_[0-9]+_(?:TCP|UDP).*)?)"
)
_CLOSE_IN_FILE, _CLOSE_IN_PROCESS, _SURELY_MEANT = 0.6, 0.85, 0.9
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
    return known(name.upper()) or (
        len(name) <= 40 and bool(re.fullmatch(r"[A-Z_][A-Z0-9_.-]*|[a-z_][a-z0-9_.-]*", name))
    )


def nearest(name: str, cutoff: float = 0.8) -> str | None:
    """Return the known name that an unknown one probably means."""
    plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    base, suffix = (plain.removesuffix("_FILE"), "_FILE") if plain.endswith("_FILE") else (plain, "")
    for candidate in (base, re.sub(r"^(?:DJANGO|TODO|APP)_", "", base)):
        if candidate in BY_NAME:
            return candidate + suffix
    # SECRET_KEY_FIEL is nearer to SECRET_KEY_FILE than to SECRET_KEY.
    names = [*BY_NAME, *(f"{name}_FILE" for name in BY_NAME if not suffix)]
    found = difflib.get_close_matches(base, names, n=1, cutoff=cutoff)
    return found[0] + suffix if found else None


def unknown_in_file(entries: Iterable[tuple[str, int]], where: str) -> list[Problem]:
    """Return a problem for every name in an env file that nothing reads."""
    return [
        _unknown(name, nearest(name, _CLOSE_IN_FILE), where, line)
        for name, line in dict.fromkeys(entries)
        # A misspelt COMPOSE_PROJECT_NAME must not pass for another variable of Compose's.
        if not known(name) and not (_FOREIGN.fullmatch(name) and nearest(name, _SURELY_MEANT) is None)
    ]


def unknown_in_process(environ: Mapping[str, str]) -> list[Problem]:
    """Return a problem for every name in the process environment that looks like a misspelt one of ours."""
    found = []
    for name in environ:
        if known(name) or _NOT_OURS.fullmatch(name) or _FOREIGN.fullmatch(name):
            continue
        close = nearest(name, _CLOSE_IN_PROCESS)
        if close or _OURS.match(name):
            found.append(_unknown(name, close or nearest(name, _CLOSE_IN_FILE), PROCESS, None))
    return found


def _unknown(name: str, close: str | None, where: str, line: int | None) -> Problem:
    near = f"; the nearest known name is {close}" if close and name not in _FIXED else ""
    hint = f"write {close}" if close == nearest(name) else f"remove it, or write {close} if that is what it means"
    return Problem(
        code="unknown",
        variable=name if printable(name) else None,
        problem=f"is not a variable of this service{near}" if printable(name) else f"sets an unknown name{near}",
        instead=_FIXED.get(name) or (hint if close else "remove it, or see docs/configuration.md"),
        where=where,
        line=line,
    )
