"""Sections: HTTP in, one call of a service or one read, HTTP out."""

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
from todo_project.todos.api.serializers.sections import READING, SectionIn, SectionOut, SectionQuery
from todo_project.todos.services import sections, trash


class SectionList(Endpoint):
    """The sections of an account."""

    @extend_schema(operation_id="sections_list", parameters=[SectionQuery], responses=page_of(SectionOut))
    @reads(lambda view: READING.page(view.query(SectionQuery)))
    def get(self, request: Request) -> HttpResponse:
        """List the sections, by id."""
        return self.answer_read()

    @extend_schema(request=SectionIn, responses={201: SectionOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Make a section."""
        section = sections.create_section(owner_id=self.owner_id, values=self.body(SectionIn), now=timezone.now())
        return READING.answer_row(section, location=f"{request.path}/{section.id}")


class SectionDetail(Endpoint):
    """One section."""

    @extend_schema(responses=SectionOut)
    @reads(lambda view: READING.one(view.kwargs["section_id"], is_held=etag.is_conditional(view.request)))
    def get(self, request: Request, section_id: uuid.UUID) -> HttpResponse:
        """Give the section."""
        return self.answer_read()

    @extend_schema(request=SectionIn, responses={200: SectionOut, 201: SectionOut})
    def put(self, request: Request, section_id: uuid.UUID) -> HttpResponse:
        """Make the section with this id, or replace what it holds."""
        check_new_id(section_id)
        section, is_new = sections.put_section(
            owner_id=self.owner_id,
            section_id=section_id,
            values=self.body(SectionIn),
            expected_versions=etag.expected_versions(request),
            must=must(request),
            now=timezone.now(),
        )
        return READING.answer_row(section, location=request.path if is_new else None)

    @extend_schema(request=SectionIn(partial=True), responses=SectionOut)
    def patch(self, request: Request, section_id: uuid.UUID) -> HttpResponse:
        """Change what the body names; what is absent stays, null clears."""
        section = sections.update_section(
            owner_id=self.owner_id,
            section_id=section_id,
            changes=self.body(SectionIn, partial=True),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return READING.answer_row(section)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, section_id: uuid.UUID) -> HttpResponse:
        """Put the section into the trash with its tasks."""
        trash.trash_section(
            owner_id=self.owner_id,
            section_id=section_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return no_content()


class SectionRestore(Endpoint):
    """The way back from the trash."""

    @extend_schema(request=None, responses=SectionOut)
    @idempotent()
    def post(self, request: Request, section_id: uuid.UUID) -> HttpResponse:
        """Bring the section back with the tasks that went into the trash with it."""
        section = trash.restore_section(
            owner_id=self.owner_id,
            section_id=section_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return READING.answer_row(section)
