"""Queries for an account's rows that also look up the caller's token, in one statement.

Every request looks its token up in the database, so that a revoked token stops working at once. A GET does this in
the statement that reads its rows: `WITH caller AS (the token's row) SELECT … FROM caller LEFT JOIN (the user's
rows)`. No row in the result means that the token is invalid; a single row of nulls means that it is valid and the
user has no such rows. The ORM builds both parts, and this module joins them. For a session, whose user is already
known, only the second part runs.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.expressions import RawSQL

from todo_project.db.compiled import CompiledQuery, Condition, Values

Row = tuple[Any, ...]
Parameters = Mapping[str, "models.Field[Any, Any]"]
_ID = models.UUIDField()
_CALLER = RawSQL('SELECT "user_id" FROM "caller"', [], output_field=_ID)
_STATEMENT = """WITH "caller" ({columns}) AS MATERIALIZED ({token})
SELECT "caller".*, "found".* FROM "caller" LEFT JOIN ({rows}) AS "found" ON TRUE{order}"""


@dataclass(frozen=True, eq=False)
class TokenQuery:
    """The query that looks a token up.

    `build(**values)` returns a `values_list` query set of `columns`, the first of which is user_id. It is empty if
    the token is invalid.
    """

    build: Callable[..., Any]
    columns: tuple[str, ...]
    parameters: Parameters


class OwnedQuery:
    """A compiled query for an account's rows.

    `build(owner_id=…, **values, **variant)` returns a `values_list` query set whose first column is never null and
    which is ordered by columns that it selects.
    """

    def __init__(self, build: Callable[..., Any], parameters: Parameters | None = None) -> None:
        self._build = build
        self._parameters = dict(parameters or {})
        self._by_id = CompiledQuery(build, {"owner_id": _ID, **self._parameters})
        self._by_token: dict[TokenQuery, CompiledQuery] = {}

    def rows(
        self,
        owner_id: uuid.UUID,
        values: Values,
        *,
        condition: Condition | None = None,
        using: str = DEFAULT_DB_ALIAS,
        **variant: Any,
    ) -> list[Row]:
        """Return the rows of an account that meet the condition."""
        return self._by_id.rows({"owner_id": owner_id, **values}, condition=condition, using=using, **variant)

    def rows_by_token(
        self, token: TokenQuery, token_values: Values, values: Values, **variant: Any
    ) -> tuple[Row, list[Row]] | None:
        """Return the token's columns and the rows of its user, or None if the token is invalid."""
        found = self.by_token(token).rows({**values, **token_values}, **variant)
        if not found:
            return None
        width = len(token.columns)
        return found[0][:width], [row[width:] for row in found if row[width] is not None]

    def by_token(self, token: TokenQuery) -> CompiledQuery:
        """Return the compiled query that is joined with this token query."""
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

    def _model_of(self, built: Any) -> type[models.Model]:
        return super()._model_of(built[1])

    def _to_sql(self, connection: Any, built: Any) -> tuple[str, Sequence[Any], dict[int, Any]]:
        token, rows = built
        token_sql, token_parameters, converters = super()._to_sql(connection, token)
        rows_sql, rows_parameters, rows_converters = super()._to_sql(connection, rows)
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
    """The read of one request: an owned query with its values, run by the caller's token or by the caller's id."""

    def __init__(self, query: OwnedQuery, values: Values, **variant: Any) -> None:
        self.query = query
        self.values = values
        self.variant = variant
        self._rows: list[Row] | None = None

    @property
    def can_look_up(self) -> bool:
        """Return whether the read runs on the database that tokens are looked up in."""
        return True

    def look_up(self, token: TokenQuery, token_values: Values) -> Row | None:
        """Look the token up and read the rows; return the token's columns, or None if it is invalid."""
        found = self.query.rows_by_token(token, token_values, self.values, **self.variant)
        if found is None:
            return None
        columns, self._rows = found
        return columns

    def rows(self, owner_id: uuid.UUID) -> list[Row]:
        """Return the rows, reading them now unless look_up has done so."""
        return self.rows_from(DEFAULT_DB_ALIAS, owner_id) if self._rows is None else self._rows

    def rows_from(self, database: str, owner_id: uuid.UUID) -> list[Row]:
        """Read the rows from the database with this alias."""
        return self.query.rows(owner_id, self.values, using=database, **self.variant)
