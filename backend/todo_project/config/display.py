"""Show a configuration to people: every value with its source, and what differs between two."""

from __future__ import annotations

import re
from typing import Any, Final

from todo_project.config.result import Examination
from todo_project.config.schema import VARIABLES
from todo_project.config.variable import Variable

MASK: Final = "****"
NOT_SET: Final = "(not set)"
# The user is masked too, since a password without its colon looks like one; so is everything unusual.
_URL: Final = re.compile(
    r"([a-z+]+://)(?:[^@]+(@))?([A-Za-z0-9.%-]*(?::[0-9]+)?(?:/[A-Za-z0-9_-]+)?)(?:\?.*)?", re.IGNORECASE
)


def value(row: Variable, seen: Examination) -> str:
    """Return a value as it can be shown: secrets masked, and the user and password in a URL."""
    text = seen.texts.get(row.name)
    if text is None or not text.strip():
        return NOT_SET
    if seen.values[row.name] is None:
        return MASK if row.secret else "(not usable, see check)"
    if not row.secret:
        return text
    if row.kind in {"database_url", "mail_url"}:
        if text.startswith("sqlite:"):
            return text
        url = _URL.fullmatch(text)
        return f"{url[1]}{MASK if url[2] else ''}{url[2] or ''}{url[3]}" if url else MASK
    return MASK


def rows(seen: Examination) -> list[dict[str, str]]:
    """Return every variable with its value and source."""
    return [{"name": row.name, "value": value(row, seen), "source": seen.origins[row.name]} for row in VARIABLES]


def table(lines: list[dict[str, str]]) -> str:
    """Align rows in columns, except the last one."""
    keys = list(lines[0])
    widths = {key: min(60, max(len(line[key]) for line in lines)) for key in keys[:-1]}
    return "\n".join(
        "  ".join([*(line[key].ljust(widths[key]) for key in keys[:-1]), line[keys[-1]]]) for line in lines
    )


def differences(names: tuple[str, str], sides: tuple[Examination, Examination]) -> list[dict[str, str]]:
    """Return what differs between two environments; of a secret only whether it does."""
    found = []
    for row in VARIABLES:
        shown = _difference(row, sides)
        if shown:
            found.append({"name": row.name, names[0]: shown[0], names[1]: shown[1]})
    return found


def _difference(row: Variable, sides: tuple[Examination, Examination]) -> tuple[str, str] | None:
    if not row.secret:
        left, right = (value(row, side) for side in sides)
        return (left, right) if left != right else None
    texts: list[Any] = [side.texts.get(row.name) for side in sides]
    if texts[0] == texts[1]:
        # The same secret in two environments deserves a line of its own.
        return ("same", "same") if texts[0] is not None and any(row.name in side.found for side in sides) else None
    left, right = ("differs" if text is not None else NOT_SET for text in texts)
    return left, right
