"""The kinds of domain error. They know nothing of HTTP; api/problems.py maps each to a status.

An app subclasses one of these for each of its own errors: `class TaskIsTrashed(Conflict)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

NOT_FOUND = "The resource does not exist, or you have no access to it. Check the id."
STALE = "The resource has changed since you read it. Read it again and retry."


class DomainError(Exception):
    """The domain refused a request. The class name says why; the message tells a person what to do."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def code(self) -> str:
        """The class name in snake case, which clients compare (the last part of a problem's `type`)."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()


class NotFound(DomainError):
    """The resource does not exist, or the caller may not know that it does."""


class Conflict(DomainError):
    """The current state of the resource does not allow the operation."""


class Gone(DomainError):
    """What the caller refers to existed, and will not come back."""


class StaleVersion(DomainError):
    """The resource has changed since the caller read it."""


class Forbidden(DomainError):
    """The caller is authenticated, but lacks the permission."""


class Unauthenticated(DomainError):
    """The credentials are missing or wrong."""


class Unprocessable(DomainError):
    """The request is valid in itself, but contradicts an earlier one."""


class LimitReached(DomainError):
    """The caller has reached a rate limit; `retry_after` is in seconds."""

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class InvalidInput(DomainError):
    """A value in the request is invalid.

    `pointer` is the JSON pointer (RFC 6901) to the value, such as `/due/at`. `others` are the errors of further
    values in the same request.
    """

    others: tuple[InvalidInput, ...] = ()

    def __init__(self, detail: str, *, pointer: str, code: str = "invalid") -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.input_code = code


class InputErrors:
    """Collects the errors of one request, so that the client gets all of them at once."""

    def __init__(self) -> None:
        self._errors: list[InvalidInput] = []

    def add(self, error: InvalidInput) -> None:
        """Add an error without raising it."""
        self._errors.append(error)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Add the InvalidInput that the block raises, and continue after the block."""
        try:
            yield
        except InvalidInput as error:
            self._errors += [error, *error.others]

    def raise_if_any(self) -> None:
        """Raise the first error, with the rest as its `others`; return if there are none."""
        if self._errors:
            first, *others = self._errors
            first.others = tuple(others)
            raise first
