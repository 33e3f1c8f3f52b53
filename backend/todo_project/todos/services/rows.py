"""The steps of every write: lock the row, compare its version, save it with the next version."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal, TypeVar

from django.db import IntegrityError, models, transaction
from django.db.models import F

from todo_project.db import inserts
from todo_project.db.rows import Versioned
from todo_project.errors import NOT_FOUND, STALE, Conflict, NotFound, StaleVersion
from todo_project.todos.models import Change, Membership, TrashableQuerySet, TrashableRow

_Row = TypeVar("_Row", bound=TrashableRow)
Versions = frozenset[int] | None
Precondition = Literal["exists", "absent"] | None


class IdTaken(Conflict):
    """A row has this id, which another request has just inserted or which is another account's, or one had it."""


class IsTrashed(Conflict):
    """The row is in the trash, so it cannot be changed."""


def locked(rows: TrashableQuerySet[_Row], *, row_id: uuid.UUID, expected_versions: Versions = None) -> _Row:
    """Return the row, locked until the transaction ends.

    `rows` are those that the caller may change. Raises NotFound, and StaleVersion if the version is not an expected
    one.
    """
    row = rows.filter(id=row_id).locked().first()
    if row is None:
        raise NotFound(NOT_FOUND)
    compare(row, expected_versions=expected_versions)
    return row


def compare(row: Versioned | Membership, *, expected_versions: Versions) -> None:
    """Raise StaleVersion if the row's version is not an expected one; None allows any version."""
    if expected_versions is not None and row.version not in expected_versions:
        raise StaleVersion(STALE)


def save(row: TrashableRow, *, fields: Iterable[str], now: dt.datetime) -> None:
    """Save the named fields of a locked row, with the next version."""
    row.version += 1
    row.updated_at = now
    row.save(update_fields=[*fields, "version", "updated_at"])


def save_all(
    table: models.Manager[_Row], found: Collection[_Row], *, fields: Iterable[str], now: dt.datetime
) -> None:
    """Save the named fields of locked rows, each with its next version, in statements of 500 rows.

    bulk_update would take minutes to build them.
    """
    for row in found:
        row.version += 1
        row.updated_at = now
    columns = (*fields, "version", "updated_at")
    table.bulk_create(found, 500, update_conflicts=True, unique_fields=["id"], update_fields=columns)


def change(row: TrashableRow, *, changes: Mapping[str, Any], now: dt.datetime) -> None:
    """Save changed values of a locked row, with the next version; do nothing if no value differs."""
    new = {name: value for name, value in changes.items() if getattr(row, name) != value}
    for name, value in new.items():
        setattr(row, name, value)
    if new:
        save(row, fields=new, now=now)


def update_all(rows: TrashableQuerySet[Any], *, now: dt.datetime, **values: Any) -> int:
    """Set values of all rows, each with its next version, in one statement; return how many rows there were."""
    return rows.order_by().update(version=F("version") + 1, updated_at=now, **values)


def insert(table: models.Manager[_Row], row: _Row) -> None:
    """Insert a new row; raises IdTaken, and IntegrityError for a violation of another constraint.

    The id of what was purged stays taken: with it, somebody else would get what the log has of that.
    """
    try:
        with transaction.atomic():
            inserts.insert([row])
    except IntegrityError as error:
        if table.filter(pk=row.pk).exists():
            raise IdTaken(NOT_FOUND) from error
        raise
    # only now, because the insert waits for a purge that is under way
    if Change.objects.purges_of(row.pk).exists():
        raise IdTaken(NOT_FOUND)


def put(
    rows: TrashableQuerySet[_Row],
    *,
    row_id: uuid.UUID,
    precondition: Precondition,
    create: Callable[[], _Row],
    replace: Callable[[], _Row],
) -> tuple[_Row, bool]:
    """Create the row with an id that the client chose, or replace its values; return whether it was created.

    Raises StaleVersion if the precondition fails, IsTrashed, and NotFound if the row belongs to another account.
    """
    row = rows.filter(id=row_id).first()
    if row is None and precondition != "exists":
        try:
            return create(), True
        except IdTaken:  # by a concurrent request, or by another account
            row = rows.filter(id=row_id).first()
    if row is None and precondition == "exists":
        raise StaleVersion(
            "No resource has this id, so `If-Match` cannot match. Leave out `If-Match` to create the resource."
        )
    if row is None:
        raise NotFound(NOT_FOUND)
    if precondition == "absent":
        raise StaleVersion("The id already exists. Leave out `If-None-Match` to replace the resource.")
    if row.deleted_at is not None:
        raise IsTrashed("The resource is in the trash. Restore it first.")
    return replace(), False
