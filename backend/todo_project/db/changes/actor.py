"""Who writes. The database gets it in each transaction, and the triggers of the log store it.

On PostgreSQL, the connection sends it at the beginning of a transaction (db/postgresql/base.py). On SQLite, the
triggers call a function of the connection.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from structlog.contextvars import get_contextvars


@dataclass(frozen=True)
class Actor:
    """A person, and the token of the request."""

    user_id: uuid.UUID
    token_id: uuid.UUID | None = None


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


def current() -> Actor | None:
    """Return who writes now, or None for the service itself."""
    return _actor.get()


def begin(actor: Actor) -> None:
    """Attribute the writes that follow, until the enclosing `acting` ends."""
    _actor.set(actor)


@contextmanager
def acting(actor: Actor | None) -> Iterator[None]:
    """Attribute the writes of the block."""
    before = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(before)


def request_id() -> str:
    """Return the id of the request that is served, or that deferred the job; it may be empty."""
    found: Any = get_contextvars().get("request_id", "")
    return str(found)
