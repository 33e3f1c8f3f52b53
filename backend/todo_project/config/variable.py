"""What a row of the schema is: one variable that can be set from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from todo_project.config.environments import ENVIRONMENTS

Reader = Literal["django", "gunicorn", "worker", "compose", "backup", "make"]


@dataclass(frozen=True, slots=True)
class Derived:
    """A default that follows from other values; `text` says how. A computed text is parsed like any other."""

    text: str
    compute: Callable[[Mapping[str, Any]], Any]


Default = str | Derived | None


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    `default` is written as in an env file. Where there is none, the value is None, or an error if the variable
    is `required`; `missing` says what to write then. Each environment must have its `own` value: two that
    share it are refused. `example` is the placeholder in envs/*.env.example. Besides its `reader`, `compose`
    variables are read by Compose, which hands them to the proxy.
    """

    name: str
    kind: str
    default: Default
    doc: str
    required: bool = False
    secret: bool = False
    own: bool = False
    reader: Reader = "django"
    compose: bool = False
    minimum: int = 0
    maximum: int = 0
    choices: tuple[str, ...] = ()
    example: str = ""
    missing: str = ""

    @property
    def takes_file(self) -> bool:
        """Return whether NAME_FILE works; Compose hands on values, and opens files only for secrets."""
        return self.secret or not (self.compose or self.reader in {"compose", "make", "backup"})

    def default_in(self, env: str) -> Default:
        """Return the default in one environment."""
        return ENVIRONMENTS[env].defaults.get(self.name, self.default)


def number(name: str, minimum: int, maximum: int, default: Default, **more: Any) -> Variable:
    """Return the row of a whole number within limits."""
    return Variable(name, "integer", default, minimum=minimum, maximum=maximum, **more)
