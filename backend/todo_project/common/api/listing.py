"""Reads of one kind of row: one by its id, or a page of a list, without a model instance or serializer per row."""

from __future__ import annotations

import operator
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from django.db import models
from django.http import HttpResponse
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request

from todo_project.common.api import etag, pagination
from todo_project.common.api.endpoint import answer, answer_if_changed
from todo_project.common.compiled import CompiledQuery
from todo_project.common.errors import InvalidInput, NotFound

Shaped = dict[str, Any]
_ID = models.UUIDField()
_TIME = models.DateTimeField()
_PARAMETERS: dict[str, models.Field[Any, Any]] = {
    "owner_id": _ID,
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
    are the arguments of its `values_list`, the last of them `version`; `shape` makes the answer of one such row.
    `filters` are query parameters that narrow the list by a value, with the field that prepares each; `flags` are
    those that change the query itself. `narrow` applies both; one that the client did not give is not passed.
    """

    def __init__(
        self,
        *,
        rows: Callable[[], Any],
        columns: Sequence[str],
        shape: Callable[[tuple[Any, ...]], Shaped],
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
        self._compiled: dict[frozenset[str], CompiledQuery] = {}
        self._names = ""

    def one(self, *, owner_id: uuid.UUID, row_id: uuid.UUID) -> tuple[Shaped, str] | None:
        """Give the shaped row and its entity tag; None when there is none that this person may see."""
        values = {"owner_id": owner_id, "row_id": row_id}
        rows = self._query(self._build_one, values).rows(values)
        return self._tagged(rows[0]) if rows else None

    def of(self, row: models.Model) -> tuple[Shaped, str]:
        """Shape a row that a service gave back; its columns must be attributes of it."""
        return self._tagged(operator.attrgetter(*self._columns)(row))

    def page(self, *, owner_id: uuid.UUID, query: Mapping[str, Any]) -> pagination.Page:
        """Give the page that the validated query string (a ChangesQuery) asks for."""
        given = {name: query[name] for name in (*self._filters, *self._flags) if query.get(name) is not None}
        values = {"owner_id": owner_id, **_start(query)}
        values |= {name: given[name] for name in self._filters if name in given}
        flags = {name: given[name] for name in self._flags if name in given}
        by_time = query["updated_since"] is not None
        rows = self._query(self._build_page, values).rows(
            values, limit=query["limit"], include_deleted=query["include_deleted"], by_time=by_time, **flags
        )
        return pagination.page([self._shape(row) for row in rows], limit=query["limit"], by_time=by_time)

    def answer_one(self, request: Request, *, owner_id: uuid.UUID, row_id: uuid.UUID) -> HttpResponse:
        """Answer with the row, or 304 when the client holds it; raises NotFound."""
        found = self.one(owner_id=owner_id, row_id=row_id)
        if found is None:
            raise NotFound("There is nothing with this id that you may see.")
        shaped, tag = found
        return answer_if_changed(request, shaped, tag=tag)

    def answer_page(self, request: Request, *, owner_id: uuid.UUID, query: Mapping[str, Any]) -> HttpResponse:
        """Answer with the page, or 304 when the client holds it."""
        return answer_if_changed(request, self.page(owner_id=owner_id, query=query))

    def answer_row(self, row: models.Model, *, location: str | None = None) -> HttpResponse:
        """Answer a write with the row as it is now; with a location, it was made by this request (201)."""
        shaped, tag = self.of(row)
        if location is None:
            return answer(shaped, tag=tag)
        return answer(shaped, status=201, tag=tag, headers={"Location": location})

    def _tagged(self, row: tuple[Any, ...]) -> tuple[Shaped, str]:
        shaped = self._shape(row)
        self._names = self._names or etag.shape_of(shaped)
        return shaped, etag.make(row[-1], self._names)

    def _query(self, build: Callable[..., Any], values: Mapping[str, Any]) -> CompiledQuery:
        names = frozenset(values)
        if names not in self._compiled:
            fields = _PARAMETERS | self._filters
            self._compiled[names] = CompiledQuery(build, {name: fields[name] for name in sorted(names)})
        return self._compiled[names]

    def _build_one(self, *, owner_id: uuid.UUID, row_id: uuid.UUID) -> Any:
        rows = self._rows().visible_to(owner_id).alive().filter(id=row_id)
        return rows.order_by().values_list(*self._columns)

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


def _start(query: Mapping[str, Any]) -> dict[str, Any]:
    """Give where the page starts: after the cursor's row, or at the time since which changes are asked for."""
    if query["updated_since"] is None:
        last = pagination.decode_id(query["cursor"])
        return {} if last is None else {"last": last}
    key = pagination.decode_time(query["cursor"])
    if key is None:
        return {"since": query["updated_since"]}
    return {"moment": key[0], "last": key[1]}


def check_new_id(row_id: uuid.UUID) -> None:
    """Raise InvalidInput for an id that a client may not choose: only UUIDv7 keeps the tables in order."""
    if row_id.version != 7:
        raise InvalidInput("Choose a UUIDv7 (RFC 9562).", pointer="/id", code="not_a_uuid7")


def must(request: Request) -> Literal["exist", "be new"] | None:
    """Give what a PUT asks of its target: `If-None-Match: *` that it is new, `If-Match` that it is there."""
    if request.META.get("HTTP_IF_NONE_MATCH", "").strip() == "*":
        return "be new"
    return "exist" if "HTTP_IF_MATCH" in request.META else None


def page_of(kind: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """Give the schema of a page of these."""
    return inline_serializer(
        f"{kind.__name__.removesuffix('Out')}Page",
        {"results": kind(many=True), "next_cursor": serializers.CharField(allow_null=True)},
    )
