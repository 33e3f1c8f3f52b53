"""Reads of one kind of row: one by its id, or a page of a list, without a model instance or serializer per row."""

from __future__ import annotations

import datetime as dt
import operator
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec
from django.db import models
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from todo_project.api import etag, pagination
from todo_project.api.endpoint import Current, answer, answer_if_changed, not_modified
from todo_project.db import replica
from todo_project.db.compiled import CompiledQuery, Values
from todo_project.db.owned import OwnedQuery, Read, Row
from todo_project.errors import InvalidInput, NotFound

_ID = models.UUIDField()
_TIME = models.DateTimeField()
_PARAMETERS: dict[str, models.Field[Any, Any]] = {
    "row_id": _ID,
    "last": _ID,
    "since": _TIME,
    "moment": _TIME,
}


def _as_it_is(rows: Any, **filters: Any) -> Any:
    return rows


class Reading:
    """What a resource answers with: which rows, which columns, and the shape made of them.

    `rows` gives the query set of all rows (an OwnedQuerySet: `visible_to`, `alive`, `changed_since`, …). `columns`
    are the arguments of its `values_list`, the last of them `version`; `shape` makes the answer of one such row, a
    struct of `answers_of` the serializer that describes it.
    `filters` are query parameters that narrow the list by a value, with the field that prepares each; `flags` are
    those that change the query itself. `narrow` applies both; one that the client did not give is not passed.
    """

    def __init__(
        self,
        *,
        rows: Callable[[], Any],
        columns: Sequence[str],
        shape: Callable[[tuple[Any, ...]], msgspec.Struct],
        filters: Mapping[str, models.Field[Any, Any]] | None = None,
        flags: Sequence[str] = (),
        narrow: Callable[..., Any] = _as_it_is,
    ) -> None:
        self._rows = rows
        self._columns = columns
        self._shape = shape
        self._filters = dict(filters or {})
        self._flags = flags
        self._narrow = narrow
        self._compiled: dict[tuple[str, frozenset[str]], OwnedQuery] = {}
        self._recent = CompiledQuery(self._build_recent, {"owner_id": _ID, "since": _TIME})
        self._names = ""

    def one(self, row_id: uuid.UUID, *, is_held: bool = False) -> OneRead:
        """Give the read of one row; of what a client says it holds, only the version."""
        held = is_held and bool(self._names)  # whose tags are known
        build = self._build_version if held else self._build_one
        return OneRead(self, self._query(build, {"row_id"}), row_id, is_version=held)

    def of(self, row: models.Model) -> tuple[msgspec.Struct, str]:
        """Shape a row that a service gave back; its columns must be attributes of it."""
        return self.tagged(operator.attrgetter(*self._columns)(row))

    def page(self, query: Mapping[str, Any]) -> PageRead:
        """Give the read of the page that the validated query string (a ChangesQuery) asks for."""
        given = {name: query[name] for name in (*self._filters, *self._flags) if query.get(name) is not None}
        values = _start(query) | {name: given[name] for name in self._filters if name in given}
        flags = {name: given[name] for name in self._flags if name in given}
        by_time = query["updated_since"] is not None
        flags |= {"limit": query["limit"], "include_deleted": query["include_deleted"], "by_time": by_time}
        return PageRead(self, self._query(self._build_page, values), values, flags)

    def has_changed_since(self, owner_id: uuid.UUID, moment: dt.datetime) -> bool:
        """Tell whether any row of the person has changed at or after the moment."""
        return bool(self._recent.rows({"owner_id": owner_id, "since": moment}))

    def current(self, owner_id: uuid.UUID, row_id: uuid.UUID) -> Current | None:
        """Return a row as it is now, in the trash or not, and its version."""
        rows = self._rows().visible_to(owner_id).filter(id=row_id).values_list(*self._columns)
        row = rows.first()
        return None if row is None else (msgspec.structs.asdict(self._shape(row)), row[-1])

    def answer_row(self, row: models.Model, *, location: str | None = None) -> HttpResponse:
        """Answer a write with the row as it is now; with a location, it was made by this request (201)."""
        shaped, tag = self.of(row)
        if location is None:
            return answer(shaped, tag=tag)
        return answer(shaped, status=201, tag=tag, headers={"Location": location})

    def shaped(self, row: tuple[Any, ...]) -> msgspec.Struct:
        """Make the answer of one row."""
        return self._shape(row)

    def tagged(self, row: tuple[Any, ...]) -> tuple[msgspec.Struct, str]:
        """Make the answer of one row, and give its entity tag."""
        shaped = self._shape(row)
        self._names = self._names or etag.shape_of(shaped.__struct_fields__)
        return shaped, self.tag(row[-1])

    def tag(self, version: int) -> str:
        """Give the entity tag of a version of a row, once a row has been shaped."""
        return etag.make(version, self._names)

    def _query(self, build: Callable[..., Any], values: Collection[str]) -> OwnedQuery:
        key = (build.__name__, frozenset(values))
        if key not in self._compiled:
            fields = _PARAMETERS | self._filters
            self._compiled[key] = OwnedQuery(build, {name: fields[name] for name in sorted(values)})
        return self._compiled[key]

    def _build_version(self, *, owner_id: uuid.UUID, row_id: uuid.UUID) -> Any:
        return self._rows().visible_to(owner_id).alive().filter(id=row_id).order_by().values_list("version")

    def _build_one(self, *, owner_id: uuid.UUID, row_id: uuid.UUID) -> Any:
        rows = self._rows().visible_to(owner_id).alive().filter(id=row_id)
        return rows.order_by().values_list(*self._columns)

    def _build_recent(self, *, owner_id: uuid.UUID, since: dt.datetime) -> Any:
        rows = self._rows().visible_to(owner_id).changed_since(since)
        return rows.order_by().values_list("id")[:1]

    def _build_page(
        self, *, limit: int, include_deleted: bool, by_time: bool, owner_id: uuid.UUID, **narrowing: Any
    ) -> Any:
        start = {name: narrowing.pop(name, None) for name in ("last", "since", "moment")}
        rows = self._rows().visible_to(owner_id)
        if not include_deleted:
            rows = rows.alive()
        rows = self._narrow(rows, **narrowing)
        if start["moment"] is not None:
            rows = rows.after_change(start["moment"], start["last"])
        elif start["last"] is not None:
            rows = rows.after_id(start["last"])
        elif start["since"] is not None:
            rows = rows.changed_since(start["since"])
        order = ("updated_at", "id") if by_time else ("id",)
        return rows.order_by(*order).values_list(*self._columns)[: limit + 1]


class OneRead(Read):
    """The read of one row, or of its version alone."""

    def __init__(self, reading: Reading, query: OwnedQuery, row_id: uuid.UUID, *, is_version: bool) -> None:
        super().__init__(query, {"row_id": row_id})
        self._reading = reading
        self._row_id = row_id
        self._is_version = is_version

    def answer(self, request: Request, owner_id: uuid.UUID) -> HttpResponse:
        """Answer with the row, or 304 when the client holds it; raises NotFound."""
        rows = self.rows(owner_id)
        if not rows:
            raise NotFound("This does not exist, or you have no access to it. Check the id.")
        if not self._is_version:
            shaped, tag = self._reading.tagged(rows[0])
            return answer_if_changed(request, shaped, tag=tag)
        tag = self._reading.tag(rows[0][0])
        if etag.is_unchanged(request, tag):
            return not_modified(tag)
        return self._reading.one(self._row_id).answer(request, owner_id)


class PageRead(Read):
    """The read of a page of a list; of a replica, where it surely gives what the primary would."""

    def __init__(self, reading: Reading, query: OwnedQuery, values: Values, flags: Mapping[str, Any]) -> None:
        super().__init__(query, values, **flags)
        self._reading = reading

    @property
    def can_look_up(self) -> bool:
        """Return whether the primary is read: a token must not be looked up in a replica, which may be behind."""
        return not replica.is_there()

    def rows(self, owner_id: uuid.UUID) -> list[Row]:
        """Give the rows of the caller, who has been proven."""
        if not replica.is_there():
            return super().rows(owner_id)
        return replica.read(
            lambda database: self.rows_from(database, owner_id),
            has_changed_since=lambda since: self._reading.has_changed_since(owner_id, since),
        )

    def answer(self, request: Request, owner_id: uuid.UUID) -> HttpResponse:
        """Answer with the page, or 304 when the client holds it."""
        shaped = [self._reading.shaped(row) for row in self.rows(owner_id)]
        limit, by_time = self.shape["limit"], self.shape["by_time"]
        return answer_if_changed(request, pagination.page(shaped, limit=limit, by_time=by_time))


def _start(query: Mapping[str, Any]) -> dict[str, Any]:
    """Give where the page starts: after the cursor's row, or at the time since which changes are asked for."""
    if query["updated_since"] is None:
        last = pagination.decode_id(query["cursor"])
        return {} if last is None else {"last": last}
    key = pagination.decode_time(query["cursor"])
    if key is None:
        return {"since": query["updated_since"]}
    return {"moment": key[0], "last": key[1]}


def answers_of(kind: type[serializers.Serializer[Any]]) -> type[msgspec.Struct]:
    """Give the struct of the fields that an out-serializer describes, in their order.

    It is made and encoded in less than half the time of a dictionary, and is nothing to the garbage collector,
    which else looks through a page while it is made.
    """
    return msgspec.defstruct(kind.__name__.removesuffix("Serializer"), list(kind().fields), gc=False)


def check_new_id(row_id: uuid.UUID) -> None:
    """Raise InvalidInput for an id that a client may not choose: only UUIDv7 keeps the tables in order."""
    if row_id.version != 7:
        raise InvalidInput("Use a UUIDv7 (RFC 9562) as the id.", pointer="/id", code="not_a_uuid7")


def must(request: Request) -> Literal["exist", "be new"] | None:
    """Give what a PUT asks of its target: `If-None-Match: *` that it is new, `If-Match` that it is there."""
    if request.META.get("HTTP_IF_NONE_MATCH", "").strip() == "*":
        return "be new"
    return "exist" if "HTTP_IF_MATCH" in request.META else None
