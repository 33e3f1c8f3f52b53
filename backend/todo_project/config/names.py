"""This will tell known names from unknown ones, and find the known name that was probably meant."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from todo_project.config.problems import PROCESS, Problem
from todo_project.config.schema import BY_NAME

# Read by other programs that share the environment: Python, Compose, Docker, the C library.
_FOREIGN = re.compile(
    r"TZ|LANG|LANGUAGE|LC_[A-Z]+|(?:HTTPS?|NO|ALL|FTP)_PROXY|(?:https?|no|all|ftp)_proxy|"
    r"SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|PYTHON[A-Z_]*|COMPOSE_[A-Z_]+|DOCKER_[A-Z_]+|BUILD(?:KIT|X)_[A-Z_]+"
)
# Prefixes that nobody else uses, and the names below them that other programs do read.
_OURS = re.compile(
    r"(?:GUNICORN|CORS|CSRF|ALLOWED|SECRET_KEY|SECURE)_|DJANGO_(?:ENV|DEBUG|SECRET|ALLOWED|DATABASE)"
)
_NOT_OURS = re.compile(r"GUNICORN_(?:CMD_ARGS|FD|PID)")
# Kubernetes tells every container about every service in these forms.
_KUBERNETES = re.compile(r".*_(?:SERVICE_(?:HOST|PORT).*|PORT(?:_[0-9]+_(?:TCP|UDP).*)?)")
_CLOSE_IN_FILE, _CLOSE_IN_PROCESS = 0.6, 0.85
_FIXED = {
    "POSTGRES_USER": "the user is always todo_user",
    "POSTGRES_DB": "the database is always todo_db",
    "DJANGO_SETTINGS_MODULE": "it is always todo_project.settings; DJANGO_ENV chooses the environment",
    "WEB_CONCURRENCY": "write GUNICORN_WORKERS",
}


def known(name: str) -> bool:
    """This will say whether a name is a variable's, or that name with _FILE."""
    return name in BY_NAME or (name.endswith("_FILE") and name.removesuffix("_FILE") in BY_NAME)


def printable(name: str) -> bool:
    """This will say whether a name looks like one; a piece of a broken line can be a piece of a secret."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}", name):
        return False
    mixed = name != name.upper() and name != name.lower() and any(char.isdigit() for char in name)
    return known(name) or not mixed or len(name) <= 12


def nearest(name: str, cutoff: float = 0.8) -> str | None:
    """This will return the known name that an unknown one probably means."""
    import difflib  # noqa: PLC0415 - slow to import, and only needed when something is wrong

    plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    base, suffix = (plain.removesuffix("_FILE"), "_FILE") if plain.endswith("_FILE") else (plain, "")
    for candidate in (base, re.sub(r"^(?:DJANGO|TODO|APP)_", "", base)):
        if candidate in BY_NAME:
            return candidate + suffix
    # SECRET_KEY_FIEL is nearer to SECRET_KEY_FILE than to SECRET_KEY
    names = [*BY_NAME, *(f"{name}_FILE" for name in BY_NAME if not suffix)]
    found = difflib.get_close_matches(base, names, n=1, cutoff=cutoff)
    return found[0] + suffix if found else None


def unknown_in_file(entries: Iterable[tuple[str, int]], where: str) -> list[Problem]:
    """This will report every name in an env file that nothing reads."""
    found = []
    for name, line in dict.fromkeys(entries):
        if known(name):
            continue
        # A misspelt COMPOSE_PROJECT_NAME must not pass for another variable of Compose's.
        foreign = _FOREIGN.fullmatch(name) and nearest(name, _CLOSE_IN_PROCESS) is None
        if not foreign:
            found.append(_unknown(name, nearest(name, _CLOSE_IN_FILE), where, line))
    return found


def unknown_in_process(environ: Mapping[str, str]) -> list[Problem]:
    """This will report the names in the process environment that look like misspelt ones of ours."""
    found = []
    for name in environ:
        if known(name) or not _suspicious(name):
            continue
        close = nearest(name, _CLOSE_IN_PROCESS)
        if close or _OURS.match(name):
            found.append(_unknown(name, close or nearest(name, _CLOSE_IN_FILE), PROCESS, None))
    return found


def _suspicious(name: str) -> bool:
    """Decide cheaply whether a name is worth the search: most of an environment is nobody's mistake."""
    if _NOT_OURS.fullmatch(name) or _KUBERNETES.fullmatch(name):
        return False
    plain = name.upper().removesuffix("_FILE")
    if plain in BY_NAME or _OURS.match(plain):
        return True
    return any(_alike(plain, known) for known in BY_NAME)


def _alike(name: str, other: str) -> bool:
    """Say whether two names share enough letters to be worth difflib, which is slow to import."""
    if abs(len(name) - len(other)) > 4 or (name[:2] != other[:2] and name[-3:] != other[-3:]):
        return False
    shared = sum((Counter(name) & Counter(other)).values())
    return 2 * shared >= _CLOSE_IN_PROCESS * (len(name) + len(other))


def _hint(name: str, close: str | None) -> str:
    if close is None:
        return "remove it, or see docs/configuration.md"
    return f"write {close}" if close == nearest(name) else f"remove it, or write {close} if that is meant"


def _unknown(name: str, close: str | None, where: str | None, line: int | None) -> Problem:
    hint = _FIXED.get(name) or _hint(name, close)
    near = f"; the nearest known name is {close}" if close and name not in _FIXED else ""
    return Problem(
        code="unknown",
        variable=name if printable(name) else None,
        problem=f"is not a variable of this service{near}" if printable(name) else f"sets an unknown name{near}",
        instead=hint,
        where=where,
        line=line,
    )
