"""What can be wrong with a configuration, and how it is reported to people and to machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

PROCESS: Final = "process environment"


class BadValueError(Exception):
    """A value that cannot be used: what is wrong and what to write instead, without a secret's text."""

    def __init__(self, problem: str, instead: str, *, code: str = "invalid") -> None:
        super().__init__(problem)
        self.problem = problem
        self.instead = instead
        self.code = code


@contextmanager
def collected(found: list[BadValueError]) -> Iterator[None]:
    """Append an error to `found`, so that what follows is read as well."""
    try:
        yield
    except BadValueError as error:
        found.append(error)


def raise_together(found: Sequence[BadValueError]) -> None:
    """Raise one error for several about the same value; none if there are none."""
    if found:
        problem = ", and ".join(error.problem for error in found)
        raise BadValueError(problem, "; ".join(dict.fromkeys(error.instead for error in found)), code=found[0].code)


def shown(text: str) -> str:
    """Quote a value that is not secret: short, in one line, without the credentials of a URL."""
    text = re.sub(r"//[^/@\s]*@", "//****@", text)
    # A line that runs into the next one has that one's value, perhaps a secret, after a `=`.
    text = re.sub(r"[=\x00-\x1f\x7f\x85\u2028\u2029].*", "…", text, flags=re.DOTALL)
    return repr(text if len(text) <= 60 else f"{text[:57]}…")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: with which variable, where, and what to write instead."""

    code: str
    problem: str
    instead: str
    variable: str | None = None
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


def without(problems: Iterable[Problem], secrets: Iterable[str]) -> list[Problem]:
    """Mask every secret in the problems' texts, in case one has slipped into them."""
    words = sorted({re.escape(word) for word in secrets if len(word) >= 8}, key=len, reverse=True)
    if not words:
        return list(problems)
    mask = re.compile("|".join(words))
    return [
        replace(
            problem,
            variable=problem.variable and mask.sub("****", problem.variable),
            problem=mask.sub("****", problem.problem),
            instead=mask.sub("****", problem.instead),
        )
        for problem in problems
    ]


def report(problems: Sequence[Problem], *, env: str | None, path: str | None) -> str:
    """Return all problems as one text, errors first."""
    wrong = errors(problems)
    warnings = [problem for problem in problems if problem.warning]
    title = f"Configuration for {env or 'an unknown environment'}" + (f" ({path})" if path else "")
    counts = " and ".join(
        f"{len(some)} {noun}{'' if len(some) == 1 else 's'}"
        for some, noun in ((wrong, "problem"), (warnings, "warning"))
        if some
    )
    lines = [f"{title}: {counts}." if problems else f"{title}: no problem found."]
    lines += [f"{number:3}. {problem}" for number, problem in enumerate(wrong, start=1)]
    lines += [f"  !  warning: {problem}" for problem in warnings]
    return "\n".join(lines)
