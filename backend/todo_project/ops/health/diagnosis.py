"""The result of a check of `manage.py doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Diagnosis:
    """What was found, and what to do if it is not ok."""

    level: Literal["ok", "warning", "failure"]
    message: str
    hint: str = ""


def ok(message: str) -> Diagnosis:
    return Diagnosis("ok", message)


def warning(message: str, hint: str) -> Diagnosis:
    """Return the diagnosis of something that works now and may fail later."""
    return Diagnosis("warning", message, hint)


def failure(message: str, hint: str) -> Diagnosis:
    """Return the diagnosis of something that does not work."""
    return Diagnosis("failure", message, hint)
