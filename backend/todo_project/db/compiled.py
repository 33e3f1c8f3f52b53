"""ORM queries that are compiled to SQL once per process.

Building and compiling a query in Python takes several times as long as its round trip, and gives the same SQL each
time. A `CompiledQuery` therefore builds its query set once, with a placeholder for each value, and remembers where
the placeholders are in the parameters of the SQL. Every run puts the real values there and sends the same SQL,
which PostgreSQL has prepared. Whatever changes the SQL itself (a page size, an optional filter, the length of a
list) is a `variant`, which is compiled separately. Tests compare the SQL with what the ORM sends for these values.

A `condition` is a `Q` of the request, such as a filter that a client wrote. The query set is built once with a mark
in its place, and only the condition is compiled for each request. A `CompiledCondition` is compiled once, too.
"""

from __future__ import annotations

import collections
import dataclasses
import itertools
import threading
import uuid
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec
from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.utils import CursorWrapper
from django.db.models.expressions import RawSQL
from django.db.models.fields import Field
from django.db.models.sql import Query, UpdateQuery

_M = TypeVar("_M", bound=models.Model)
Values = Mapping[str, Any]
_Sql = tuple[str, Sequence[Any]]
# a `Q`, or what returns the SQL and its parameters for a connection (CompiledCondition.given)
Condition = models.Q | Callable[[Any], _Sql]

_PLANS_MAX = 100
_PARAMETERS_MAX = 10_000
_NOTHING: Values = {}
# where the numbers of other placeholders begin
_OTHER = 1_000
# stands for the condition of a request in a query set, and in its SQL
_MARK = RawSQL("'condition' = %s", ["\x01condition\x01"], output_field=models.BooleanField())
_MARK_SQL = "('condition' = %s)"


def _text(n: int) -> str:
    return f"\x01placeholder-{n}\x01"


# Makes the nth placeholder for a field of this class, or of one derived from it: a value that occurs in no query by
# itself.
_PLACEHOLDERS: dict[type[Field[Any, Any]], Callable[[int], Any]] = {
    models.UUIDField: lambda n: uuid.UUID(int=2**127 + n),
    models.DateTimeField: lambda n: datetime(1903, 3, 3, 3, 3, 3, 30303, tzinfo=UTC) + timedelta(seconds=n),
    models.DateField: lambda n: date(1903, 3, 3) + timedelta(days=n),
    models.CharField: _text,
    models.TextField: _text,
    models.PositiveSmallIntegerField: lambda n: 31_000 + n,
    models.PositiveIntegerField: lambda n: 2_000_000_011 + n,
    models.BigIntegerField: lambda n: 7_000_000_000_000_011 + n,
}


# each kind of placeholder counts its own, so that small integers last
_Numbers = dict[Callable[[int], Any], Iterator[int]]
_Converters = dict[int, tuple[list[Callable[..., Any]], Any]]


@dataclass(frozen=True)
class _Plan:
    sql: str
    parameters: tuple[Any, ...]
    slots: tuple[tuple[int, str, int | None], ...]  # position in the parameters, name of the value, index in a list
    model: type[models.Model]
    converters: _Converters
    binary_converters: _Converters  # for binary results, where psycopg decodes JSON


def execute(connection: Any, sql: str, parameters: Sequence[Any]) -> Any:
    """Run a frequent statement, on PostgreSQL as a prepared one.

    Return the cursor, whose rows the next call replaces.
    """
    if connection.vendor == "postgresql":
        return connection.run_prepared(sql, parameters)
    cursor = connection.cursor()
    cursor.execute(sql, parameters)
    return cursor


class CompiledQuery:
    """A `values_list` query that is compiled once per variant.

    `build(**values, **variant)` returns the query set. `parameters` maps the name of each value to the model field
    that converts it for the database. If there are conditions, `build` takes a `condition` to filter by.
    """

    def __init__(self, build: Callable[..., Any], parameters: Mapping[str, Field[Any, Any]]) -> None:
        self._build = build
        self._parameters = parameters
        self._plans: dict[Hashable, _Plan] = {}
        self._keeping = threading.Lock()

    def rows(
        self,
        values: Values,
        *,
        condition: Condition | None = None,
        using: str = DEFAULT_DB_ALIAS,
        building: Values = _NOTHING,
        **variant: Hashable,
    ) -> list[tuple[Any, ...]]:
        """Run the query with these values and return what its `values_list` would.

        `building`: arguments of `build` that do not change the SQL; plans do not keep them.
        """
        connection: Any = connections[using]
        variant |= {} if condition is None else {"condition": _MARK}
        plan = self._plan(connection, values, variant, building)
        try:
            cursor = self._execute(connection, plan, values, condition)
        except EmptyResultSet:  # no row can meet the condition
            return []
        converters = plan.converters if isinstance(cursor, CursorWrapper) else plan.binary_converters
        return self._converted(connection, converters, cursor.fetchall())

    def _execute(self, connection: Any, plan: _Plan, values: Values, condition: Condition | None = None) -> Any:
        sql, parameters = plan.sql, self._bind(connection, plan, values)
        if condition is not None:
            if isinstance(condition, models.Q):
                tested, given = _condition_sql(connection, plan.model, condition)
            else:
                tested, given = condition(connection)
            sql = sql.replace(_MARK_SQL, f"({tested})")
            position = plan.parameters.index(*_MARK.params)
            parameters[position : position + 1] = given
        return execute(connection, sql, parameters)

    def _bind(self, connection: Any, plan: _Plan, values: Values) -> list[Any]:
        parameters = list(plan.parameters)
        for position, name, index in plan.slots:
            value = values[name] if index is None else values[name][index]
            parameters[position] = self._to_db(connection, name, value)
        return parameters

    def _plan(
        self, connection: Any, values: Values, variant: dict[str, Hashable], building: Values = _NOTHING
    ) -> _Plan:
        lengths = tuple((name, len(value)) for name, value in values.items() if isinstance(value, list))
        key = (connection.vendor, lengths, *sorted(variant.items()))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._compile(connection, dict(lengths), {**variant, **building})
            self._keep(key, plan)
        return plan

    def _keep(self, key: Hashable, plan: _Plan) -> None:
        """Keep a plan within bounds of memory, because clients choose page sizes and filters."""
        if len(plan.parameters) > _PARAMETERS_MAX:
            return
        with self._keeping:
            if len(self._plans) >= _PLANS_MAX and key not in self._plans:
                del self._plans[next(iter(self._plans))]  # the oldest
            self._plans[key] = plan

    def _compile(self, connection: Any, lengths: dict[str, int], given: dict[str, Any]) -> _Plan:
        plan, unused = self._attempt(connection, lengths, given, first=0)
        if any(isinstance(plan.parameters[slot[0]], str) for slot in plan.slots):
            # SQLite gets dates and ids as texts. A text of a filter may equal a placeholder, but not another, too.
            other, _ = self._attempt(connection, lengths, given, first=_OTHER)
            plan = dataclasses.replace(plan, slots=tuple({*plan.slots} & {*other.slots}))
        self._check_unused(unused)
        return plan

    def _attempt(
        self, connection: Any, lengths: dict[str, int], given: dict[str, Any], *, first: int
    ) -> tuple[_Plan, set[tuple[str, int | None]]]:
        """Compile with placeholders from the nth on; return the plan, and the values that it does not use."""
        numbers: _Numbers = collections.defaultdict(lambda: itertools.count(first))
        placeholders = {name: self._placeholder(name, lengths.get(name), numbers) for name in self._parameters}
        built = self._build(**placeholders, **given)
        sql, parameters, converters = self._to_sql(connection, built)
        keys = {
            self._to_db(connection, name, value): (name, index) for name, index, value in _flattened(placeholders)
        }
        slots = tuple(
            (position, *keys[parameter])
            for position, parameter in enumerate(parameters)
            if isinstance(parameter, Hashable) and parameter in keys
        )
        model = self._model_of(built)
        plan = _Plan(sql, tuple(parameters), slots, model, converters, _without_json(converters))
        return plan, {*keys.values()} - {slot[1:] for slot in slots}

    def _check_unused(self, unused: set[tuple[str, int | None]]) -> None:
        if unused:
            raise LookupError(f"the compiled query does not use {sorted(name for name, _ in unused)}")

    def _model_of(self, built: Any) -> type[models.Model]:
        model: type[models.Model] = built.model
        return model

    def _to_sql(self, connection: Any, built: Any) -> tuple[str, Sequence[Any], dict[int, Any]]:
        compiler = built.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters([selected[0] for selected in compiler.select])
        return sql, parameters, {position: _with_msgspec(*found) for position, found in converters.items()}

    def _placeholder(self, name: str, length: int | None, numbers: _Numbers) -> Any:
        kinds = type(self._parameters[name]).__mro__
        make = next(_PLACEHOLDERS[kind] for kind in kinds if kind in _PLACEHOLDERS)
        made = map(make, numbers[make])
        return next(made) if length is None else list(itertools.islice(made, length))

    def _to_db(self, connection: Any, name: str, value: Any) -> Any:
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


class CompiledCondition(CompiledQuery):
    """A condition on the columns of a model that is compiled once per variant; `build` returns the `Q`.

    The `Q` may leave values out, such as those of a part that no row can meet.
    """

    def __init__(
        self, model: type[models.Model], build: Callable[..., models.Q], parameters: Mapping[str, Field[Any, Any]]
    ) -> None:
        super().__init__(build, parameters)
        self._model = model

    def given(self, values: Values, *, building: Values = _NOTHING, **variant: Hashable) -> Condition:
        """Return the condition with these values, for `rows`, which describes `building`."""

        def sql(connection: Any) -> _Sql:
            plan = self._plan(connection, values, variant, building)
            return plan.sql, self._bind(connection, plan, values)

        return sql

    def _check_unused(self, unused: set[tuple[str, int | None]]) -> None:
        pass

    def _model_of(self, built: Any) -> type[models.Model]:
        return self._model

    def _to_sql(self, connection: Any, built: Any) -> tuple[str, Sequence[Any], dict[int, Any]]:
        return *_condition_sql(connection, self._model, built), {}


def _condition_sql(connection: Any, model: type[models.Model], condition: models.Q) -> _Sql:
    """Compile a condition on the columns of a model, which may have subqueries, but no joins."""
    query = Query(model)
    query.add_q(condition)
    if len([alias for alias, uses in query.alias_refcount.items() if uses]) > 1:
        raise LookupError(f"the condition joins tables; use Exists: {condition}")
    try:
        compiled: _Sql = query.get_compiler(connection=connection).compile(query.where)
    except FullResultSet:
        return "1 = 1", ()
    return compiled


def _with_msgspec(functions: list[Any], expression: Any) -> tuple[list[Any], Any]:
    """Return the converters with msgspec instead of JSONField's decoder, which takes a tenth of a page of tasks."""
    return [_from_json if _is_plain_json(each) else each for each in functions], expression


def _without_json(converters: _Converters) -> _Converters:
    return {position: found for position, found in converters.items() if found[0] != [_from_json]}


def _is_plain_json(function: Any) -> bool:
    field = getattr(function, "__self__", None)
    return type(field) is models.JSONField and field.decoder is None


def _from_json(value: str | None, expression: Any, connection: Any) -> Any:
    return None if value is None else msgspec.json.decode(value)


def _flattened(placeholders: Values) -> Iterator[tuple[str, int | None, Any]]:
    for name, value in placeholders.items():
        if isinstance(value, list):
            yield from ((name, index, each) for index, each in enumerate(value))
        else:
            yield name, None, value


class CompiledUpdate(CompiledQuery):
    """An `update()` that is compiled once; `build` returns the query set and the arguments of `update`."""

    def run(self, **values: Any) -> int:
        """Run the update with these values and return the number of changed rows."""
        connection: Any = connections[DEFAULT_DB_ALIAS]
        changed: int = self._execute(connection, self._plan(connection, values, {}), values).rowcount
        return changed

    def _model_of(self, built: Any) -> type[models.Model]:
        return super()._model_of(built[0])

    def _to_sql(self, connection: Any, built: Any) -> tuple[str, Sequence[Any], dict[int, Any]]:
        rows, assignments = built
        query = rows.query.chain(UpdateQuery)
        query.add_update_values(assignments)
        sql, parameters = query.get_compiler(connection=connection).as_sql()
        return sql, parameters, {}


class CompiledObjects(Generic[_M]):
    """A query for model instances that is compiled once; `annotations` become attributes of the instances."""

    def __init__(
        self,
        model: type[_M],
        build: Callable[..., Any],
        parameters: Mapping[str, Field[Any, Any]],
        *,
        annotations: Sequence[str] = (),
    ) -> None:
        self._model = model
        self._annotations = annotations
        self._names = [field.attname for field in model._meta.concrete_fields]  # noqa: SLF001 - public API
        self._build = build
        self._query = CompiledQuery(self.query_set, parameters)

    def all(self, **values: Any) -> list[_M]:
        """Run the query with these values and return the instances."""
        return [self.object(row) for row in self._query.rows(values)]

    def query_set(self, **given: Any) -> Any:
        """Return the query set of the tuples that `object` takes."""
        return self._build(**given).values_list(*self._names, *self._annotations)

    def object(self, row: tuple[Any, ...]) -> _M:
        """Return the instance for one tuple."""
        size = len(self._names)
        made = self._model.from_db(DEFAULT_DB_ALIAS, self._names, row[:size])
        for name, value in zip(self._annotations, row[size:], strict=True):
            setattr(made, name, value)
        return made
