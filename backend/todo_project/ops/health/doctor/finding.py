"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """How it is, and what to do where that is not well."""

    level: Literal["ok", "warning", "failure"]
    message: str
    hint: str = ""


def ok(message: str) -> Finding:
    """All is well."""
    return Finding("ok", message)


def warning(message: str, hint: str) -> Finding:
    """It works, and will not for ever."""
    return Finding("warning", message, hint)


def failure(message: str, hint: str) -> Finding:
    """Something does not work."""
    return Finding("failure", message, hint)
