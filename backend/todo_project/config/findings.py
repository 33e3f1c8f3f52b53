"""What is known about a configuration after it has been read: its values, their sources, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from todo_project.config import paths
from todo_project.config.environments import DEPLOYED

PROCESS: Final = "process environment"


@dataclass(eq=False)
class BadValueError(Exception):
    """A value that cannot be used: what is wrong and what to write instead, without a secret's text."""

    problem: str
    instead: str
    code: str = "invalid"


class ConfigurationError(Exception):
    """The configuration cannot be used; the text is the whole report."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: with which variable, what to write instead, and where."""

    code: str
    variable: str | None
    problem: str
    instead: str
    where: str | None = None
    line: int | None = None
    warning: bool = False

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line else PROCESS if self.where == PROCESS else ""
        head = f"{self.variable} ({place})" if self.variable and place else self.variable or place or "the file"
        return f"{head} {self.problem}\n     -> {self.instead}"

    def as_dict(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in ("variable", "line", "code", "problem", "instead")},
            "file": None if self.where == PROCESS else self.where,
            "severity": "warning" if self.warning else "error",
        }


class Found(NamedTuple):
    """The text of a variable, None if it could not be read, and where it was found."""

    name: str
    text: str | None
    source: str
    where: str | None
    line: int | None = None


@dataclass(slots=True)
class Examination:
    """`env` is the environment by whose rules it was read, `path` the env file; `found` has no defaults."""

    env: str
    path: str | None = None
    is_readable: bool = True
    values: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    found: dict[str, Found] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def deployed(self) -> bool:
        return self.env in DEPLOYED

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.warning]

    def given(self, name: str) -> Any:
        """Return a value that was set and could be read; None for a default."""
        return self.values[name] if name in self.found else None

    def items(self, name: str) -> list[str]:
        """Return the items of a list that was set, as written, even if some of them could not be read."""
        return [item.strip() for item in self.texts.get(name, "").split(",")] if name in self.found else []

    # `at` is a line, a variable, or None for the whole file.
    def complain(
        self, code: str, at: Found | str | None, problem: str, instead: str, *, warning: bool = False
    ) -> None:
        if isinstance(at, str):
            at = self.found.get(at, Found(at, None, "", self.path))
        name, where, line = (at.name, at.where, at.line) if at else (None, self.path, None)
        self.findings.append(Finding(code, name, problem, instead, where, line, warning))

    def report(self) -> str:
        warnings = [finding for finding in self.findings if finding.warning]
        counts = filter(None, (counted(self.errors, "problem"), counted(warnings, "warning")))
        file = f" ({paths.shown(self.path)})" if self.path else ""
        lines = [f"Configuration for {self.env}{file}: {' and '.join(counts) or 'no problem found'}."]
        lines += [f"{number:3}. {finding}" for number, finding in enumerate(self.errors, start=1)]
        return "\n".join(lines + [f"  !  warning: {finding}" for finding in warnings])


def counted(some: Sequence[object], noun: str) -> str:
    """Return how many there are: `1 problem`, `2 problems`, or nothing if there are none."""
    return f"{len(some)} {noun}{'s' if len(some) > 1 else ''}" if some else ""


def shown(text: str) -> str:
    """Quote a value that is not secret: short, in one line, without the credentials of a URL."""
    text = re.sub(r"//[^/@\s]*@", "//****@", text)
    # A line that runs into the next one has that one's value, perhaps a secret, after a `=`.
    text = re.sub(r"[=\x00-\x1f\x7f\x85\u2028\u2029].*", "…", text, flags=re.DOTALL)
    return repr(text if len(text) <= 60 else f"{text[:57]}…")
