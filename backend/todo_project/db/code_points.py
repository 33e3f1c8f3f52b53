"""Sorting texts by code point, as Python does, whatever the collation of the database."""

from __future__ import annotations

from typing import Any

from django.db.models import Func


class ByCodePoint(Func):
    """A text with the collation "C". SQLite sorts by code point anyway."""

    arity = 1
    template = '%(expressions)s COLLATE "C"'

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Return the text with SQLite's own collation."""
        return self.as_sql(compiler, connection, template="%(expressions)s COLLATE BINARY", **context)
