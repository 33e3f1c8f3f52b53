"""Refuse a release that brings another major version of PostgreSQL: its server cannot read the old files."""

from __future__ import annotations

import re

from .console import Failure
from .stack import Stack


def require_same_major(stack: Stack) -> None:
    """Raise Failure if the database's container has another major version than the Compose files name."""
    if not stack.has_own_database:
        return
    ids = stack.run(
        "docker", "ps", "--all", "--quiet",
        "--filter", f"label=com.docker.compose.project={stack.project}",
        "--filter", "label=com.docker.compose.service=db",
    ).stdout.split()  # fmt: skip
    if not ids:
        return
    here = _major(stack.run("docker", "inspect", "--format", "{{.Config.Image}}", ids[0]).stdout)
    there = _major(stack.compose("config", "--images", "db").stdout)
    if here and there and here != there:
        raise Failure(
            f"the Compose files name PostgreSQL {there}, but the database of {stack.project} has version {here}, "
            "whose files the new server cannot read",
            "follow 'A new major version of PostgreSQL' in docs/operations.md",
        )


def _major(image: str) -> str | None:
    """Return the number with which an image's tag begins, or None if it does not say."""
    found = re.fullmatch(r"[^@\s]+:(\d+)[\w.-]*\s*", image)
    return found[1] if found else None
