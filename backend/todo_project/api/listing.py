"""The GET side of a resource: one row by its id, or a page of a list.

A `Resource` is what Django REST framework splits into a view's `queryset` and `serializer_class`. Its queries are
compiled once per process (db/compiled.py) and return tuples of columns. A function turns each tuple into a struct,
which msgspec encodes, so no model instance and no serializer is created per row. A read (reads.py) is one request's
run of such a query. Writes use the same `Resource` to turn the row that a service returned into the response.

A list has the caller's own rows first, by id. For a caller who is a member of other people's projects, the rows of
those follow, by project and id. A page that ends within the own rows reads only those; a later one continues after
the last row in its project, and then with the projects that follow. Each of these is one range of one index,
however many projects a person has joined (ADR 0027).

With `sort`, a list has its rows in that order, own ones and others mixed (sorting.py, ADR 0034).
"""

from __future__ import annotations

import datetime as dt
import operator
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from django.db import models
from django.http import HttpResponse
from rest_framework import serializers

from todo_project.api import etag, pagination
from todo_project.api.endpoint import Current, answer
from todo_project.api.reads import OWN, PageRead, RowRead
from todo_project.api.sorting import Chosen, Range, SortedRead
from todo_project.db.compiled import CompiledQuery
from todo_project.db.owned import OwnedQuery
from todo_project.errors import InvalidInput

_ID = models.UUIDField()
_TIME = models.DateTimeField()
_PARAMETERS: dict[str, models.Field[Any, Any]] = {
    "row_id": _ID,
    "ids": _ID,
    "last": _ID,
    "place": _ID,
    "since": _TIME,
    "moment": _TIME,
}


# the parts of a list; reads.py reads them one after the other
_PLACE, _LATER, _BY_TIME = "place", "later", "by_time"
# the part of a sorted list that other people share
_SHARED = "shared"
_QUERIES_MAX = 500
# Several ids are filled up to a multiple of this with the last one, so that few numbers of them are compiled.
_IDS_STEP = 50
_NOTHING = Chosen()


def _unfiltered(rows: Any) -> Any:
    return rows


def _alike(rows: Any, user_id: Any) -> Any:
    return rows


class Resource:
    """The rows of one kind, and how a response is made of them.

    `rows` returns the query set of all rows (it has `visible_to`, `alive`, `changed_since` and so on). `columns`
    are the arguments of its `values_list`, ending with `version`. `shape` turns one such tuple into a `struct`, the
    class that `struct_for` makes from the serializer.

    `filters` maps the query parameters whose values are compared with a column to the model field that converts
    them; `flags` are query parameters that change the SQL itself. `narrow` applies those that the client sent.

    `chosen` returns what else the client asked for: a condition, an order, more fields.

    `place` is the column by which rows of other people's projects are sorted, before their id. Without it, rows
    cannot be shared. `seen_by` annotates columns that depend on the caller. One of them may be the `tag_column`,
    which is part of the entity tag.
    """

    def __init__(
        self,
        *,
        rows: Callable[[], Any],
        columns: Sequence[str],
        struct: type[msgspec.Struct],
        shape: Callable[[tuple[Any, ...]], msgspec.Struct],
        filters: Mapping[str, models.Field[Any, Any]] | None = None,
        flags: Sequence[str] = (),
        narrow: Callable[..., Any] = _unfiltered,
        place: str | None = None,
        chosen: Callable[[Mapping[str, Any]], Chosen] = lambda _: _NOTHING,
        seen_by: Callable[[Any, Any], Any] = _alike,
        tag_column: str | None = None,
    ) -> None:
        self._rows = rows
        self._columns = columns
        self._values_of = operator.attrgetter(*columns)
        self._shape = shape
        self._filters = dict(filters or {})
        self._flags = flags
        self._narrow = narrow
        self.place = place
        self._chosen = chosen
        self._seen_by = seen_by
        self._tag_column = tag_column
        self._compiled: dict[tuple[str, frozenset[str]], OwnedQuery] = {}
        self._recent = CompiledQuery(self._build_recent, {"owner_id": _ID, "since": _TIME})
        self.fields = struct.__struct_fields__
        self._fields_digest = etag.digest_of_fields(struct.__struct_fields__)

    def one(self, row_id: uuid.UUID, *, is_held: bool = False, query: Mapping[str, Any] | None = None) -> RowRead:
        """Return the read of one row. With `is_held` (the client sent an entity tag) it reads only the version."""
        expand = None if query is None else self._chosen(query).expand
        is_version = is_held and expand is None
        build = self._build_version if is_version else self._build_one
        return RowRead(self, self._query(build, {"row_id"}), row_id, is_version=is_version, expand=expand)

    def from_instance(self, row: models.Model) -> tuple[msgspec.Struct, str]:
        """Return the struct and the entity tag of a model instance, which has the columns as attributes."""
        return self.tagged(self._values_of(row))

    def read(self, query: Mapping[str, Any]) -> PageRead | SortedRead:
        """Return the read of a page in the order that the client chose."""
        chosen = self._chosen(query)
        if chosen.order is None:
            return self.page(query, chosen)
        return SortedRead(self, query, chosen.order, chosen)

    def page(self, query: Mapping[str, Any], chosen: Chosen = _NOTHING) -> PageRead:
        """Return the read of a page; `query` is the validated query string (a ChangesQuery)."""
        filters, flags = self.narrowing(query)
        flags["limit"] = query["limit"]
        first, *later = (
            (self._query(self.build_page, start | filters), start | filters, flags | {"part": part})
            for part, start in self._parts(query)
        )
        return PageRead(self, *first, later=later, chosen=chosen)

    def narrowing(self, query: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the filters of a list that are values in its SQL, and those that change the SQL."""
        given = {name: query[name] for name in (*self._filters, *self._flags) if query.get(name) is not None}
        filters = {name: given[name] for name in self._filters if name in given}
        flags = {name: given[name] for name in self._flags if name in given}
        return filters, flags | {"include_deleted": query["include_deleted"]}

    def _parts(self, query: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """Return which parts of the list a page may have rows of, and where it starts in each.

        The first is read for everybody, the others only for members of other people's projects.
        """
        if query["updated_since"] is not None:
            start = _time_start(query)
            return [(OWN, start)] if self.place is None else [(OWN, start), (_BY_TIME, start)]
        key = pagination.decode_ids(query["cursor"], most=1 if self.place is None else 2)
        if len(key) == 2:
            return [(_PLACE, {"place": key[0], "last": key[1]}), (_LATER, {"place": key[0]})]
        own = (OWN, {"last": key[0]} if key else {})
        return [own] if self.place is None else [own, (_LATER, {})]

    def has_changed_since(self, owner_id: uuid.UUID, moment: dt.datetime) -> bool:
        """Return whether any row of the account has changed at or after the moment."""
        return bool(self._recent.rows({"owner_id": owner_id, "since": moment}))

    def current(self, owner_id: uuid.UUID, row_id: uuid.UUID) -> Current | None:
        """Return the stored values of a row, in the trash or not, and its version."""
        row = self.seen(owner_id).filter(id=row_id).values_list(*self._columns).first()
        return None if row is None else (msgspec.structs.asdict(self._shape(row)), row[-1])

    @property
    def model(self) -> type[models.Model]:
        """The model of the rows."""
        found: type[models.Model] = self._rows().model
        return found

    def seen(self, user_id: uuid.UUID) -> Any:
        """Return the query set of the rows that the user may see."""
        return self._seen_by(self._rows().visible_to(user_id), user_id)

    def present(self, user_id: uuid.UUID) -> Any:
        """Return the query set of the rows that the user may see and that are not in the trash."""
        return self.seen(user_id).alive()

    def present_structs(self, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> list[Any]:
        """Return the structs of the rows with these ids that `present` has, in any order."""
        if not ids:
            return []
        filled = [*ids, *[ids[-1]] * (-len(ids) % _IDS_STEP)]
        query = self._query(self._build_some, {"ids"})
        return [self._shape(row) for row in query.rows(user_id, {"ids": filled})]

    def structs(self, rows: Any) -> list[Any]:
        """Return the structs of a query set's rows."""
        return [self._shape(row) for row in rows.values_list(*self._columns)]

    def answer_row(self, row: models.Model, *, location: str | None = None) -> HttpResponse:
        """Return the response to a write: 201 with a location for a new row, else 200."""
        shaped, tag = self.from_instance(row)
        if location is None:
            return answer(shaped, tag=tag)
        return answer(shaped, status=201, tag=tag, headers={"Location": location})

    def shaped(self, row: tuple[Any, ...]) -> msgspec.Struct:
        """Return the struct for one tuple of columns."""
        return self._shape(row)

    def tagged(self, row: tuple[Any, ...]) -> tuple[msgspec.Struct, str]:
        """Return the struct and the entity tag for one tuple of columns."""
        if self._tag_column is None:
            return self._shape(row), self.tag(row[-1])
        return self._shape(row), self.tag(row[-1], row[self._columns.index(self._tag_column)])

    def tag(self, version: int, *column: Any) -> str:
        """Return the entity tag of a version, with the value of the `tag_column` if there is one."""
        return etag.make(version, "-".join([self._fields_digest, *map(str, column)]))

    def _query(
        self,
        build: Callable[..., Any],
        values: Collection[str],
        fields: Mapping[str, models.Field[Any, Any]] = _PARAMETERS,
    ) -> OwnedQuery:
        key = (build.__name__, frozenset(values))
        if key not in self._compiled:
            if len(self._compiled) >= _QUERIES_MAX:  # bounds the memory, because clients choose the keys of a sort
                self._compiled.clear()
            fields = {**fields, **self._filters}
            self._compiled[key] = OwnedQuery(build, {name: fields[name] for name in sorted(values)})
        return self._compiled[key]

    def _build_version(self, *, owner_id: uuid.UUID, row_id: uuid.UUID) -> Any:
        columns = ["version", *([self._tag_column] if self._tag_column else [])]
        return self.present(owner_id).filter(id=row_id).order_by().values_list(*columns)

    def _build_one(self, *, owner_id: uuid.UUID, row_id: uuid.UUID) -> Any:
        return self.present(owner_id).filter(id=row_id).order_by().values_list(*self._columns)

    def _build_some(self, *, owner_id: uuid.UUID, ids: list[uuid.UUID]) -> Any:
        return self.present(owner_id).filter(id__in=ids).order_by().values_list(*self._columns)

    def _build_recent(self, *, owner_id: uuid.UUID, since: dt.datetime) -> Any:
        rows = self._part(OWN, owner_id).changed_since(since)
        return rows.order_by().values_list("id")[:1]

    def build_page(
        self,
        *,
        part: str,
        limit: int,
        include_deleted: bool,
        owner_id: uuid.UUID,
        condition: models.Q | None = None,
        **narrowing: Any,
    ) -> Any:
        """Return the query set of one part of a page, with one row more than the page has."""
        start = {name: narrowing.pop(name) for name in ("last", "since", "moment", "place") if name in narrowing}
        rows = self._narrowed(part, owner_id, include_deleted, condition, **narrowing)
        order: tuple[str, ...] = ("id",)
        if "moment" in start:
            rows, order = rows.after_change(start["moment"], start["last"]), ("updated_at", "id")
        elif "since" in start:
            rows, order = rows.changed_since(start["since"]), ("updated_at", "id")
        elif "last" in start:
            rows = rows.after_id(start["last"])
        if part == _PLACE:
            rows = rows.filter(**{str(self.place): start["place"]})
        elif part == _LATER:
            order = ("id",) if self.place == "id" else (str(self.place), "id")
            rows = rows.filter(**{f"{self.place}__gt": start["place"]}) if "place" in start else rows
        return rows.order_by(*order).values_list(*self._columns)[: limit + 1]

    def sorted_query(self, range_: Range, values: Collection[str]) -> OwnedQuery:
        """Return the compiled query of a part of a sorted list; `build_sorted` builds it."""
        return self._query(self.build_sorted, values, range_.parameters)

    def build_sorted(
        self,
        *,
        part: str,
        limit: int,
        include_deleted: bool,
        owner_id: uuid.UUID,
        range_: Range,
        condition: models.Q | None = None,
        **given: Any,
    ) -> Any:
        """Return the query set of a range of one part of a sorted list, with one row more than the page has."""
        values = {name: given.pop(name) for name in range_.parameters}
        rows = self._narrowed(part, owner_id, include_deleted, condition, **given)
        return range_.of(rows, **values).values_list(*self._columns)[: limit + 1]

    def _narrowed(
        self, part: str, owner_id: uuid.UUID, include_deleted: bool, condition: models.Q | None, **narrowing: Any
    ) -> Any:
        rows = self._part(part, owner_id)
        rows = self._narrow(rows if include_deleted else rows.alive(), **narrowing)
        return rows if condition is None else rows.filter(condition)

    def parts_of(self, user: Any) -> tuple[str, ...]:
        """Return the parts of a sorted list: own rows first, and for members those of joined projects."""
        return (OWN, _SHARED) if user.is_member else (OWN,)

    def positions(self, names: Iterable[str]) -> dict[str, int]:
        """Return where some columns are in a row."""
        return {name: self._columns.index(name) for name in names}

    def _part(self, part: str, user_id: uuid.UUID) -> Any:
        rows = self._seen_by(self._rows(), user_id)
        if self.place is None or part == _BY_TIME:
            return rows.visible_to(user_id)
        if part == _SHARED:
            return rows.part_of(user_id, is_shared=True)
        return rows.owned_by(user_id) if part == OWN else rows.shared_with(user_id)


def _time_start(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a page sorted by time starts: after the cursor's key, or at the time in `updated_since`."""
    key = pagination.decode_time(query["cursor"])
    if key is None:
        return {"since": query["updated_since"]}
    return {"moment": key[0], "last": key[1]}


def struct_for(kind: type[serializers.Serializer[Any]]) -> type[msgspec.Struct]:
    """Return a struct class with the fields of a serializer, in the same order.

    Creating and encoding a struct takes less than half the time of a dictionary. The garbage collector does not
    track it.
    """
    return msgspec.defstruct(kind.__name__.removesuffix("Serializer"), list(kind().fields), gc=False)


def check_new_id(row_id: uuid.UUID) -> None:
    """Raise InvalidInput unless the id is a UUIDv7, which keeps new rows at the end of the indexes."""
    if row_id.version != 7:
        raise InvalidInput("Use a UUIDv7 (RFC 9562) as the id.", pointer="/id", code="not_a_uuid7")
