"""The views of sections: each validates, calls one service, and responds."""

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
from todo_project.api.serializers import NoBody
from todo_project.todos.api.serializers.sections import RESOURCE, SectionQuery, SectionSerializer
from todo_project.todos.services import sections, trash

_CONFLICTS = (
    "The section was moved at the same time, the other project has a task with the iCalendar UID of one of its "
    "tasks, or the list has no room at this position."
)


class SectionList(Endpoint):
    """/sections."""

    resource = RESOURCE

    @operation("list_sections", page_of(SectionSerializer), query=SectionQuery)
    def get(self, request: Request) -> HttpResponse:
        """List sections.

        The list is ordered by id, or by the time of the last change if `updated_since` is used.
        """
        return self.answer_read()

    @operation(
        "create_section",
        {201: SectionSerializer},
        body=SectionSerializer,
        errors={409: "The list has no room at this position."},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Create a section."""
        section = sections.create_section(
            user_id=self.owner_id, values=self.body(SectionSerializer), now=timezone.now()
        )
        return RESOURCE.answer_row(section, location=f"{request.path}/{section.id}")


class SectionDetail(Endpoint):
    """/sections/{id}."""

    resource = RESOURCE

    @operation("get_section", SectionSerializer)
    def get(self, request: Request, section_id: uuid.UUID) -> HttpResponse:
        """Get a section."""
        return self.answer_read()

    @operation(
        "put_section",
        {200: SectionSerializer, 201: SectionSerializer},
        body=SectionSerializer,
        if_match=True,
        errors={409: f"The section is in the trash, or the id is taken. {_CONFLICTS}"},
    )
    def put(self, request: Request, section_id: uuid.UUID) -> HttpResponse:
        """Create a section with this id, or replace it.

        The id must be a UUIDv7. Fields that the body leaves out are reset to their defaults, except the position.
        """
        check_new_id(section_id)
        section, is_new = sections.put_section(
            user_id=self.owner_id,
            section_id=section_id,
            values=self.body(SectionSerializer, current=lambda: RESOURCE.current(self.owner_id, section_id)),
            expected_versions=etag.expected_versions(request),
            precondition=etag.put_precondition(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(section, location=request.path if is_new else None)

    @operation("update_section", SectionSerializer, body=SectionSerializer, if_match=True, errors={409: _CONFLICTS})
    def patch(self, request: Request, section_id: uuid.UUID) -> HttpResponse:
        """Change some fields of a section.

        The body is a JSON merge patch: absent fields keep their values. No field of a section can be null.
        """
        section = sections.update_section(
            user_id=self.owner_id,
            section_id=section_id,
            changes=self.body(
                SectionSerializer, partial=True, current=lambda: RESOURCE.current(self.owner_id, section_id)
            ),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(section)

    @operation("delete_section", if_match=True, errors={409: "The section was moved at the same time."})
    def delete(self, request: Request, section_id: uuid.UUID) -> HttpResponse:
        """Move a section and its tasks to the trash.

        Repeating this is safe.
        """
        trash.trash_section(
            user_id=self.owner_id,
            section_id=section_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return no_content()


class SectionRestore(Endpoint):
    """POST /sections/{id}/restore."""

    @operation(
        "restore_section",
        SectionSerializer,
        if_match=True,
        errors={
            409: "Its project is in the trash or has a task with the iCalendar UID of one of its tasks, or the "
            "section was moved at the same time."
        },
    )
    @idempotent()
    def post(self, request: Request, section_id: uuid.UUID) -> HttpResponse:
        """Restore a section from the trash, with the tasks that were deleted with it."""
        self.body(NoBody)
        section = trash.restore_section(
            user_id=self.owner_id,
            section_id=section_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(section)
