"""What every write of an owned row does: lock it, compare its version, save it with the next one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import F, Max

from todo_project.errors import Conflict, NotFound, StaleVersion
from todo_project.todos.models import OwnedQuerySet, OwnedRow
from todo_project.todos.services import positions

_Row = TypeVar("_Row", bound=OwnedRow)
Versions = frozenset[int] | None
Must = Literal["exist", "be new"] | None

NOT_FOUND = "There is nothing with this id that you may see."


class IdTaken(Conflict):
    """A row with this id was inserted in the meantime, or is another person's."""


class IsTrashed(Conflict):
    """What is in the trash has to be restored first."""


def locked(rows: OwnedQuerySet[_Row], *, row_id: uuid.UUID, expected_versions: Versions = None) -> _Row:
    """Give the row, locked until the transaction ends.

    `rows` are those that the caller may change. Raises NotFound, and StaleVersion when the row's version is none
    of those that the caller expects.
    """
    # no_key: rows that refer to this one may be inserted meanwhile, so that nobody waits in a circle
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
    """Set the values of a locked row; when none of them is new, it stays the version that it is."""
    new = {name: value for name, value in changes.items() if getattr(row, name) != value}
    for name, value in new.items():
        setattr(row, name, value)
    if new:
        save(row, fields=new, now=now)


def update_all(rows: OwnedQuerySet[Any], *, now: dt.datetime, **values: Any) -> int:
    """Set the values of all rows as their next version, in one statement; gives how many there were."""
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
    """Make the row with the id that the client chose, or replace what it holds; tells whether it was made.

    Raises StaleVersion when `must` is not so, IsTrashed, and NotFound when the id is another person's.
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


def last_position(rows: OwnedQuerySet[Any]) -> str:
    """Give a position behind all of the rows."""
    last: str | None = rows.order_by().aggregate(last=Max("position"))["last"]
    return positions.between(last, None)
