"""One statement that proves who calls and reads what they ask for.

Every request looks its token up in the database. A read that is known before its caller is does both in one round
trip: its rows are those of whoever the token belongs to at that moment.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.expressions import RawSQL

from todo_project.db.compiled import CompiledQuery, Values

Rows = list[tuple[Any, ...]]
_ID = models.UUIDField()
_OWNER = RawSQL('SELECT "user_id" FROM "caller"', [], output_field=_ID)
_STATEMENT = """WITH "caller" AS MATERIALIZED ({caller})
SELECT "found".*, "caller"."told" FROM "caller" LEFT JOIN ({rows}) AS "found" ON TRUE{order}"""


class Proof(Protocol):
    """How a statement finds out whose token came with the request."""

    @property
    def parameters(self) -> Mapping[str, models.Field[Any, Any]]:
        """What `caller` is given."""

    def caller(self, **given: Any) -> models.QuerySet[Any, Any]:
        """Give the query of `user_id` and `told`, a text; no row when the token opens nothing."""


class OwnersQuery:
    """A compiled query of one person's rows: by the person's id, or by the token that the person sent.

    `build(owner_id=…, **values, **shape)` gives a `values_list` query set whose first column is never null and
    whose order is by columns that it gives.
    """

    def __init__(
        self, build: Callable[..., Any], parameters: Mapping[str, models.Field[Any, Any]] | None = None
    ) -> None:
        self._build = build
        self._parameters = dict(parameters or {})
        self.by_id = CompiledQuery(build, {"owner_id": _ID, **self._parameters})
        self._by_token: dict[Proof, CompiledQuery] = {}

    def by_token(self, proof: Proof) -> CompiledQuery:
        """Give the query of a row for each of the person's, or of nulls, with what the proof tells at its end."""
        found = self._by_token.get(proof)
        if found is None:
            if taken := {*self._parameters} & {*proof.parameters}:
                raise LookupError(f"the proof has parameters of these names: {sorted(taken)}")

            def build(**given: Any) -> Any:
                caller = proof.caller(**{name: given.pop(name) for name in proof.parameters})
                return caller, self._build(owner_id=_OWNER, **given)

            found = self._by_token[proof] = _ProvenQuery(build, {**self._parameters, **proof.parameters})
        return found


class _ProvenQuery(CompiledQuery):
    def _compiled(self, connection: Any, built: Any) -> tuple[str, Sequence[Any], dict[int, Any]]:
        caller, rows = built
        caller_sql, caller_parameters, _ = super()._compiled(connection, caller)
        rows_sql, rows_parameters, converters = super()._compiled(connection, rows)
        order = ", ".join(f'"found"."{name}"' for name in rows.query.order_by)  # a join keeps none
        sql = _STATEMENT.format(caller=caller_sql, rows=rows_sql, order=order and f" ORDER BY {order}")
        return sql, (*caller_parameters, *rows_parameters), converters


class Read:
    """One read for one request, made with the proof of its caller or later."""

    def __init__(self, query: OwnersQuery, values: Values, **shape: Any) -> None:
        self.query = query
        self.values = values
        self.shape = shape
        self._rows: Rows | None = None

    @property
    def can_prove(self) -> bool:
        """Tell whether the token can be looked up where the rows are read."""
        return True

    def prove(self, proof: Proof, token: Values) -> str | None:
        """Read, and give what the proof tells of the caller; None when the token opens nothing."""
        found = self.query.by_token(proof).rows({**self.values, **token}, **self.shape)
        if not found:
            return None
        self._rows = [row[:-1] for row in found if row[0] is not None]
        told: str = found[0][-1]
        return told

    def rows(self, owner_id: uuid.UUID) -> Rows:
        """Give the rows of the caller, who has been proven."""
        return self.read_from(DEFAULT_DB_ALIAS, owner_id) if self._rows is None else self._rows

    def read_from(self, database: str, owner_id: uuid.UUID) -> Rows:
        """Read the rows of a person from a database."""
        return self.query.by_id.rows({"owner_id": owner_id, **self.values}, using=database, **self.shape)
