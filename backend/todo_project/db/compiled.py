"""Run an ORM query without building and compiling it again.

Building and compiling a query costs several times what its round trip does, for SQL that never changes. A
`CompiledQuery` keeps the ORM as the one source of the query: it is built once per process (and per database, and
per `shape`, such as a page size), with placeholders for the values, and then run with other values. Tests compare
its SQL with what the ORM sends for the same values.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.utils import CursorWrapper
from django.db.models.fields import Field

_M = TypeVar("_M", bound=models.Model)
Values = Mapping[str, Any]

_PLANS_MAX = 100

# Values per kind of parameter that no query has by itself; the position of each in the compiled parameters says
# where the real value goes.
_SENTINELS: dict[type[Field[Any, Any]], Callable[[int], Any]] = {
    models.UUIDField: lambda n: uuid.UUID(int=2**127 + n),
    models.DateTimeField: lambda n: datetime(1903, 3, 3, 3, 3, 3, 30303, tzinfo=UTC) + timedelta(seconds=n),
    models.CharField: lambda n: f"\x01sentinel-{n}\x01",
    models.PositiveIntegerField: lambda n: 2_000_000_011 + n,
}


_Converters = dict[int, tuple[list[Callable[..., Any]], Any]]


@dataclass(frozen=True)
class _Plan:
    sql: str
    parameters: tuple[Any, ...]
    slots: tuple[tuple[int, str, int | None], ...]  # position in the parameters, name of the value, index in a list
    converters: _Converters
    binary_converters: _Converters  # of results that are no text: the connection reads JSON itself


class CompiledQuery:
    """One query of values, compiled once.

    `build(**values, **shape)` gives a `values_list` query set; `parameters` names its values with the fields
    that prepare them. What is no value of a parameter (a page size, an optional filter) is `shape`, and each
    combination of it is compiled apart; so is each length of a value that is a list.
    """

    def __init__(self, build: Callable[..., Any], parameters: Mapping[str, Field[Any, Any]]) -> None:
        self._build = build
        self._parameters = parameters
        self._plans: dict[Hashable, _Plan] = {}

    def rows(self, values: Values, *, using: str = DEFAULT_DB_ALIAS, **shape: Hashable) -> list[tuple[Any, ...]]:
        """Run the query with these values and give its rows as `values_list` would."""
        connection: Any = connections[using]
        plan = self._plan(connection, values, shape)
        cursor = self._execute(connection, plan, values)
        converters = plan.converters if isinstance(cursor, CursorWrapper) else plan.binary_converters
        return self._converted(connection, converters, cursor.fetchall())

    def statement(self, values: Values, **shape: Hashable) -> tuple[str, list[Any]]:
        """Give the statement and the parameters that are sent for these values."""
        connection = connections[DEFAULT_DB_ALIAS]
        plan = self._plan(connection, values, shape)
        return plan.sql, self._bound(connection, plan, values)

    def _execute(self, connection: Any, plan: _Plan, values: Values) -> Any:
        parameters = self._bound(connection, plan, values)
        if connection.vendor == "postgresql":
            return connection.run_prepared(plan.sql, parameters)
        cursor = connection.cursor()
        cursor.execute(plan.sql, parameters)
        return cursor

    def _bound(self, connection: Any, plan: _Plan, values: Values) -> list[Any]:
        parameters = list(plan.parameters)
        for position, name, index in plan.slots:
            value = values[name] if index is None else values[name][index]
            parameters[position] = self._prepared(connection, name, value)
        return parameters

    def _plan(self, connection: Any, values: Values, shape: dict[str, Hashable]) -> _Plan:
        lengths = tuple((name, len(value)) for name, value in values.items() if isinstance(value, list))
        key = (connection.vendor, lengths, *sorted(shape.items()))
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _PLANS_MAX:  # a client chooses page sizes; what is dropped is compiled again
                self._plans.clear()
            plan = self._plans[key] = self._compile(connection, dict(lengths), shape)
        return plan

    def _compile(self, connection: Any, lengths: dict[str, int], shape: dict[str, Hashable]) -> _Plan:
        numbers = itertools.count()
        sentinels = {name: self._sentinel(name, lengths.get(name), numbers) for name in self._parameters}
        sql, parameters, converters = self._compiled(connection, self._build(**sentinels, **shape))
        prepared = {
            (name, index): self._prepared(connection, name, value) for name, index, value in _flat(sentinels)
        }
        slots = tuple(
            (position, *key)
            for position, parameter in enumerate(parameters)
            for key, value in prepared.items()
            if parameter == value
        )
        missing = set(prepared) - {(name, index) for _, name, index in slots}
        if missing:
            raise LookupError(f"the compiled query has no place for {sorted(name for name, _ in missing)}")
        return _Plan(sql, tuple(parameters), slots, converters, _without_json(converters))

    def _compiled(self, connection: Any, built: Any) -> tuple[str, Sequence[Any], dict[int, Any]]:
        compiler = built.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters([selected[0] for selected in compiler.select])
        return sql, parameters, {position: _quick(*found) for position, found in converters.items()}

    def _sentinel(self, name: str, length: int | None, numbers: Iterator[int]) -> Any:
        make = _SENTINELS[type(self._parameters[name])]
        return make(next(numbers)) if length is None else [make(next(numbers)) for _ in range(length)]

    def _prepared(self, connection: Any, name: str, value: Any) -> Any:
        return self._parameters[name].get_db_prep_value(value, connection, prepared=False)

    @staticmethod
    def _converted(connection: Any, converters: _Converters, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        if not converters:
            return rows
        converted = [list(row) for row in rows]
        for position, (functions, expression) in converters.items():
            for row in converted:
                for function in functions:
                    row[position] = function(row[position], expression, connection)
        return [tuple(row) for row in converted]


def _quick(functions: list[Any], expression: Any) -> tuple[list[Any], Any]:
    """Give the converters with msgspec in place of JSONField's own, which is a tenth of a page of tasks."""
    return [_from_json if _is_plain_json(each) else each for each in functions], expression


def _without_json(converters: _Converters) -> _Converters:
    return {position: found for position, found in converters.items() if found[0] != [_from_json]}


def _is_plain_json(function: Any) -> bool:
    field = getattr(function, "__self__", None)
    return type(field) is models.JSONField and field.decoder is None


def _from_json(value: str | None, expression: Any, connection: Any) -> Any:
    return None if value is None else msgspec.json.decode(value)


def _flat(sentinels: Values) -> Iterator[tuple[str, int | None, Any]]:
    for name, value in sentinels.items():
        if isinstance(value, list):
            yield from ((name, index, each) for index, each in enumerate(value))
        else:
            yield name, None, value


class CompiledObjects(Generic[_M]):
    """One query of whole objects, compiled once; `also` names annotations that they get as attributes."""

    def __init__(
        self,
        model: type[_M],
        build: Callable[..., Any],
        parameters: Mapping[str, Field[Any, Any]],
        *,
        also: Sequence[str] = (),
    ) -> None:
        self._model = model
        self._also = also
        self._names = [field.attname for field in model._meta.concrete_fields]  # noqa: SLF001 - public API
        self._build = build
        self._query = CompiledQuery(self.rows, parameters)

    def all(self, **values: Any) -> list[_M]:
        """Run the query with these values."""
        return [self.object(row) for row in self._query.rows(values)]

    def rows(self, **given: Any) -> Any:
        """Give the query set of the rows that `object` makes objects of."""
        return self._build(**given).values_list(*self._names, *self._also)

    def statement(self, **values: Any) -> tuple[str, list[Any]]:
        """Give the statement and the parameters that are sent for these values."""
        return self._query.statement(values)

    def object(self, row: tuple[Any, ...]) -> _M:
        """Make the object of a row."""
        size = len(self._names)
        made = self._model.from_db(DEFAULT_DB_ALIAS, self._names, row[:size])
        for name, value in zip(self._also, row[size:], strict=True):
            setattr(made, name, value)
        return made
