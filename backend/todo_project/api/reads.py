"""One request's read of a resource: a row, or a page of its list by id or by time (sorting.py has the others).

For a request with a token, the statement that reads the rows looks the token up, too (db/owned.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from rest_framework.request import Request

from todo_project.api import etag, pagination
from todo_project.api.endpoint import answer_if_changed, not_modified
from todo_project.api.sorting import Chosen, Expansion
from todo_project.db import replica
from todo_project.db.compiled import Condition, Values
from todo_project.db.owned import OwnedQuery, Read, Row
from todo_project.errors import NOT_FOUND, NotFound

if TYPE_CHECKING:
    from todo_project.api.listing import Resource

# the part of a list with the caller's own rows
OWN = "own"
# a query with its values and its variant
_Part = tuple[OwnedQuery, Values, Mapping[str, Any]]


class RowRead(Read):
    """The read of one row, or of its version alone."""

    def __init__(
        self,
        resource: Resource,
        query: OwnedQuery,
        row_id: uuid.UUID,
        *,
        is_version: bool,
        expand: Expansion | None,
    ) -> None:
        super().__init__(query, {"row_id": row_id})
        self._resource = resource
        self._row_id = row_id
        self._is_version = is_version
        self._expand = expand

    def answer(self, request: Request, owner_id: uuid.UUID) -> HttpResponse:
        """Return the row, or 304 if the client has the current version; raise NotFound."""
        rows = self.rows(owner_id)
        if not rows:
            raise NotFound(NOT_FOUND)
        if not self._is_version:
            shaped, tag = self._resource.tagged(rows[0])
            if self._expand is not None:
                (shaped,) = self._expand(request.user, [shaped])
                tag = etag.of_expanded(tag, shaped)
            return answer_if_changed(request, shaped, tag=tag)
        tag = self._resource.tag(*rows[0])
        if etag.is_unchanged(request, tag):
            return not_modified(tag)
        return self._resource.one(self._row_id).answer(request, owner_id)


class PageRead(Read):
    """The read of a page of a list, from a replica if it certainly has the same rows as the primary."""

    def __init__(
        self,
        resource: Resource,
        query: OwnedQuery,
        values: Values,
        flags: Mapping[str, Any],
        *,
        later: Sequence[_Part],
        chosen: Chosen,
    ) -> None:
        super().__init__(query, values, **flags)
        self._resource = resource
        self._later = later
        self._condition = chosen.condition
        self._expand = chosen.expand

    @property
    def can_look_up(self) -> bool:
        """Return whether the primary is read: a replica may not know yet that a token was revoked."""
        return not replica.is_configured() and self._condition is None

    def rows(self, owner_id: uuid.UUID) -> list[Row]:
        """Return the rows of the caller, who is authenticated.

        Only own rows come from the replica, which may not know yet that a membership has ended.
        """
        if not replica.is_configured() or self.variant["part"] != OWN:
            return super().rows(owner_id)
        return replica.run(
            lambda database: self.rows_from(database, owner_id),
            has_changed_since=lambda since: self._resource.has_changed_since(owner_id, since),
        )

    def answer(self, request: Request, owner_id: uuid.UUID) -> HttpResponse:
        """Return the page, or 304 if the client has the same one."""
        user: Any = request.user
        condition = None if self._condition is None else self._condition(user)({})
        first = (self.query, self.values, self.variant)
        rows = self.rows(owner_id) if condition is None else self._part(first, owner_id, condition)
        page = self._page(user, rows, condition)
        if self._expand is not None:
            page["results"] = self._expand(user, page["results"])
        return answer_if_changed(request, page)

    def page_from_primary(self, user: Any, condition: Condition | None = None) -> pagination.Page:
        """Return the page as the primary has it now, with rows that meet the condition."""
        rows = self._part((self.query, self.values, self.variant), user.pk, condition)
        return self._page(user, rows, condition)

    def _page(self, user: Any, rows: list[Row], condition: Condition | None) -> pagination.Page:
        """Return the page that begins with these rows of the user's own."""
        own = len(rows) if self.variant["part"] == OWN else 0
        if user.is_member:
            rows = self._with_shared(rows, user.pk, condition)
        shaped = [self._resource.shaped(row) for row in rows]

        def key(index: int) -> tuple[pagination.Key, ...]:
            row: Any = shaped[index]
            if self._is_by_time:
                return (row.updated_at, row.id)
            return (row.id,) if index < own else (getattr(row, str(self._resource.place)), row.id)

        return pagination.page(shaped, limit=self.variant["limit"], key=key)

    @property
    def _is_by_time(self) -> bool:
        return not self.values.keys().isdisjoint({"since", "moment"})

    def _part(self, part: _Part, user_id: uuid.UUID, condition: Condition | None) -> list[Row]:
        query, values, variant = part
        return query.rows(user_id, values, condition=condition, **variant)

    def _with_shared(self, rows: list[Row], user_id: uuid.UUID, condition: Condition | None) -> list[Row]:
        """Return the rows of the page with those of other people's projects."""
        if self._is_by_time and self._later:  # the two kinds are mixed, so all are read again
            rows = []
        for part in self._later:
            if len(rows) <= self.variant["limit"]:
                rows = [*rows, *self._part(part, user_id, condition)]
        return rows
