"""The views of invitations: each validates, calls one service, and responds."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from todo_project.api import etag
from todo_project.api.endpoint import answer_if_changed, no_content
from todo_project.api.idempotency import idempotent
from todo_project.api.operations import operation, page_of
from todo_project.api.serializers import PageQuery
from todo_project.todos.api.serializers.invitations import RESOURCE, AnswerIn, InvitationSerializer
from todo_project.todos.api.views.caller import CallerEndpoint
from todo_project.todos.services import invitations

_ENDED = "The invitation was answered or revoked, or it is no longer valid."


class InvitationEndpoint(CallerEndpoint):
    """The base of the views of invitations."""

    def answer_page(self, **narrowed: Any) -> HttpResponse:
        """Return a page of the pending invitations that the caller sees."""
        query = {**self.query(), "updated_since": None, "include_deleted": False, **narrowed}
        return RESOURCE.page(query).answer(self.request, self.owner_id)


class ProjectInvitations(InvitationEndpoint):
    """/projects/{id}/invitations."""

    @operation("list_project_invitations", page_of(InvitationSerializer), query=PageQuery)
    def get(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """List the pending invitations to a project.

        Requires the admin role.
        """
        invitations.managed_project(user_id=self.owner_id, project_id=project_id)
        return self.answer_page(project_id=project_id)

    @operation(
        "create_invitation",
        {201: InvitationSerializer},
        body=InvitationSerializer,
        errors={
            409: "The project is the Inbox, or the address is already invited or in the project.",
            429: "You have sent too many invitations within an hour.",
        },
    )
    @idempotent()
    def post(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """Invite a person to a project and its sub-projects.

        Requires the admin role. The person gets a mail. The response is the same whether there is an account with
        the address or not.
        """
        invitation = invitations.create_invitation(
            user_id=self.owner_id,
            project_id=project_id,
            values=self.body(InvitationSerializer),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(invitation, location=f"/api/v1/invitations/{invitation.id}")


class InvitationList(InvitationEndpoint):
    """/invitations."""

    @operation("list_invitations", page_of(InvitationSerializer), query=PageQuery)
    def get(self, request: Request) -> HttpResponse:
        """List the pending invitations to your address."""
        return self.answer_page(email=invitations.received_by(self.user))


class InvitationDetail(InvitationEndpoint):
    """/invitations/{id}."""

    @operation("get_invitation", InvitationSerializer)
    def get(self, request: Request, invitation_id: uuid.UUID) -> HttpResponse:
        """Get a pending invitation to your address, or to a project that you manage."""
        found = invitations.find(user=self.user, invitation_id=invitation_id)
        shaped, tag = RESOURCE.from_instance(found)
        # the names are those of other rows, so they are not in the invitation's version
        tag = etag.of_expanded(tag, [shaped.project_name, shaped.inviter_name])  # type: ignore[attr-defined] # msgspec made it
        return answer_if_changed(request, shaped, tag=tag)

    @operation(
        "revoke_invitation", if_match=True, errors={409: "The invitation was accepted. Remove the member instead."}
    )
    def delete(self, request: Request, invitation_id: uuid.UUID) -> HttpResponse:
        """Revoke an invitation.

        Requires the admin role in the project. Repeating this is safe.
        """
        invitations.revoke_invitation(
            user_id=self.owner_id,
            invitation_id=invitation_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return no_content()


class InvitationAccept(InvitationEndpoint):
    """POST /invitations/{id}/accept."""

    @operation("accept_invitation", InvitationSerializer, body=AnswerIn, if_match=True, errors={409: _ENDED})
    @idempotent()
    def post(self, request: Request, invitation_id: uuid.UUID) -> HttpResponse:
        """Accept an invitation to your address.

        You become a member of the project and its sub-projects. If you already have a higher role, you keep it.
        """
        invitation = invitations.accept_invitation(
            user=self.user,
            invitation_id=invitation_id,
            secret=self.body(AnswerIn).get("token"),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(invitation)


class InvitationDecline(InvitationEndpoint):
    """POST /invitations/{id}/decline."""

    @operation("decline_invitation", InvitationSerializer, body=AnswerIn, if_match=True, errors={409: _ENDED})
    @idempotent()
    def post(self, request: Request, invitation_id: uuid.UUID) -> HttpResponse:
        """Decline an invitation to your address."""
        invitation = invitations.decline_invitation(
            user=self.user,
            invitation_id=invitation_id,
            secret=self.body(AnswerIn).get("token"),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(invitation)
