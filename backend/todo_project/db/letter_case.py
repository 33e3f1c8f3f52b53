"""Texts without regard to case, on SQLite as on PostgreSQL: its own LIKE knows the case of ASCII letters only."""

from __future__ import annotations

import functools
import re
from typing import Any

from django.db.backends.signals import connection_created


def ignore_on_sqlite() -> None:
    """Give each connection to SQLite the function behind LIKE, which `icontains` and `iexact` use."""
    connection_created.connect(_connected)


def _connected(connection: Any, **_: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function("like", 3, _like, deterministic=True)


def _like(pattern: Any, text: Any, escape: str) -> bool | None:
    if pattern is None or text is None:
        return None
    return _compiled(str(pattern).upper(), escape).fullmatch(str(text).upper()) is not None


@functools.lru_cache(maxsize=1_000)
def _compiled(pattern: str, escape: str) -> re.Pattern[str]:
    parts = re.findall(f"{re.escape(escape)}.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(each) or re.escape(each[-1]) for each in parts), re.DOTALL)
