"""Run an ORM query without building and compiling it again.

Building and compiling a query costs several times what its round trip does, for SQL that never changes. A
`CompiledQuery` keeps the ORM as the one source of the query: it is built once per process (and per database, and
per `shape`, such as a page size), with placeholders for the values, and then run with other values. A test
compares its SQL with what the ORM sends for the same values.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.fields import Field

# A value per kind of parameter that no query has by itself; the position of each in the compiled parameters
# says where the real value goes.
_SENTINELS: dict[type[Field[Any, Any]], list[Any]] = {
    models.UUIDField: [uuid.UUID(int=2**127 + n) for n in range(8)],
    models.DateTimeField: [datetime(1903, 3, 3, 3, 3, n, 30303, tzinfo=UTC) for n in range(8)],
    models.CharField: [f"\x01sentinel-{n}\x01" for n in range(8)],
}


@dataclass(frozen=True)
class _Plan:
    sql: str
    parameters: tuple[Any, ...]
    slots: tuple[tuple[int, str], ...]  # position in the parameters, name of the value
    converters: dict[int, tuple[list[Callable[..., Any]], Any]]


class CompiledQuery:
    """One query of values, compiled once.

    `build(**values, **shape)` gives a `values_list` query set; `parameters` names its values with the fields
    that prepare them. What is no value of a parameter (a page size, an optional filter) is `shape`, and each
    combination of it is compiled apart.
    """

    def __init__(
        self, build: Callable[..., models.QuerySet[Any, Any]], parameters: dict[str, Field[Any, Any]]
    ) -> None:
        self._build = build
        self._parameters = parameters
        self._plans: dict[Hashable, _Plan] = {}

    def rows(self, values: dict[str, Any], **shape: Hashable) -> list[tuple[Any, ...]]:
        """Run the query with these values and give its rows as `values_list` would."""
        connection: Any = connections[DEFAULT_DB_ALIAS]
        plan = self._plan(connection, shape)
        parameters = list(plan.parameters)
        for position, name in plan.slots:
            parameters[position] = self._prepared(connection, name, values[name])
        if connection.vendor == "postgresql":
            return self._converted(connection, plan, connection.prepared_rows(plan.sql, parameters))
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return self._converted(connection, plan, rows)

    def sql(self, **shape: Hashable) -> str:
        """Give the statement that `rows` sends for this shape."""
        return self._plan(connections[DEFAULT_DB_ALIAS], shape).sql

    def _plan(self, connection: Any, shape: dict[str, Hashable]) -> _Plan:
        key = (connection.vendor, *sorted(shape.items()))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = self._compile(connection, shape)
        return plan

    def _compile(self, connection: Any, shape: dict[str, Hashable]) -> _Plan:
        sentinels = self._sentinels()
        query = self._build(**sentinels, **shape).query
        compiler = query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        prepared = {name: self._prepared(connection, name, value) for name, value in sentinels.items()}
        slots = tuple(
            (position, name)
            for position, parameter in enumerate(parameters)
            for name, value in prepared.items()
            if type(parameter) is type(value) and parameter == value
        )
        missing = set(prepared) - {name for _, name in slots}
        if missing:
            raise LookupError(f"the compiled query has no place for {sorted(missing)}")
        columns = [selected[0] for selected in compiler.select]
        return _Plan(sql, tuple(parameters), slots, compiler.get_converters(columns))

    def _sentinels(self) -> dict[str, Any]:
        left = {kind: iter(values) for kind, values in _SENTINELS.items()}
        return {name: next(left[type(field)]) for name, field in self._parameters.items()}

    def _prepared(self, connection: Any, name: str, value: Any) -> Any:
        return self._parameters[name].get_db_prep_value(value, connection, prepared=False)

    @staticmethod
    def _converted(connection: Any, plan: _Plan, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        if not plan.converters:
            return list(rows)
        converted = [list(row) for row in rows]
        for position, (functions, expression) in plan.converters.items():
            for row in converted:
                for function in functions:
                    row[position] = function(row[position], expression, connection)
        return [tuple(row) for row in converted]
