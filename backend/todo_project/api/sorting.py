"""Pages of a list in an order that the client chooses.

An `Order` says which groups of ranges a page is read from: each range is a query whose rows the database returns in
order. The page merges the ranges of the first group, own rows and those of other people's projects alike, and goes
on with the next group until it is full. Its cursor holds the sort keys of the last row, and a digest of everything
that the list depends on, so that it cannot be used for another list.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from django.db import models
from django.http import HttpResponse
from rest_framework.request import Request

from todo_project.api import pagination
from todo_project.api.endpoint import answer_if_changed
from todo_project.db import compiled
from todo_project.db.owned import Row

Columns = Mapping[str, Any]
# Takes the caller. What it returns takes the fields of which all rows have the same kind of value (Range.kinds).
Condition = Callable[[Any], Callable[[Mapping[str, str | None]], compiled.Condition]]
# Takes the caller and the structs of a page, and returns structs with more fields.
Expansion = Callable[[Any, list[Any]], list[Any]]


class Range(Protocol, Hashable):
    """Rows that the database returns in order. `of` takes a value for each parameter."""

    @property
    def parameters(self) -> Mapping[str, models.Field[Any, Any]]:
        """The model fields of the values."""

    @property
    def kinds(self) -> Mapping[str, str | None]:
        """The fields of several columns of which only one has a value in these rows, by name, or none has."""

    def of(self, rows: Any, **values: Any) -> Any:
        """Return the query set of these rows."""


class Order(Protocol):
    """The order of a list."""

    @property
    def columns(self) -> Mapping[str, Any]:
        """The columns that decide the order, ending with the id, and the type of each in a cursor."""

    def is_possible(self, last: Columns) -> bool:
        """Return whether a row can have these columns."""

    def groups(self, user: Any, last: Columns | None) -> Iterable[Sequence[tuple[Range, Mapping[str, Any]]]]:
        """Yield the groups of ranges that hold the rows after the last one, with the values of each range."""

    def sort(self, rows: list[tuple[Columns, Row]], user: Any) -> None:
        """Sort rows, each with its columns, as the database does."""


@dataclass(frozen=True)
class Chosen:
    """What a client asks for, beyond the filters and flags of a `Resource`."""

    condition: Condition | None = None
    order: Order | None = None
    expand: Expansion | None = None


class SortedRead:
    """The read of a page of a sorted list, from the primary."""

    # A statement of its own looks the token up: joined with the first range, it took longer than both (ADR 0034).
    can_look_up = False

    def __init__(self, resource: Any, query: Mapping[str, Any], order: Order, chosen: Chosen) -> None:
        self._resource = resource
        self._order = order
        self._limit = query["limit"]
        self._filters, self._flags = resource.narrowing(query)
        self._condition = chosen.condition
        self._expand = chosen.expand
        self.digest = pagination.digest(query)
        self._positions = resource.positions(order.columns)
        self._last = self._decoded(query["cursor"])

    def answer(self, request: Request, owner_id: uuid.UUID) -> HttpResponse:
        """Return the page, or 304 if the client has the same one."""
        user: Any = request.user
        condition = None if self._condition is None else self._condition(user)
        rows: list[Row] = []
        for group in self._order.groups(user, self._last):
            found = [part for part in self._parts(user, group, condition) if part]
            rows += found[0] if len(found) == 1 else self._merged(user, found)
            if len(rows) > self._limit:
                break
        return answer_if_changed(request, self._page(user, rows))

    def _merged(self, user: Any, parts: list[list[Row]]) -> list[Row]:
        rows = [(self._columns_of(row), row) for part in parts for row in part]
        self._order.sort(rows, user)
        return [row for _, row in rows]

    def _page(self, user: Any, rows: list[Row]) -> pagination.Page:
        page = pagination.page(
            rows,
            limit=self._limit,
            key=lambda index: self._columns_of(rows[index]).values(),
            encode=partial(pagination.encode_values, self.digest),
        )
        shaped = [self._resource.shaped(row) for row in page["results"]]
        page["results"] = shaped if self._expand is None else self._expand(user, shaped)
        return page

    def _parts(
        self, user: Any, group: Iterable[tuple[Range, Columns]], condition: Callable[..., compiled.Condition] | None
    ) -> Iterator[list[Row]]:
        """Yield the first rows of each range, own ones and those of other people's projects."""
        for range_, start in group:
            values = {**self._filters, **start}
            query = self._resource.sorted_query(range_, values)
            met = None if condition is None else condition(range_.kinds)
            for part in self._resource.parts_of(user):
                variant = {**self._flags, "part": part, "limit": self._limit, "range_": range_}
                yield query.rows(user.pk, values, condition=met, **variant)

    def _columns_of(self, row: Row) -> Columns:
        return {name: row[position] for name, position in self._positions.items()}

    def _decoded(self, cursor: str | None) -> Columns | None:
        """Return the columns of the last row; raise CursorInvalid for a cursor of another list."""
        if cursor is None:
            return None
        values = pagination.decode_values(self.digest, cursor, tuple(self._order.columns.values()))
        last = dict(zip(self._order.columns, values, strict=True))
        if not self._order.is_possible(last):
            raise pagination.CursorInvalid()
        return last
