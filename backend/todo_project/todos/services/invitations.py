"""Invites people to projects by their e-mail address (docs/adr/0033).

Nothing depends on whether there is an account with the address, neither what is done nor how long it takes, so that
nobody finds out which addresses have one.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TypedDict

from django.conf import settings
from django.db import transaction

from todo_project.accounts.models import User
from todo_project.accounts.services import profiles
from todo_project.api import ratelimit
from todo_project.db.rows import uuid7
from todo_project.errors import NOT_FOUND, Conflict, Forbidden, LimitReached, NotFound
from todo_project.jobs import queue
from todo_project.todos.models import Invitation, Project, Role
from todo_project.todos.services import access, invitation_mail, locks, members, people, rows, trees
from todo_project.todos.services.access import Action

HOUR = 3600
LIFETIME = dt.timedelta(days=30)
_PENDING = Invitation.Status.PENDING


class InvitationValues(TypedDict):
    """Whom to invite, and in which role."""

    email: str
    role: Role


class IsMember(Conflict):
    """The account with this address is already in the project. To change its role, change the member."""


class IsInvited(Conflict):
    """There is a pending invitation to this address."""


class TooManyInvitations(LimitReached):
    """The account has sent too many invitations within an hour."""


class InvitationsUsedUp(Conflict):
    """The project has as many pending invitations as it may have."""


class InvitationEnded(Conflict):
    """The invitation can no longer be accepted, declined or revoked."""


class AddressNotProved(Forbidden):
    """The account has never shown that mail to its address reaches it."""


def received_by(user: User) -> str:
    """Return the address whose invitations the user may list; an empty one while it is not proved."""
    return user.email if _is_proved(user) else ""


def find(*, user: User, invitation_id: uuid.UUID) -> Invitation:
    """Return a pending invitation that the user received, or that is to a project that the user manages."""
    found = Invitation.objects.visible_to(user.pk).alive().with_names().filter(id=invitation_id).first()
    if found is None or (not _is_proved(user) and not _manages(user.pk, found.project)):
        raise NotFound(NOT_FOUND)
    return found


def managed_project(*, user_id: uuid.UUID, project_id: uuid.UUID) -> Project:
    """Return a project; raise NotFound, and RoleTooLow if the user does not manage the project."""
    project = Project.objects.visible_to(user_id).alive().filter(id=project_id).first()
    if project is None:
        raise NotFound(NOT_FOUND)
    access.require(Action.MANAGE, user_id=user_id, project_id=project.id, owner_id=project.owner_id)
    return project


@transaction.atomic
def create_invitation(
    *, user_id: uuid.UUID, project_id: uuid.UUID, values: InvitationValues, now: dt.datetime
) -> Invitation:
    """Invite an e-mail address; a job sends the mail.

    Raises NotFound, RoleTooLow, members.InboxIsPrivate, IsMember, IsInvited, InvitationsUsedUp and
    TooManyInvitations.
    """
    locks.hold(Project.objects.visible_to(user_id).filter(id=project_id))
    project = managed_project(user_id=user_id, project_id=project_id)
    _check(project, values["email"])
    _count(user_id)
    invitation = Invitation.objects.create(
        id=uuid7(), project=project, inviter_id=user_id, created_at=now, updated_at=now, **values
    )
    queue.defer("todos.send_invitation", invitation_id=str(invitation.id))
    return _with_names(invitation)


@transaction.atomic
def accept_invitation(
    *,
    user: User,
    invitation_id: uuid.UUID,
    now: dt.datetime,
    secret: str | None = None,
    expected_versions: rows.Versions = None,
) -> Invitation:
    """Make the user a member, in the role of the invitation or the greater one that the user has already.

    Raises NotFound, AddressNotProved, StaleVersion, InvitationEnded, and locks.MovedMeanwhile.
    """
    invitation = _to_answer(user, invitation_id, secret=secret, expected_versions=expected_versions, now=now)
    project = invitation.project
    if project.deleted_at is not None or not _manages(invitation.inviter_id, project):
        raise InvitationEnded("This invitation is no longer valid. Ask for a new one.")
    role = access.role_in(user_id=user.pk, project_id=project.id, owner_id=project.owner_id)
    if role is None or role < invitation.role:
        members.set_role(project=project, user_id=user.pk, role=Role(invitation.role), now=now)
    return _end(invitation, Invitation.Status.ACCEPTED, now)


@transaction.atomic
def decline_invitation(
    *,
    user: User,
    invitation_id: uuid.UUID,
    now: dt.datetime,
    secret: str | None = None,
    expected_versions: rows.Versions = None,
) -> Invitation:
    """Decline an invitation; raises NotFound, AddressNotProved, StaleVersion and InvitationEnded."""
    invitation = _to_answer(user, invitation_id, secret=secret, expected_versions=expected_versions, now=now)
    return _end(invitation, Invitation.Status.DECLINED, now)


@transaction.atomic
def revoke_invitation(
    *, user_id: uuid.UUID, invitation_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> None:
    """End a pending invitation to a project that the user manages, unless it has ended without a new member.

    Raises NotFound, StaleVersion, and InvitationEnded if it was accepted.
    """
    found = Invitation.objects.visible_to(user_id).filter(id=invitation_id).first()
    if found is None or not _manages(user_id, found.project):
        raise NotFound(NOT_FOUND)
    invitation = _locked(found)
    if invitation.status == Invitation.Status.ACCEPTED:
        raise InvitationEnded("This invitation was accepted. Remove the member instead.")
    if invitation.status == _PENDING:
        rows.compare(invitation, expected_versions=expected_versions)
        _end(invitation, Invitation.Status.REVOKED, now)


def purge_invitations(*, now: dt.datetime) -> None:
    """Delete old invitations, answered or not."""
    Invitation.objects.created_before(now - LIFETIME).delete()


def _check(project: Project, email: str) -> None:
    """Raise an error if the address cannot be invited to the locked project."""
    members.check_can_be_shared(project)
    # all addresses, because a look-up by address would take longer if there is an account with it
    if email in set(people.of_project(project.id).values_list("email", flat=True)):
        raise IsMember(
            "The account with this address is already in the project. To change its role, change the member."
        )
    pending = Invitation.objects.pending().in_projects([project.id])
    addresses = set(pending.values_list("email", flat=True))
    if email in addresses:
        raise IsInvited(
            "This address is already invited. To invite it in another role, revoke that invitation first."
        )
    if len(addresses) >= settings.INVITATIONS_PER_PROJECT:
        raise InvitationsUsedUp(
            f"The project has {settings.INVITATIONS_PER_PROJECT} pending invitations, which is the limit. Revoke "
            "one of them first."
        )


def _count(user_id: uuid.UUID) -> None:
    spent = ratelimit.spend(bucket=f"invitations:{user_id}", amount=1, seconds=HOUR)
    if spent > settings.INVITATIONS_PER_ACCOUNT:
        raise TooManyInvitations(
            "You have sent too many invitations. Wait for the number of seconds in `Retry-After`, then try again.",
            retry_after=ratelimit.seconds_left(HOUR),
        )


def _manages(user_id: uuid.UUID, project: Project) -> bool:
    role = access.role_in(user_id=user_id, project_id=project.id, owner_id=project.owner_id)
    return access.allows(role, Action.MANAGE)


def _received(user: User, invitation_id: uuid.UUID) -> Invitation:
    found = Invitation.objects.filter(id=invitation_id, email=user.email).select_related("project").first()
    if found is None:
        raise NotFound(NOT_FOUND)
    return found


def _locked(found: Invitation) -> Invitation:
    locked = Invitation.objects.select_for_update(of=("self",), no_key=True).select_related("project")
    invitation = locked.filter(id=found.id).first()
    if invitation is None:  # deleted meanwhile
        raise NotFound(NOT_FOUND)
    return invitation


def _to_answer(
    user: User, invitation_id: uuid.UUID, *, secret: str | None, expected_versions: rows.Versions, now: dt.datetime
) -> Invitation:
    """Return a pending invitation that the user may answer, locked.

    The accounts and the projects are locked before it. So does the removal of a member, which ends invitations, and
    an answer may write the account.
    """
    found = _received(user, invitation_id)
    tree = trees.locked_tree(owner_id=found.project.owner_id, accounts=[user.pk])
    if found.project_id not in tree:
        raise locks.moved("project")
    invitation = _locked(found)
    _check_is_proved(user, invitation, secret, now)
    rows.compare(invitation, expected_versions=expected_versions)
    _check_is_pending(invitation)
    return invitation


def _is_proved(user: User) -> bool:
    return not settings.INVITATIONS_NEED_PROOF or user.email_proved_at is not None


def _check_is_proved(user: User, invitation: Invitation, secret: str | None, now: dt.datetime) -> None:
    """Raise AddressNotProved, unless the address is proved, or the secret in the mail proves it now."""
    if invitation_mail.is_secret_of(invitation, secret):
        profiles.prove_email(user=user, now=now)
    elif not _is_proved(user):
        raise AddressNotProved(
            "Your e-mail address is not confirmed yet. Open the link in the mail with the invitation."
        )


def _check_is_pending(invitation: Invitation) -> None:
    if invitation.status != _PENDING:
        raise InvitationEnded(f"This invitation was already {invitation.status}. Ask for a new one if you need it.")


def _end(invitation: Invitation, status: Invitation.Status, now: dt.datetime) -> Invitation:
    invitation.status, invitation.updated_at = status, now
    invitation.version += 1
    invitation.save(update_fields=["status", "updated_at", "version"])
    return _with_names(invitation)


def _with_names(invitation: Invitation) -> Invitation:
    return Invitation.objects.with_names().get(id=invitation.id)
