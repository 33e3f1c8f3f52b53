"""Labels: HTTP in, one call of a service or one read, HTTP out."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from todo_project.api import etag
from todo_project.api.endpoint import Endpoint, no_content
from todo_project.api.idempotency import idempotent
from todo_project.api.listing import check_new_id, must, page_of, reads
from todo_project.api.serializers import ChangesQuery
from todo_project.todos.api.serializers.labels import READING, LabelIn, LabelOut
from todo_project.todos.services import labels, trash


class LabelList(Endpoint):
    """The labels of an account."""

    @extend_schema(operation_id="labels_list", parameters=[ChangesQuery], responses=page_of(LabelOut))
    @reads(lambda view: READING.page(view.query(ChangesQuery)))
    def get(self, request: Request) -> HttpResponse:
        """List the labels, by id."""
        return self.answer_read()

    @extend_schema(request=LabelIn, responses={201: LabelOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Make a label."""
        label = labels.create_label(owner_id=self.owner_id, values=self.body(LabelIn), now=timezone.now())
        return READING.answer_row(label, location=f"{request.path}/{label.id}")


class LabelDetail(Endpoint):
    """One label."""

    @extend_schema(responses=LabelOut)
    @reads(lambda view: READING.one(view.kwargs["label_id"], is_held=etag.is_conditional(view.request)))
    def get(self, request: Request, label_id: uuid.UUID) -> HttpResponse:
        """Give the label."""
        return self.answer_read()

    @extend_schema(request=LabelIn, responses={200: LabelOut, 201: LabelOut})
    def put(self, request: Request, label_id: uuid.UUID) -> HttpResponse:
        """Make the label with this id, or replace what it holds."""
        check_new_id(label_id)
        label, is_new = labels.put_label(
            owner_id=self.owner_id,
            label_id=label_id,
            values=self.body(LabelIn),
            expected_versions=etag.expected_versions(request),
            must=must(request),
            now=timezone.now(),
        )
        return READING.answer_row(label, location=request.path if is_new else None)

    @extend_schema(request=LabelIn(partial=True), responses=LabelOut)
    def patch(self, request: Request, label_id: uuid.UUID) -> HttpResponse:
        """Change what the body names; what is absent stays, null clears."""
        label = labels.update_label(
            owner_id=self.owner_id,
            label_id=label_id,
            changes=self.body(LabelIn, partial=True),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return READING.answer_row(label)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, label_id: uuid.UUID) -> HttpResponse:
        """Put the label into the trash, which takes it off its tasks."""
        trash.trash_label(
            owner_id=self.owner_id,
            label_id=label_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return no_content()


class LabelRestore(Endpoint):
    """The way back from the trash."""

    @extend_schema(request=None, responses=LabelOut)
    @idempotent()
    def post(self, request: Request, label_id: uuid.UUID) -> HttpResponse:
        """Bring the label back to the tasks that had it."""
        label = trash.restore_label(
            owner_id=self.owner_id,
            label_id=label_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return READING.answer_row(label)
