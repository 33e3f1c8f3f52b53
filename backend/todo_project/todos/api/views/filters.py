"""The views of saved filters: each validates, calls one service, and responds."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from todo_project.api import etag
from todo_project.api.endpoint import Endpoint, no_content
from todo_project.api.idempotency import idempotent
from todo_project.api.listing import check_new_id
from todo_project.api.operations import operation, page_of
from todo_project.api.serializers import ChangesQuery, NoBody
from todo_project.todos.api.serializers.filters import RESOURCE, FilterPatch, FilterSerializer
from todo_project.todos.api.views.caller import CallerEndpoint
from todo_project.todos.services import filters

_TOO_MANY = f"You have {filters.FILTERS_MAX} filters."


class FilterList(CallerEndpoint):
    """/filters."""

    resource = RESOURCE

    @operation("list_filters", page_of(FilterSerializer), query=ChangesQuery)
    def get(self, request: Request) -> HttpResponse:
        """List saved filters.

        The list is ordered by id, or by the time of the last change if `updated_since` is used; `position` is the
        order that you gave them. A new account has the usual ones: Today, Upcoming, Overdue, Inbox, Assigned to me
        and Completed.
        """
        return self.answer_read()

    @operation("create_filter", {201: FilterSerializer}, body=FilterSerializer, errors={409: _TOO_MANY})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Save a filter under a name."""
        saved = filters.create_filter(user=self.user, values=self.body(FilterSerializer), now=timezone.now())
        return RESOURCE.answer_row(saved, location=f"{request.path}/{saved.id}")


class FilterDetail(CallerEndpoint):
    """/filters/{id}."""

    resource = RESOURCE

    @operation("get_filter", FilterSerializer)
    def get(self, request: Request, filter_id: uuid.UUID) -> HttpResponse:
        """Get a saved filter."""
        return self.answer_read()

    @operation(
        "put_filter",
        {200: FilterSerializer, 201: FilterSerializer},
        body=FilterSerializer,
        if_match=True,
        errors={409: f"The id is taken, or the filter is in the trash. {_TOO_MANY}"},
    )
    def put(self, request: Request, filter_id: uuid.UUID) -> HttpResponse:
        """Create a saved filter with this id, or replace it.

        The id must be a UUIDv7. Fields that the body leaves out are reset to their defaults.
        """
        check_new_id(filter_id)
        saved, is_new = filters.put_filter(
            user=self.user,
            filter_id=filter_id,
            values=self.body(FilterSerializer, current=lambda: RESOURCE.current(self.owner_id, filter_id)),
            expected_versions=etag.expected_versions(request),
            precondition=etag.put_precondition(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(saved, location=request.path if is_new else None)

    @operation("update_filter", FilterSerializer, body=FilterPatch, if_match=True)
    def patch(self, request: Request, filter_id: uuid.UUID) -> HttpResponse:
        """Change some fields of a saved filter.

        The body is a JSON merge patch: absent fields keep their values. Null clears `is_pinned`.
        A new query is checked, so it must name what exists.
        """
        saved = filters.update_filter(
            user_id=self.owner_id,
            filter_id=filter_id,
            changes=self.body(
                FilterPatch, partial=True, current=lambda: RESOURCE.current(self.owner_id, filter_id)
            ),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(saved)

    @operation("delete_filter", if_match=True)
    def delete(self, request: Request, filter_id: uuid.UUID) -> HttpResponse:
        """Move a saved filter to the trash.

        Repeating this is safe.
        """
        filters.trash_filter(
            user_id=self.owner_id,
            filter_id=filter_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return no_content()


class FilterRestore(Endpoint):
    """POST /filters/{id}/restore."""

    @operation("restore_filter", FilterSerializer, if_match=True, errors={409: _TOO_MANY})
    @idempotent()
    def post(self, request: Request, filter_id: uuid.UUID) -> HttpResponse:
        """Restore a saved filter from the trash."""
        self.body(NoBody)
        saved = filters.restore_filter(
            user_id=self.owner_id,
            filter_id=filter_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(saved)
