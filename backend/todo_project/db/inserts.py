"""Inserts whose SQL the ORM compiles once per process.

`save` and `bulk_create` take longer in Python than PostgreSQL takes to insert the rows. `insert` gets the SQL from
the ORM once for each model and number of rows. After that, it only asks each field for its value, as the ORM does,
and runs the prepared statement. As with `bulk_create`, no signals are sent. Rows do not get the ids that the
database generates for them.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery

from todo_project.db.compiled import execute


def insert(rows: Sequence[models.Model], *, ignore_conflicts: bool = False) -> None:
    """Insert a few new rows of one model in one statement; each number of rows has a statement of its own."""
    connection = connections[DEFAULT_DB_ALIAS]
    sql, fields = _compiled(type(rows[0]), len(rows), ignore_conflicts, connection.vendor)
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for row in rows for field in fields]
    execute(connection, sql, values)
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001 - public API


@functools.cache
def _compiled(
    model: type[models.Model], count: int, ignore_conflicts: bool, vendor: str
) -> tuple[str, list[models.Field[Any, Any]]]:
    """Return the SQL for this number of rows, and the fields whose values it takes of each."""
    concrete = model._meta.local_concrete_fields  # noqa: SLF001 - public API
    fields = [field for field in concrete if not isinstance(field, models.AutoField)]
    query = InsertQuery(model, on_conflict=OnConflict.IGNORE if ignore_conflicts else None)
    query.insert_values(fields, [model()])
    [(sql, _)] = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
    row = f"({', '.join(['%s'] * len(fields))})"
    if row not in sql:
        raise LookupError(f"the database computes columns of {model.__name__}: {sql}")
    return sql.replace(row, ", ".join([row] * count)), fields
