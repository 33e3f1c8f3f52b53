"""What is known about a configuration after it has been read: every value, its source, and every problem."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from todo_project.config.environments import ENVIRONMENTS, Environment
from todo_project.config.problems import Problem
from todo_project.config.sources import Found


@dataclass(slots=True)
class Examination:
    """`env` is the environment by whose rules it was read, `path` the env file, if any.

    `texts` has each value as it was written, `found` the place of each that was set, so it has no defaults.
    """

    env: str
    path: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    found: dict[str, Found] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def environment(self) -> Environment:
        return ENVIRONMENTS[self.env]

    def given(self, name: str) -> Any:
        """Return a value that was set and could be read; None for a default."""
        return self.values[name] if name in self.found else None

    def items(self, name: str) -> list[str]:
        """Return the items of a list that was set, as written, even if some of them could not be read."""
        return [item.strip() for item in self.texts[name].split(",")] if name in self.found else []

    def complain(self, code: str, name: str, problem: str, instead: str, *, warning: bool = False) -> None:
        """Record a problem of a variable, at the place that set it."""
        place = self.found.get(name)
        where, line = (place.where, place.line) if place else (self.path, None)
        self.problems.append(Problem(code, name, problem, instead, where, line, warning))

    def warn_about_file(self, code: str, problem: str, instead: str) -> None:
        self.problems.append(Problem(code, None, problem, instead, self.path, warning=True))
