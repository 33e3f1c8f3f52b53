"""This will hold what is wrong with a configuration, and say it to people and machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

PROCESS = "process environment"


class BadValueError(Exception):
    """A value cannot be used: what is wrong with it and what to write instead, never a secret's text.

    `meant` is what could be read of it all the same, so that its other faults are reported too.
    """

    def __init__(self, problem: str, instead: str, *, code: str = "invalid", meant: Any = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.instead = instead
        self.code = code
        self.meant = meant


@contextmanager
def noted(bad: list[BadValueError]) -> Iterator[None]:
    """This will keep an error for later, so that what follows is read as well."""
    try:
        yield
    except BadValueError as error:
        bad.append(error)


def together(bad: Sequence[BadValueError], *, meant: Any = None) -> BadValueError:
    """This will make one error of several about the same value."""
    problem = ", and ".join(error.problem for error in bad)
    instead = "; ".join(dict.fromkeys(error.instead for error in bad))
    return BadValueError(problem, instead, code=bad[0].code, meant=meant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: with which variable, where, and what to write instead."""

    code: str
    problem: str
    instead: str = ""
    variable: str | None = None
    where: str | None = None
    line: int | None = None
    warning: bool = False

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line else PROCESS if self.where == PROCESS else ""
        head = f"{self.variable} ({place})" if self.variable and place else self.variable or place
        if not head and self.where:
            head = "the file"
        return f"{head} {self.problem}".lstrip() + (f"\n     -> {self.instead}" if self.instead else "")

    def as_dict(self) -> dict[str, Any]:
        """This will return the problem for `--json`."""
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
    """The configuration cannot be used; its text is the whole report."""

    def __init__(self, report: str, problems: Sequence[Problem]) -> None:
        super().__init__(report)
        self.problems = tuple(problems)


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """This will leave the warnings out."""
    return [problem for problem in problems if not problem.warning]


def without(problems: Iterable[Problem], secrets: Iterable[str]) -> list[Problem]:
    """This will blot every secret out of the problems' texts, should one have got there by an odd way."""
    words = sorted({secret for secret in secrets if len(secret) >= 8}, key=len, reverse=True)
    return [
        replace(
            problem,
            variable=_blotted(problem.variable, words) if problem.variable else None,
            problem=_blotted(problem.problem, words),
            instead=_blotted(problem.instead, words),
        )
        for problem in problems
    ]


def _blotted(text: str, words: Sequence[str]) -> str:
    for word in words:
        text = text.replace(word, "****")
    return text


def report(problems: Sequence[Problem], *, env: str | None, path: str | None) -> str:
    """This will write all problems in one text, the errors first."""
    wrong = errors(problems)
    warnings = [problem for problem in problems if problem.warning]
    of = f"Configuration for {env or 'an unknown environment'}" + (f" ({path})" if path else "")
    if not problems:
        return f"{of}: no problem found."
    counts = " and ".join(
        f"{len(some)} {noun}{'' if len(some) == 1 else 's'}"
        for some, noun in ((wrong, "problem"), (warnings, "warning"))
        if some
    )
    lines = [f"{of}: {counts}."]
    lines += [f"{number:3}. {problem}" for number, problem in enumerate(wrong, start=1)]
    lines += [f"  !  warning: {problem}" for problem in warnings]
    return "\n".join(lines)
