"""This will show a configuration to people: every value with its source, and what differs between two."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from todo_project.config import examination
from todo_project.config.examination import Examination, examine
from todo_project.config.schema import VARIABLES
from todo_project.config.variable import Variable

MASK = "****"
NOT_SET = "(not set)"
UNUSABLE = "(not usable, see check)"

# Shown of a URL: not the user either, since a password without its colon is one, and nothing unusual.
_URL = re.compile(r"([a-z+]+://)[^@]+(@[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[A-Za-z0-9_-]+)?)(?:\?.*)?")
_PLAIN_URL = re.compile(r"sqlite:.*|[a-z]+mail:.*")


def value(variable: Variable, seen: Examination) -> str:
    """This will return a value as it may be shown: secrets masked, the password in a URL too."""
    text = seen.texts.get(variable.name)
    if text is None or not text.strip():
        return NOT_SET
    if seen.values[variable.name] is None:
        return MASK if variable.secret else UNUSABLE
    if not variable.secret:
        return text
    if variable.kind in {"database", "email"}:
        url = _URL.fullmatch(text)
        return f"{url[1]}{MASK}{url[2]}" if url else text if _PLAIN_URL.fullmatch(text) else MASK
    return MASK


def rows(seen: Examination) -> list[dict[str, str]]:
    """This will list every variable with its value and source, for `show --json`."""
    return [
        {"name": variable.name, "value": value(variable, seen), "source": seen.origins[variable.name]}
        for variable in VARIABLES
    ]


def table(lines: list[dict[str, str]]) -> str:
    """This will align rows in columns, except the last."""
    keys = list(lines[0])
    widths = {key: min(60, max(len(line[key]) for line in lines)) for key in keys[:-1]}
    return "\n".join(
        "  ".join([*(line[key].ljust(widths[key]) for key in keys[:-1]), line[keys[-1]]]) for line in lines
    )


def file_of(env: str) -> Path | None:
    """This will return the file that stands for an environment here: the real one, or else its example."""
    for name in (f"{env}.env", f"{env}.env.example"):
        if (examination.ENVS_DIR / name).is_file():
            return examination.ENVS_DIR / name
    return None


def differences(first: str, second: str) -> list[dict[str, str]]:
    """This will list what differs between two environments; of a secret only whether it does."""
    sides = [examine(env, env_file=file_of(env), environ={}) for env in (first, second)]
    found = []
    for variable in VARIABLES:
        row = _difference(variable, sides)
        if row is not None:
            found.append({"name": variable.name, first: row[0], second: row[1]})
    return found


def _difference(variable: Variable, sides: list[Examination]) -> tuple[str, str] | None:
    texts: list[Any] = [side.texts.get(variable.name) for side in sides]
    if not variable.secret:
        left, right = (value(variable, side) for side in sides)
        return (left, right) if left != right else None
    if texts[0] == texts[1]:
        # The same secret in two environments is worth a line of its own.
        shared = texts[0] is not None and any(variable.name in side.found for side in sides)
        return ("same", "same") if shared else None
    left, right = ("differs" if text is not None else NOT_SET for text in texts)
    return left, right
