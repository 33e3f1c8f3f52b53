"""Show a configuration to people and to machines: its report, every value with its source, what differs."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from todo_project.config.findings import Examination, counted
from todo_project.config.schema import VARIABLES
from todo_project.config.variable import Variable

MASK: Final = "****"
NOT_SET: Final = "(not set)"
# The user is masked too, since a password without its colon looks like one; so is everything unusual.
_URL: Final = re.compile(
    r"([a-z+]+://)(?:[^@]+(@))?([A-Za-z0-9.%-]*(?::[0-9]+)?(?:/[A-Za-z0-9_-]+)?)(?:\?.*)?", re.IGNORECASE
)


def log_line(seen: Examination) -> dict[str, Any]:
    """Return the report as a line of a container's log, where LOG_FORMAT is json."""
    return {
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "level": "error" if seen.errors else "warning" if seen.findings else "info",
        "logger": "todo_project.config",
        "event": f"configuration check: {counted(seen.findings, 'problem') or 'no problem'} found",
        "problems": [finding.as_dict() for finding in seen.findings],
        "env": seen.env,
        "file": seen.path,
        "ok": not seen.errors,
    }


def value(row: Variable, seen: Examination) -> str:
    """Return a value as it can be shown: secrets masked, and the user and password in a URL."""
    text = seen.texts.get(row.name, "").strip()
    if not text:
        return NOT_SET
    if not row.secret:
        return "(not usable, see check)" if seen.values[row.name] is None else text
    url = _URL.fullmatch(text) if row.kind in {"database_url", "mail_url"} else None
    if seen.values[row.name] is None or not (url or text.startswith("sqlite:")):
        return MASK
    return f"{url[1]}{MASK if url[2] else ''}{url[2] or ''}{url[3]}" if url else text


def rows(seen: Examination) -> list[dict[str, str]]:
    """Return every variable with its value and source."""
    return [{"name": row.name, "value": value(row, seen), "source": seen.sources[row.name]} for row in VARIABLES]


def table(lines: list[dict[str, str]]) -> str:
    """Align rows in columns, except the last one."""
    *keys, last = lines[0]
    widths = {key: min(60, max(len(line[key]) for line in lines)) for key in keys}
    return "\n".join("  ".join([*(line[key].ljust(widths[key]) for key in keys), line[last]]) for line in lines)


def differences(names: tuple[str, str], sides: tuple[Examination, Examination]) -> list[dict[str, str]]:
    """Return what differs between two environments; of a secret only whether it does."""
    found = []
    for row in VARIABLES:
        left, right = (value(row, side) for side in sides)
        if row.secret:
            texts = [side.texts.get(row.name) for side in sides]
            same = texts[0] == texts[1]
            left, right = (NOT_SET if text is None else "same" if same else "differs" for text in texts)
            # The same secret in two environments deserves a line of its own.
            if left == right == "same" and not any(row.name in side.found for side in sides):
                continue
        if left != right or (row.secret and left != NOT_SET):
            found.append({"name": row.name, names[0]: left, names[1]: right})
    return found
