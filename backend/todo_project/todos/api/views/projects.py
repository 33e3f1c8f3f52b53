"""The views of projects: each validates, calls one service, and responds."""

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
from todo_project.todos.api.serializers.projects import RESOURCE, ProjectPatch, ProjectSerializer
from todo_project.todos.services import projects, trash


class ProjectList(Endpoint):
    """/projects."""

    resource = RESOURCE

    @operation("list_projects", page_of(ProjectSerializer), query=ChangesQuery)
    def get(self, request: Request) -> HttpResponse:
        """List projects.

        The list is ordered by id, or by the time of the last change if `updated_since` is used.
        """
        return self.answer_read()

    @operation(
        "create_project",
        {201: ProjectSerializer},
        body=ProjectSerializer,
        errors={409: "The list has no room at this position."},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Create a project."""
        project = projects.create_project(
            user_id=self.owner_id, values=self.body(ProjectSerializer), now=timezone.now()
        )
        return RESOURCE.answer_row(project, location=f"{request.path}/{project.id}")


class ProjectDetail(Endpoint):
    """/projects/{id}."""

    resource = RESOURCE

    @operation("get_project", ProjectSerializer)
    def get(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Get a project."""
        return self.answer_read()

    @operation(
        "put_project",
        {200: ProjectSerializer, 201: ProjectSerializer},
        body=ProjectSerializer,
        if_match=True,
        errors={
            409: "The project is the Inbox, is in the trash or was moved at the same time, the id is taken, or the "
            "list has no room at this position."
        },
    )
    def put(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Create a project with this id, or replace it.

        The id must be a UUIDv7. Fields that the body leaves out are reset to their defaults, except the position.
        """
        check_new_id(project_id)
        project, is_new = projects.put_project(
            user_id=self.owner_id,
            project_id=project_id,
            values=self.body(ProjectSerializer, current=lambda: RESOURCE.current(self.owner_id, project_id)),
            expected_versions=etag.expected_versions(request),
            precondition=etag.put_precondition(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(project, location=request.path if is_new else None)

    @operation(
        "update_project",
        ProjectSerializer,
        body=ProjectPatch,
        if_match=True,
        errors={
            409: "The Inbox cannot be renamed, moved or archived, the project was moved at the same time, or the "
            "list has no room at this position."
        },
    )
    def patch(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Change some fields of a project.

        The body is a JSON merge patch: absent fields keep their values. Null clears `color`, `parent_id` and
        `is_archived`.
        """
        project = projects.update_project(
            user_id=self.owner_id,
            project_id=project_id,
            changes=self.body(
                ProjectPatch, partial=True, current=lambda: RESOURCE.current(self.owner_id, project_id)
            ),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(project)

    @operation(
        "delete_project",
        if_match=True,
        errors={409: "The Inbox cannot be deleted."},
    )
    def delete(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Move a project to the trash, with its sub-projects, sections and tasks.

        Repeating this is safe.
        """
        trash.trash_project(
            user_id=self.owner_id,
            project_id=project_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return no_content()


class ProjectRestore(Endpoint):
    """POST /projects/{id}/restore."""

    @operation(
        "restore_project",
        ProjectSerializer,
        if_match=True,
        errors={409: "Its parent project is in the trash. Restore that first."},
    )
    @idempotent()
    def post(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Restore a project from the trash, with everything that was deleted with it."""
        self.body(NoBody)
        project = trash.restore_project(
            user_id=self.owner_id,
            project_id=project_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(project)


class ProjectArchive(Endpoint):
    """POST /projects/{id}/archive."""

    @operation("archive_project", ProjectSerializer, if_match=True, errors={409: "The Inbox cannot be archived."})
    @idempotent()
    def post(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Archive a project.

        An archived project keeps everything in it. Repeating this changes nothing.
        """
        return self.set_archived(project_id, is_archived=True)

    def set_archived(self, project_id: uuid.UUID, *, is_archived: bool) -> HttpResponse:
        """Set `is_archived` and answer with the project."""
        self.body(NoBody)
        project = projects.update_project(
            user_id=self.owner_id,
            project_id=project_id,
            changes={"is_archived": is_archived},
            expected_versions=etag.expected_versions(self.request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(project)


class ProjectUnarchive(ProjectArchive):
    """POST /projects/{id}/unarchive."""

    @operation("unarchive_project", ProjectSerializer, if_match=True)
    @idempotent()
    def post(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Take a project out of the archive.

        Repeating this changes nothing.
        """
        return self.set_archived(project_id, is_archived=False)
