"""Known and unknown names, and the known name that was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final

from todo_project.config.findings import PROCESS, Finding, Found
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
_FIXED: Final = {
    "POSTGRES_USER": "remove it: the user is always todo_user",
    "POSTGRES_DB": "remove it: the database is always todo_db",
    "DJANGO_SETTINGS_MODULE": "remove it: it is always todo_project.settings; see DJANGO_ENV",
    "WEB_CONCURRENCY": "write GUNICORN_WORKERS",
}


def known(name: str) -> bool:
    """Return whether a name is a variable's, or that name with _FILE."""
    return name in BY_NAME or (name.endswith("_FILE") and name.removesuffix("_FILE") in BY_NAME)


def printable(name: str) -> bool:
    """Return whether a name looks like one; a piece of a broken line can be a piece of a secret."""
    return known(name.upper()) or bool(re.fullmatch(r"[A-Z_][A-Z0-9_.-]{0,39}|[a-z_][a-z0-9_.-]{0,39}", name))


def nearest(name: str, cutoff: float = 0.6) -> tuple[str, float]:
    """Return the known name that is most like an unknown one, and how alike they are: from the cutoff to 1."""
    plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    base, suffix = (plain.removesuffix("_FILE"), "_FILE") if plain.endswith("_FILE") else (plain, "")
    for candidate in (base, re.sub(r"^(?:DJANGO|TODO|APP)_", "", base)):
        if candidate in BY_NAME:
            return candidate + suffix, 1
    # SECRET_KEY_FIEL is nearer to SECRET_KEY_FILE than to SECRET_KEY.
    candidates = [*BY_NAME, *(f"{name}_FILE" for name in BY_NAME if not suffix)]
    for found in difflib.get_close_matches(base, candidates, n=1, cutoff=cutoff):
        return found + suffix, difflib.SequenceMatcher(None, found, base).ratio()
    return "", 0


def unknown_in_file(entries: Iterable[Found]) -> list[Finding]:
    """Return a finding for every name in an env file that nothing reads."""
    return [
        _unknown(entry.name, entry.where, entry.line)
        for entry in entries
        # A misspelt COMPOSE_PROJECT_NAME must not pass for another variable of Compose's.
        if not known(entry.name) and (not _FOREIGN.fullmatch(entry.name) or nearest(entry.name, cutoff=0.9)[0])
    ]


def unknown_in_process(environ: Iterable[str]) -> list[Finding]:
    """Return a finding for every name in the process environment that looks like a misspelt one of ours."""
    ours = [name for name in environ if not (known(name) or _NOT_OURS.fullmatch(name) or _FOREIGN.fullmatch(name))]
    return [_unknown(name, PROCESS) for name in ours if _OURS.match(name) or nearest(name, cutoff=0.85)[0]]


def _unknown(name: str, where: str, line: int | None = None) -> Finding:
    problem = "is not a variable of this service" if printable(name) else "sets an unknown name"
    instead = _FIXED.get(name, "remove it, or see docs/configuration.md")
    close, likeness = nearest(name)
    if close and name not in _FIXED:
        problem += f"; the nearest known name is {close}"
        instead = f"write {close}" if likeness >= 0.8 else f"remove it, or write {close} if it means that"
    return Finding("unknown", name if printable(name) else None, problem, instead, where, line)
