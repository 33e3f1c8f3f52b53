"""What a column's change means to code that knows the column as it was."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db.migrations.utils import resolve_relation
from django.db.models import ForeignKey, ManyToManyField
from django.db.models.fields import NOT_PROVIDED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

_INTEGERS = ("smallint", "integer", "bigint")
_TEXTS = re.compile(r"(?:varchar|character varying|char)\((\d+)\)")
_NUMBERS = re.compile(r"numeric\((\d+), ?(\d+)\)")


def incompatibilities(name: str, old: Any, new: Any, connection: BaseDatabaseWrapper) -> Iterator[str]:
    """Return each reason why the previous release could not read or write the changed column."""
    if isinstance(old, ManyToManyField) or isinstance(new, ManyToManyField):
        if old.db_table != new.db_table:
            yield "the previous release expects the relation in its old table"
        return
    if _column(name, old) != _column(name, new):
        yield "the previous release expects the column under its old name"
    if old.null and not new.null:
        yield "the previous release may write NULL, which would be refused"
    if _has_default(old) and not _has_default(new) and not new.null:
        yield "the previous release relies on the database's default, which is removed"
    yield from _uniqueness(old, new)
    if isinstance(old, ForeignKey) or isinstance(new, ForeignKey):
        yield from _keys(old, new)
    else:
        yield from _types(_bound(name, old), _bound(name, new), connection)


def _column(name: str, field: Any) -> str:
    return field.db_column or (f"{name}_id" if isinstance(field, ForeignKey) else name)


def _has_default(field: Any) -> bool:
    return field.db_default is not NOT_PROVIDED


def _uniqueness(old: Any, new: Any) -> Iterator[str]:
    if new.unique and not old.unique:
        yield "the previous release may write the same value twice, which would be refused"
    if old.unique and not new.unique:
        yield "the previous release may rely on the uniqueness, and its ON CONFLICT fails without it"


def _keys(old: Any, new: Any) -> Iterator[str]:
    if not all(isinstance(field, ForeignKey) for field in (old, new)):
        yield "it becomes or ceases to be a foreign key, so that the previous release reads or writes other values"
        return
    if _target(old) != _target(new):
        yield "the previous release writes keys of another table"
    if new.db_constraint and not old.db_constraint:
        yield "the previous release may write foreign keys to missing rows, which would be refused"


def _types(old: Any, new: Any, connection: BaseDatabaseWrapper) -> Iterator[str]:
    before, after = _type(old, connection), _type(new, connection)
    if before != after and not _is_wider(before, after):
        yield f"its type changes from {before} to {after}, which may not hold the previous release's values"
    check = new.db_check(connection)
    if check and check != old.db_check(connection):
        yield "values are checked that the previous release may write"


def _bound(name: str, field: Any) -> Any:
    """Return a copy that knows its column, which a field of a migration's state does not."""
    copy = field.clone()
    copy.set_attributes_from_name(name)
    return copy


def _type(field: Any, connection: BaseDatabaseWrapper) -> str:
    """Return the column's type; what SQLite calls unsigned is a check."""
    return str(field.db_type(connection)).removesuffix(" unsigned")


def _target(field: Any) -> Any:
    return resolve_relation(field.remote_field.model)


def _is_wider(before: str, after: str) -> bool:
    """Return whether every value of one type is also a value of the other, written in the same way."""
    if before in _INTEGERS and after in _INTEGERS:
        return _INTEGERS.index(after) > _INTEGERS.index(before)
    short, long = _TEXTS.fullmatch(before), _TEXTS.fullmatch(after)
    if short:
        return after in {"text", "varchar"} or (long is not None and int(long[1]) >= int(short[1]))
    if {before, after} == {"text", "varchar"}:
        return True
    few, many = _NUMBERS.fullmatch(before), _NUMBERS.fullmatch(after)
    if few and many:
        (digits, places), (more, finer) = map(int, few.groups()), map(int, many.groups())
        return finer == places and more >= digits
    return False


def rewrites(old: Any, new: Any, connection: BaseDatabaseWrapper) -> bool:
    """Return whether the database rewrites the whole table, and locks it meanwhile."""
    if any(isinstance(field, ForeignKey | ManyToManyField) for field in (old, new)):
        return False
    before, after = _type(old, connection), _type(new, connection)
    return before != after and not after.startswith(("varchar", "text", "numeric"))
