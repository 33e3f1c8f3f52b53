"""What every write of an owned row does: lock it, compare its version, save it with the next one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import TypeVar

from todo_project.common.errors import NotFound, StaleVersion
from todo_project.todos.models import OwnedQuerySet, OwnedRow

_Row = TypeVar("_Row", bound=OwnedRow)


def locked(
    rows: OwnedQuerySet[_Row], *, row_id: uuid.UUID, expected_versions: frozenset[int] | None = None
) -> _Row:
    """Give the row, locked until the transaction ends.

    `rows` are those that the caller may change. Raises NotFound, and StaleVersion when the row's version is none
    of those that the caller expects.
    """
    row = rows.select_for_update(of=("self",)).filter(id=row_id).first()
    if row is None:
        raise NotFound("There is nothing with this id that you may see.")
    if expected_versions is not None and row.version not in expected_versions:
        raise StaleVersion("This has changed since you read it. Read it again and repeat your change.")
    return row


def save(row: OwnedRow, *, fields: Iterable[str], now: dt.datetime) -> None:
    """Write the named fields of a locked row as its next version."""
    row.version += 1
    row.updated_at = now
    row.save(update_fields=[*fields, "version", "updated_at"])
