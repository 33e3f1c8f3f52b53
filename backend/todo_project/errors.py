"""The few kinds of domain error. They name facts and know no HTTP; api/problems.py gives each its status.

An app subclasses one of these for each fact of its own: `class TaskIsTrashed(Conflict)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager


class DomainError(Exception):
    """Something the domain refuses. The class name is the fact, the message tells a person what to do."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def code(self) -> str:
        """The class name in snake case: what machines compare."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()


class NotFound(DomainError):
    """There is no such thing, or this person may not know of it."""


class Conflict(DomainError):
    """The state of the thing does not allow it."""


class StaleVersion(DomainError):
    """The thing has changed since the caller read it."""


class Forbidden(DomainError):
    """The caller is known and may not."""


class Unauthenticated(DomainError):
    """The caller did not prove who they are."""


class Unprocessable(DomainError):
    """The request is understood, but contradicts one that came before."""


class LimitReached(DomainError):
    """Too much in too little time.

    `retry_after` is in seconds.
    """

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class InvalidInput(DomainError):
    """A value that a client sent cannot be used.

    `pointer` is the JSON pointer (RFC 6901) of the value, such as `/due/at`. `others` are further values of the
    same input.
    """

    others: tuple[InvalidInput, ...] = ()

    def __init__(self, detail: str, *, pointer: str, code: str = "invalid") -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.input_code = code


class Problems:
    """Collects what is wrong with one input, so that all of it is told at once."""

    def __init__(self) -> None:
        self._found: list[InvalidInput] = []

    def add(self, problem: InvalidInput) -> None:
        """Note one."""
        self._found.append(problem)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note what the block raises, and go on after it."""
        try:
            yield
        except InvalidInput as problem:
            self._found += [problem, *problem.others]

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._found)

    def raise_any(self) -> None:
        """Raise the first with the others, if there are any."""
        if self._found:
            first, *others = self._found
            first.others = tuple(others)
            raise first
