"""This will hold what is wrong with a configuration, and say it to people and machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


class BadValueError(Exception):
    """A value cannot be used: what is wrong with it and what to write instead, never a secret's text."""

    def __init__(self, problem: str, instead: str, *, code: str = "invalid") -> None:
        super().__init__(problem)
        self.problem = problem
        self.instead = instead
        self.code = code


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
        place = f"  [{self.where}{f' line {self.line}' if self.line else ''}]" if self.where else ""
        head = f"{self.variable or 'the file'}{place}: {self.problem}"
        return f"{head}\n      -> {self.instead}" if self.instead else head

    def as_dict(self) -> dict[str, Any]:
        """This will return the problem for `--json`."""
        return {
            "variable": self.variable,
            "file": self.where,
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


def report(problems: Sequence[Problem], *, env: str | None, path: str | None) -> str:
    """This will write all problems in one text, the errors first."""
    wrong = errors(problems)
    warnings = [problem for problem in problems if problem.warning]
    of = f"Configuration of {env or 'an unknown environment'}" + (f", {path}" if path else "")
    if not problems:
        return f"{of}: no problem found."
    lines = [f"{of}: {_count(len(wrong), 'problem')}, {_count(len(warnings), 'warning')}."]
    lines += [f"  {number}. {problem}" for number, problem in enumerate(wrong, start=1)]
    lines += [f"  warning: {problem}" for problem in warnings]
    return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
