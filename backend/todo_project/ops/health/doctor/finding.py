"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """How it is, and what to do where that is not well."""

    level: Literal["ok", "warning", "failure"]
    told: str
    hint: str = ""


def ok(told: str) -> Finding:
    """All is well."""
    return Finding("ok", told)


def warning(told: str, hint: str) -> Finding:
    """It works, and will not for ever."""
    return Finding("warning", told, hint)


def failure(told: str, hint: str) -> Finding:
    """Something does not work."""
    return Finding("failure", told, hint)
