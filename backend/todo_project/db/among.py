"""Conditions for any number of ids, which PostgreSQL compares as one array."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import F, Lookup, QuerySet


class Among(Lookup):
    """Like `column__in=ids`, for `filter` and `exclude`. The ids are UUIDs.

    They are one parameter: PostgreSQL allows 65,535 in a statement.
    """

    prepare_rhs = False

    def __init__(self, column: str | F, ids: Collection[uuid.UUID]) -> None:
        super().__init__(F(column) if isinstance(column, str) else column, ids)

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return self._comparison(compiler, connection, "= ANY(%s)", list(self.rhs))

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Compare with a JSON array, because SQLite has no other."""
        ids = json.dumps([each.hex for each in self.rhs])
        return self._comparison(compiler, connection, "IN (SELECT value FROM json_each(%s))", ids)

    def _comparison(self, compiler: Any, connection: Any, operator: str, ids: Any) -> tuple[str, list[Any]]:
        if not self.rhs:
            raise EmptyResultSet
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} {operator}", [*parameters, ids]


class AmongRows(Lookup):
    """Like `column__in=rows`, for rows of one column.

    PostgreSQL reads these first, and then the ranges of an index. It does not know how many there are, so it may
    sort what the index has in order. A join keeps the order, but may read the whole table.
    """

    prepare_rhs = False

    def __init__(self, column: str, rows: QuerySet[Any, Any]) -> None:
        super().__init__(F(column), rows.order_by().query)

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return self._comparison(compiler, connection, "= ANY(ARRAY%s)")

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return self._comparison(compiler, connection, "IN %s")

    def _comparison(self, compiler: Any, connection: Any, comparison: str) -> tuple[str, list[Any]]:
        column, parameters = self.process_lhs(compiler, connection)
        rows, more = self.process_rhs(compiler, connection)
        return f"{column} {comparison % rows}", [*parameters, *more]
