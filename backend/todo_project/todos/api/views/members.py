"""The views of the members of a project: each validates, calls one service, and responds."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from todo_project.api import etag, pagination
from todo_project.api.endpoint import Endpoint, answer, answer_if_changed, no_content
from todo_project.api.idempotency import idempotent
from todo_project.api.operations import operation, page_of
from todo_project.api.serializers import PageQuery
from todo_project.errors import NOT_FOUND, NotFound
from todo_project.todos.api.serializers import members as shapes
from todo_project.todos.api.serializers import projects as project_shapes
from todo_project.todos.models import Membership, Project
from todo_project.todos.services import members

# the owner comes before all members
_FIRST = uuid.UUID(int=0)
_INHERITED = "The person is the owner, or the role comes from a project above."


def _project(user_id: uuid.UUID, project_id: uuid.UUID) -> Project:
    """Return a project that the user sees, with its owner's account."""
    seen = Project.objects.visible_to(user_id).alive().select_related("owner")
    project = seen.filter(id=project_id).first()
    if project is None:
        raise NotFound(NOT_FOUND)
    return project


class MemberList(Endpoint):
    """/projects/{id}/members."""

    @operation("list_members", page_of(shapes.MemberSerializer), query=PageQuery)
    def get(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """List the owner and the members of a project.

        The owner comes first; the members are ordered by the id of the user. Every member may see this list.
        """
        query = self.query()
        project = _project(self.owner_id, project_id)
        start = pagination.decode_ids(query["cursor"])
        rows = Membership.objects.visible_to(self.owner_id).in_project(project_id).after_user(*start or (_FIRST,))
        found: list[Any] = [] if start else [shapes.owner(project)]
        found += [shapes.member(each) for each in rows[: query["limit"] + 1]]

        def key(index: int) -> tuple[uuid.UUID]:
            return (found[index].user_id if index or start else _FIRST,)

        return answer_if_changed(request, pagination.page(found, limit=query["limit"], key=key))


class MemberDetail(Endpoint):
    """/projects/{id}/members/{user_id}."""

    @operation("get_member", shapes.MemberSerializer)
    def get(self, request: Request, project_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
        """Get the owner or a member of a project.

        Every member may see this.
        """
        project = _project(self.owner_id, project_id)
        if user_id == project.owner_id:
            return answer_if_changed(request, shapes.owner(project))
        member = self._member(project_id, user_id)
        if member is None:
            raise NotFound(NOT_FOUND)
        shaped, tag = shapes.tagged(member)
        return answer_if_changed(request, shaped, tag=tag)

    @operation(
        "update_member",
        shapes.MemberSerializer,
        body=shapes.MemberPatch,
        if_match=True,
        errors={409: _INHERITED},
    )
    def patch(self, request: Request, project_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
        """Change the role of a member.

        Requires the admin role. A role inherited from a parent project can be raised, but not lowered.
        """
        values = self.body(shapes.MemberPatch, current=lambda: shapes.current(self._member(project_id, user_id)))
        member = members.change_role(
            user_id=self.owner_id,
            project_id=project_id,
            member_id=user_id,
            role=shapes.role_named(values["role"]),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        shaped, tag = shapes.tagged(member)
        return answer(shaped, tag=tag)

    @operation("remove_member", if_match=True, errors={409: _INHERITED})
    def delete(self, request: Request, project_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
        """Remove a member from a project and its sub-projects, or leave it with your own id.

        Removing somebody else requires the admin role.
        """
        members.remove_member(
            user_id=self.owner_id,
            project_id=project_id,
            member_id=user_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return no_content()

    def _member(self, project_id: uuid.UUID, user_id: uuid.UUID) -> Membership | None:
        seen = Membership.objects.visible_to(self.owner_id).in_project(project_id).of_user(user_id)
        return seen.select_related("user").first()


class ProjectTransfer(Endpoint):
    """POST /projects/{id}/transfer."""

    @operation(
        "transfer_project",
        project_shapes.ProjectSerializer,
        body=shapes.TransferIn,
        if_match=True,
        errors={409: "The project is a sub-project or the Inbox, or it was moved at the same time."},
    )
    @idempotent()
    def post(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Make a member the owner of a project and its sub-projects.

        You become an admin of the project, which goes to the end of the new owner's projects.
        """
        project = members.transfer_project(
            user_id=self.owner_id,
            project_id=project_id,
            new_owner_id=self.body(shapes.TransferIn)["user_id"],
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return project_shapes.RESOURCE.answer_row(project)
