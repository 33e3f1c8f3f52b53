"""Sorting texts by code point, as Python does, whatever the collation of the database."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Collate


class ByCodePoint(Collate):
    """A text with the collation "C". SQLite sorts by code point anyway."""

    def __init__(self, expression: Any) -> None:
        super().__init__(expression, "C")

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Return the text with SQLite's own collation."""
        return super().as_sql(compiler, connection, template="%(expressions)s COLLATE BINARY", **context)
