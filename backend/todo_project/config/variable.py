"""This will say what a row of the schema is: one variable that the outside world may set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Reader = Literal["django", "gunicorn", "worker", "compose", "backup", "make"]

ENVIRONMENTS = ("dev", "staging", "prod", "test")
DEPLOYED = frozenset({"staging", "prod"})


@dataclass(frozen=True, slots=True)
class Derived:
    """This will compute a default from values that are already known; `text` says how, for people.

    A computed text is parsed like any other, other types are taken as they are, None means none.
    """

    text: str
    compute: Callable[[Mapping[str, Any], str], Any]


Default = str | Derived | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """This will hold everything that is known about one variable.

    `default` is written as in an env file and goes through the same parser: one text, one per
    environment, or `Derived`. None means that there is none: the value is then None, or an error
    where `required_in` names the environment; `missing` then says what to write.
    """

    name: str
    kind: str
    doc: str
    group: str = ""
    default: Default | Mapping[str, Default] = None
    required_in: frozenset[str] = frozenset()
    secret: bool = False
    reader: Reader = "django"
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    example: str = ""
    missing: str = ""

    def default_in(self, env: str) -> Default:
        """This will return the default's text (or its derivation) for one environment."""
        if isinstance(self.default, Mapping):
            return self.default.get(env)
        return self.default


def number(
    name: str,
    limits: tuple[int, int],
    default: Default | Mapping[str, Default],
    doc: str,
    *,
    reader: Reader = "django",
) -> Variable:
    """This will declare a variable that is a whole number within limits."""
    low, high = limits
    return Variable(name=name, kind="integer", minimum=low, maximum=high, default=default, doc=doc, reader=reader)
