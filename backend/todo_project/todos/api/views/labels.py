"""The views of labels: each validates, calls one service, and responds."""

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
from todo_project.todos.api.serializers.labels import RESOURCE, LabelSerializer
from todo_project.todos.services import labels, trash


class LabelList(Endpoint):
    """/labels."""

    resource = RESOURCE

    @operation("list_labels", page_of(LabelSerializer), query=ChangesQuery)
    def get(self, request: Request) -> HttpResponse:
        """List labels.

        The list is ordered by id, or by the time of the last change if `updated_since` is used.
        """
        return self.answer_read()

    @operation(
        "create_label", {201: LabelSerializer}, body=LabelSerializer, errors={409: "Another label has this name."}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Create a label."""
        label = labels.create_label(user_id=self.owner_id, values=self.body(LabelSerializer), now=timezone.now())
        return RESOURCE.answer_row(label, location=f"{request.path}/{label.id}")


class LabelDetail(Endpoint):
    """/labels/{id}."""

    resource = RESOURCE

    @operation("get_label", LabelSerializer)
    def get(self, request: Request, label_id: uuid.UUID) -> HttpResponse:
        """Get a label."""
        return self.answer_read()

    @operation(
        "put_label",
        {200: LabelSerializer, 201: LabelSerializer},
        body=LabelSerializer,
        if_match=True,
        errors={409: "Another label has this name, the id is taken, or the label is in the trash."},
    )
    def put(self, request: Request, label_id: uuid.UUID) -> HttpResponse:
        """Create a label with this id, or replace it.

        The id must be a UUIDv7. Fields that the body leaves out are reset to their defaults.
        """
        check_new_id(label_id)
        label, is_new = labels.put_label(
            user_id=self.owner_id,
            label_id=label_id,
            values=self.body(LabelSerializer, current=lambda: RESOURCE.current(self.owner_id, label_id)),
            expected_versions=etag.expected_versions(request),
            precondition=etag.put_precondition(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(label, location=request.path if is_new else None)

    @operation(
        "update_label",
        LabelSerializer,
        body=LabelSerializer,
        if_match=True,
        errors={409: "Another label has this name."},
    )
    def patch(self, request: Request, label_id: uuid.UUID) -> HttpResponse:
        """Change some fields of a label.

        The body is a JSON merge patch: absent fields keep their values. Null clears `color`.
        """
        label = labels.update_label(
            user_id=self.owner_id,
            label_id=label_id,
            changes=self.body(
                LabelSerializer, partial=True, current=lambda: RESOURCE.current(self.owner_id, label_id)
            ),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(label)

    @operation("delete_label", if_match=True, errors={409: "A task got the label at the same time."})
    def delete(self, request: Request, label_id: uuid.UUID) -> HttpResponse:
        """Move a label to the trash.

        Its tasks no longer show it. Repeating this is safe.
        """
        trash.trash_label(
            user_id=self.owner_id,
            label_id=label_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return no_content()


class LabelRestore(Endpoint):
    """POST /labels/{id}/restore."""

    @operation("restore_label", LabelSerializer, if_match=True, errors={409: "Another label has this name."})
    @idempotent()
    def post(self, request: Request, label_id: uuid.UUID) -> HttpResponse:
        """Restore a label from the trash, on the tasks that had it."""
        self.body(NoBody)
        label = trash.restore_label(
            user_id=self.owner_id,
            label_id=label_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(label)
