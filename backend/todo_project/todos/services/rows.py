"""The steps of every write: lock the row, compare its version, save it as the next version."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import F

from todo_project.errors import Conflict, NotFound, StaleVersion
from todo_project.todos.models import OwnedQuerySet, OwnedRow

_Row = TypeVar("_Row", bound=OwnedRow)
Versions = frozenset[int] | None
Must = Literal["exist", "be new"] | None

NOT_FOUND = "There is nothing with this id that you may see."


class IdTaken(Conflict):
    """A row with this id exists: inserted in the meantime, or another person's."""


class IsTrashed(Conflict):
    """A row in the trash has to be restored before it can be changed."""


def locked(rows: OwnedQuerySet[_Row], *, row_id: uuid.UUID, expected_versions: Versions = None) -> _Row:
    """Return the row, locked until the transaction ends.

    `rows` are those that the caller may change. Raises NotFound, and StaleVersion when the row's version is none
    of those that the caller expects.
    """
    # no_key: rows that refer to this one may be inserted meanwhile, which avoids deadlocks
    row = rows.select_for_update(of=("self",), no_key=True).filter(id=row_id).first()
    if row is None:
        raise NotFound(NOT_FOUND)
    compare(row, expected_versions=expected_versions)
    return row


def compare(row: OwnedRow, *, expected_versions: Versions) -> None:
    """Raise StaleVersion when the row's version is none of those that the caller expects."""
    if expected_versions is not None and row.version not in expected_versions:
        raise StaleVersion("This has changed since you read it. Read it again and repeat your change.")


def save(row: OwnedRow, *, fields: Iterable[str], now: dt.datetime) -> None:
    """Write the named fields of a locked row as its next version."""
    row.version += 1
    row.updated_at = now
    row.save(update_fields=[*fields, "version", "updated_at"])


def change(row: OwnedRow, *, changes: Mapping[str, Any], now: dt.datetime) -> None:
    """Set the values of a locked row as its next version, unless it has all of them already."""
    new = {name: value for name, value in changes.items() if getattr(row, name) != value}
    for name, value in new.items():
        setattr(row, name, value)
    if new:
        save(row, fields=new, now=now)


def update_all(rows: OwnedQuerySet[Any], *, now: dt.datetime, **values: Any) -> int:
    """Set the values of all rows as their next version, in one statement; returns how many there were."""
    return rows.order_by().update(version=F("version") + 1, updated_at=now, **values)


def insert(table: OwnedQuerySet[_Row], row: _Row) -> None:
    """Write a new row; raises IdTaken, and IntegrityError when another constraint forbids it."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        everybodys = type(table)(model=table.model)  # whatever `table` leaves out
        if everybodys.filter(pk=row.pk).exists():
            raise IdTaken(NOT_FOUND) from error
        raise


def put(
    rows: OwnedQuerySet[_Row],
    *,
    row_id: uuid.UUID,
    must: Must,
    create: Callable[[], _Row],
    replace: Callable[[], _Row],
) -> tuple[_Row, bool]:
    """Create the row with the id that the client chose, or replace what it holds; returns whether it was created.

    Raises StaleVersion when `must` does not hold, IsTrashed, and NotFound when the id is another person's.
    """
    row = rows.filter(id=row_id).first()
    if row is None and must != "exist":
        try:
            return create(), True
        except IdTaken:  # by a request at the same moment, or it is another person's
            row = rows.filter(id=row_id).first()
    if row is None and must == "exist":
        raise StaleVersion("There is nothing with this id that could match.")
    if row is None:
        raise NotFound(NOT_FOUND)
    if must == "be new":
        raise StaleVersion("There is one with this id already.")
    if row.deleted_at is not None:
        raise IsTrashed("This is in the trash. Restore it first.")
    return replace(), False
