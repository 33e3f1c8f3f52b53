"""Insert a row where a condition still holds, without a transaction around it (PostgreSQL).

To look, to lock and to insert are three round trips, and the transaction's ends two more. Whoever has looked
before can do the rest in one statement: it locks what the condition is about, compares, and inserts or does not.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models
from psycopg.types.json import Jsonb

from todo_project.db.compiled import CompiledQuery, Values, inserted_fields, insertion

_ALONE = 'WITH "guard" AS ({guard}) {insertion} FROM "guard"'
_MARKED = (
    'WITH "guard" AS ({guard}), "marks" AS ({marks}), "made" AS ({insertion} FROM "guard" '
    'WHERE (SELECT count(*) FROM "marks") = %s RETURNING "id") '
    'INSERT INTO {table} ({columns}) SELECT "made"."id", "marks"."id" FROM "made", "marks"'
)


class GuardedInsert:
    """The insertion of a row of `model`, compiled once, if `guard` gives a row; `marked` rows go with it.

    What `guard` gives is locked against changes of its condition. `through` is the table between the row and what
    it is marked with; `marks` is a query of the ids of those, which gets the wanted ones as `ids`. When it does not
    give all of them, nothing is inserted. The row brings all its values; no signals are sent.
    """

    def __init__(
        self,
        model: type[models.Model],
        *,
        guard: CompiledQuery,
        through: type[models.Model],
        marks: CompiledQuery,
    ) -> None:
        self._model = model
        self._guard = guard
        self._through = through
        self._marks = marks
        self._statements: dict[tuple[str, str], str] = {}

    def run(self, row: models.Model, *, guard: Values, marks: Values) -> bool:
        """Insert the row; tells whether it was."""
        connection: Any = connections[DEFAULT_DB_ALIAS]
        done: bool = connection.run_prepared(*self.statement(row, guard=guard, marks=marks)).rowcount > 0
        if done:
            row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001 - documented
        return done

    def statement(self, row: models.Model, *, guard: Values, marks: Values) -> tuple[str, list[Any]]:
        """Give the statement and the parameters that are sent for these values."""
        connection: Any = connections[DEFAULT_DB_ALIAS]
        guard_sql, parameters = self._guard.statement(guard)
        marks_sql, wanted = self._marks.statement(marks) if marks["ids"] else ("", [])
        key = (guard_sql, marks_sql)
        sql = self._statements.get(key)
        if sql is None:
            sql = self._statements[key] = self._composed(connection, guard_sql, marks_sql)
        values = [
            _untyped(field.get_db_prep_save(getattr(row, field.attname), connection))
            for field in inserted_fields(self._model)
        ]
        count = [len(marks["ids"])] if wanted else []
        return sql, [*parameters, *wanted, *values, *count]

    def _composed(self, connection: Any, guard: str, marks: str) -> str:
        guard += f" {connection.ops.for_update_sql(no_key=True)}"  # the ORM wants a transaction for that
        selecting = _as_select(connection, self._model)
        if not marks:
            return _ALONE.format(guard=guard, insertion=selecting)
        quote = connection.ops.quote_name
        return _MARKED.format(
            guard=guard,
            marks=marks,
            insertion=selecting,
            table=quote(self._through._meta.db_table),  # noqa: SLF001 - public API
            columns=", ".join(quote(field.column) for field in inserted_fields(self._through)),
        )


def _as_select(connection: Any, model: type[models.Model]) -> str:
    """Give the ORM's insertion of one row with SELECT in place of VALUES, so that it can have a condition."""
    head, _, values = insertion(connection, model).partition(" VALUES (")
    return f"{head} SELECT {values.removesuffix(')')}"


# Of these the text is what PostgreSQL reads.
_AS_TEXT = (str, int, uuid.UUID, dt.datetime, dt.date)


def _untyped(value: Any) -> Any:
    """Give a value whose type PostgreSQL takes from the column, as it does of a null.

    The server keeps one statement for each combination of types, so that there is one whatever is null. Raises
    TypeError for a value whose text is another.
    """
    if value is None or isinstance(value, Jsonb):
        return value
    if not isinstance(value, _AS_TEXT):
        raise TypeError(f"{type(value).__name__} has no text that PostgreSQL reads: name it in _AS_TEXT if it has")
    return str(value)
