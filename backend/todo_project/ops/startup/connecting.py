"""A connection to the database without Django, for what must be quick: health checks and starts."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from todo_project.config import load

_PARTS: Final = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}


def connect(**options: Any) -> psycopg.Connection[Any] | None:
    """Connect as commands do, past a pooler; nothing where the database is no PostgreSQL. Raises psycopg.Error."""
    values = load()
    database: dict[str, Any] = values.DATABASE_DIRECT_URL or values.DATABASE_URL
    if not database["ENGINE"].endswith("postgresql"):
        return None
    given = {name: database[key] for name, key in _PARTS.items() if database[key]}
    of_url = {name: value for name, value in database["OPTIONS"].items() if name != "pool"}
    return psycopg.connect(**given, **of_url | options, autocommit=True)
