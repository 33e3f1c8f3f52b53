"""Queries of one account's rows that look the caller's token up in the same statement.

Every request has to look its token up, so that a revoked one stops working at once. A read does both in one round
trip: `WITH caller AS (the token's row) SELECT … FROM caller LEFT JOIN (the rows of that user)`. No row means that
the token is not valid; one row of nulls means that it is valid and there is nothing to show. The ORM builds both
halves, and they are joined here. A caller who is known already, by a session, runs the second half with their id.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.expressions import RawSQL

from todo_project.db.compiled import CompiledQuery, Values

Row = tuple[Any, ...]
Parameters = Mapping[str, "models.Field[Any, Any]"]
_ID = models.UUIDField()
_CALLER = RawSQL('SELECT "user_id" FROM "caller"', [], output_field=_ID)
_STATEMENT = """WITH "caller" ({columns}) AS MATERIALIZED ({token})
SELECT "caller".*, "found".* FROM "caller" LEFT JOIN ({rows}) AS "found" ON TRUE{order}"""


@dataclass(frozen=True, eq=False)
class TokenQuery:
    """How a token is looked up.

    `build(**values)` returns a `values_list` query set of `columns`, the first of which is user_id; it is empty
    when the token is not valid.
    """

    build: Callable[..., Any]
    columns: tuple[str, ...]
    parameters: Parameters


class OwnedQuery:
    """A compiled query of one account's rows.

    `build(owner_id=…, **values, **shape)` returns a `values_list` query set. Its first column is never null, and
    its order is by columns that it selects.
    """

    def __init__(self, build: Callable[..., Any], parameters: Parameters | None = None) -> None:
        self._build = build
        self._parameters = dict(parameters or {})
        self._by_id = CompiledQuery(build, {"owner_id": _ID, **self._parameters})
        self._by_token: dict[TokenQuery, CompiledQuery] = {}

    def rows(
        self, owner_id: uuid.UUID, values: Values, *, using: str = DEFAULT_DB_ALIAS, **shape: Any
    ) -> list[Row]:
        """Return the rows of an account."""
        return self._by_id.rows({"owner_id": owner_id, **values}, using=using, **shape)

    def rows_by_token(
        self, token: TokenQuery, token_values: Values, values: Values, **shape: Any
    ) -> tuple[Row, list[Row]] | None:
        """Return the token's columns and the rows of its user, or None when the token is not valid."""
        found = self.by_token(token).rows({**values, **token_values}, **shape)
        if not found:
            return None
        width = len(token.columns)
        return found[0][:width], [row[width:] for row in found if row[width] is not None]

    def by_token(self, token: TokenQuery) -> CompiledQuery:
        """Return the joined query, compiled once."""
        if token not in self._by_token:
            self._by_token[token] = _JoinedQuery(self._build, self._parameters, token)
        return self._by_token[token]


class _JoinedQuery(CompiledQuery):
    def __init__(self, build: Callable[..., Any], parameters: Parameters, token: TokenQuery) -> None:
        if shared := {*parameters} & {*token.parameters}:
            raise LookupError(f"both queries have parameters named {sorted(shared)}")

        def build_both(**values: Any) -> tuple[Any, Any]:
            looked_up = token.build(**{name: values.pop(name) for name in token.parameters})
            return looked_up, build(owner_id=_CALLER, **values)

        super().__init__(build_both, {**parameters, **token.parameters})
        self._columns = token.columns

    def _compiled(self, connection: Any, built: Any) -> tuple[str, Sequence[Any], dict[int, Any]]:
        token, rows = built
        token_sql, token_parameters, converters = super()._compiled(connection, token)
        rows_sql, rows_parameters, rows_converters = super()._compiled(connection, rows)
        order = ", ".join(f'"found"."{name}"' for name in rows.query.order_by)  # a join keeps no order
        sql = _STATEMENT.format(
            columns=", ".join(f'"{name}"' for name in self._columns),
            token=token_sql,
            rows=rows_sql,
            order=order and f" ORDER BY {order}",
        )
        width = len(self._columns)
        shifted = {width + position: found for position, found in rows_converters.items()}
        return sql, (*token_parameters, *rows_parameters), {**converters, **shifted}


class Read:
    """One request's read, run with the look-up of its caller's token or with the caller's id."""

    def __init__(self, query: OwnedQuery, values: Values, **shape: Any) -> None:
        self.query = query
        self.values = values
        self.shape = shape
        self._rows: list[Row] | None = None

    @property
    def can_look_up(self) -> bool:
        """Return whether the read is made where tokens are looked up."""
        return True

    def look_up(self, token: TokenQuery, token_values: Values) -> Row | None:
        """Run the read with the token's look-up; return the token's columns, or None when it is not valid."""
        found = self.query.rows_by_token(token, token_values, self.values, **self.shape)
        if found is None:
            return None
        columns, self._rows = found
        return columns

    def rows(self, owner_id: uuid.UUID) -> list[Row]:
        """Return the rows, which may have been read with the token already."""
        return self.rows_from(DEFAULT_DB_ALIAS, owner_id) if self._rows is None else self._rows

    def rows_from(self, database: str, owner_id: uuid.UUID) -> list[Row]:
        """Return the rows as a database has them."""
        return self.query.rows(owner_id, self.values, using=database, **self.shape)
