"""What can be wrong with a configuration, and how it is reported to people and to machines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

PROCESS: Final = "process environment"


class BadValueError(Exception):
    """A value that cannot be used: what is wrong and what to write instead, without a secret's text."""

    def __init__(self, problem: str, instead: str, *, code: str = "invalid") -> None:
        super().__init__(problem)
        self.problem = problem
        self.instead = instead
        self.code = code


def read_each(items: Iterable[str], read: Callable[[str], str]) -> list[str]:
    """Read every item and raise once for all that are bad."""
    good: list[str] = []
    bad: list[BadValueError] = []
    for item in items:
        try:
            good.append(read(item))
        except BadValueError as error:
            bad.append(error)
    if bad:
        problem = ", and ".join(error.problem for error in bad)
        raise BadValueError(problem, "; ".join(dict.fromkeys(error.instead for error in bad)), code=bad[0].code)
    return good


def shown(text: str) -> str:
    """Quote a value that is not secret: short, in one line, without the credentials of a URL."""
    text = re.sub(r"//[^/@\s]*@", "//****@", text)
    # A line that runs into the next one has that one's value, perhaps a secret, after a `=`.
    text = re.sub(r"[=\x00-\x1f\x7f\x85\u2028\u2029].*", "…", text, flags=re.DOTALL)
    return repr(text if len(text) <= 60 else f"{text[:57]}…")


@dataclass(frozen=True, slots=True)
class Problem:
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
        """Return the problem for `--json`."""
        return {
            "variable": self.variable,
            "file": None if self.where == PROCESS else self.where,
            "line": self.line,
            "code": self.code,
            "severity": "warning" if self.warning else "error",
            "problem": self.problem,
            "instead": self.instead,
        }


class ConfigurationError(Exception):
    """The configuration cannot be used; the text is the whole report."""

    def __init__(self, report: str, problems: Sequence[Problem]) -> None:
        super().__init__(report)
        self.problems = tuple(problems)


def errors(problems: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in problems if not problem.warning]


def report(problems: Sequence[Problem], *, env: str, path: str | None) -> str:
    """Return all problems as one text, errors first."""
    wrong, warnings = errors(problems), [problem for problem in problems if problem.warning]
    counts = [
        f"{len(some)} {noun}{'s'[: len(some) != 1]}"
        for some, noun in ((wrong, "problem"), (warnings, "warning"))
        if some
    ]
    lines = [
        f"Configuration for {env}{f' ({path})' if path else ''}: {' and '.join(counts) or 'no problem found'}."
    ]
    lines += [f"{number:3}. {problem}" for number, problem in enumerate(wrong, start=1)]
    return "\n".join(lines + [f"  !  warning: {problem}" for problem in warnings])
