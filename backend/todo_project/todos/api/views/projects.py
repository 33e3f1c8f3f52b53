"""Projects: HTTP in, one call of a service or one read, HTTP out."""

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
from todo_project.todos.api.serializers.projects import READING, ProjectIn, ProjectOut
from todo_project.todos.services import projects, trash


class ProjectList(Endpoint):
    """The projects of an account."""

    @extend_schema(operation_id="projects_list", parameters=[ChangesQuery], responses=page_of(ProjectOut))
    @reads(lambda view: READING.page(view.query(ChangesQuery)))
    def get(self, request: Request) -> HttpResponse:
        """List the projects, by id."""
        return self.answer_read()

    @extend_schema(request=ProjectIn, responses={201: ProjectOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Make a project."""
        project = projects.create_project(owner_id=self.owner_id, values=self.body(ProjectIn), now=timezone.now())
        return READING.answer_row(project, location=f"{request.path}/{project.id}")


class ProjectDetail(Endpoint):
    """One project."""

    @extend_schema(responses=ProjectOut)
    @reads(lambda view: READING.one(view.kwargs["project_id"], is_held=etag.is_conditional(view.request)))
    def get(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Give the project."""
        return self.answer_read()

    @extend_schema(request=ProjectIn, responses={200: ProjectOut, 201: ProjectOut})
    def put(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Make the project with this id, or replace what it holds."""
        check_new_id(project_id)
        project, is_new = projects.put_project(
            owner_id=self.owner_id,
            project_id=project_id,
            values=self.body(ProjectIn),
            expected_versions=etag.expected_versions(request),
            must=must(request),
            now=timezone.now(),
        )
        return READING.answer_row(project, location=request.path if is_new else None)

    @extend_schema(request=ProjectIn(partial=True), responses=ProjectOut)
    def patch(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Change what the body names; what is absent stays, null clears."""
        project = projects.update_project(
            owner_id=self.owner_id,
            project_id=project_id,
            changes=self.body(ProjectIn, partial=True),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return READING.answer_row(project)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Put the project into the trash with its sub-projects, sections and tasks."""
        trash.trash_project(
            owner_id=self.owner_id,
            project_id=project_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return no_content()


class ProjectRestore(Endpoint):
    """The way back from the trash."""

    @extend_schema(request=None, responses=ProjectOut)
    @idempotent()
    def post(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Bring the project back with all that went into the trash with it."""
        project = trash.restore_project(
            owner_id=self.owner_id,
            project_id=project_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return READING.answer_row(project)


class ProjectArchive(Endpoint):
    """Out of sight, and kept."""

    is_archived = True

    @extend_schema(request=None, responses=ProjectOut)
    @idempotent()
    def post(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Set `is_archived`; what is so already stays as it is."""
        project = projects.update_project(
            owner_id=self.owner_id,
            project_id=project_id,
            changes={"is_archived": self.is_archived},
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return READING.answer_row(project)


class ProjectUnarchive(ProjectArchive):
    """Back into sight."""

    is_archived = False
