"""The table of invitations to projects, and all reads of it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from todo_project.accounts.models import User
from todo_project.db.rows import Versioned
from todo_project.todos.models.members import Membership, Role


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """All reads of invitations."""

    def visible_to(self, user_id: uuid.UUID) -> Self:
        """Filter to the invitations to the user's address, and to the projects that the user manages."""
        address = User.objects.filter(pk=user_id).values("email")
        managed = Membership.objects.of_user(user_id).filter(role__gte=Role.ADMIN).values("project_id")
        return self.filter(
            Q(email__in=address) | Q(project__owner_id=user_id) | Q(project_id__in=managed),
        )

    def alive(self) -> Self:
        """Filter to invitations that can be accepted, to projects that are not in the trash."""
        return self.pending().filter(project__deleted_at=None)

    def pending(self) -> Self:
        """Exclude invitations that were accepted, declined or revoked."""
        return self.filter(status=Invitation.Status.PENDING)

    def in_projects(self, project_ids: Collection[uuid.UUID]) -> Self:
        """Filter to the invitations to these projects."""
        return self.filter(project_id__in=project_ids)

    def made_since(self, moment: dt.datetime) -> Self:
        """Filter to the invitations that were made at or after this time."""
        return self.filter(created_at__gte=moment)

    def created_before(self, moment: dt.datetime) -> Self:
        """Filter to the invitations that were made before this time."""
        return self.filter(created_at__lt=moment)

    def changed_since(self, moment: dt.datetime) -> Self:
        """Filter to the invitations that changed at or after this time."""
        return self.filter(updated_at__gte=moment)

    def after_id(self, last: uuid.UUID) -> Self:
        """Filter to the invitations that follow this one in a list sorted by id."""
        return self.filter(id__gt=last)

    def with_names(self) -> Self:
        """Annotate `project_name` and `inviter_name`."""
        return self.annotate(project_name=F("project__name"), inviter_name=F("inviter__name"))


class Invitation(Versioned):
    """An invitation to a project, sent to an e-mail address, which need not have an account.

    The daily purge deletes old invitations, whatever their status.
    """

    class Status(models.TextChoices):
        """The status of an invitation."""

        PENDING = "pending"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        REVOKED = "revoked"

    # without constraints, so that the release before this table can delete projects and accounts
    project = models.ForeignKey("todos.Project", on_delete=models.CASCADE, related_name="+", db_constraint=False)
    inviter = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    # in lower case
    email = models.EmailField(max_length=254)
    role = models.PositiveSmallIntegerField(choices=Role.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    # of the mail, or null until it is sent
    sent_at = models.DateTimeField(null=True)
    # of the secret in the mail
    digest = models.CharField(max_length=64, default="")
    # with_names adds them
    project_name: str
    inviter_name: str

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "email"], condition=Q(status="pending"), name="invitation_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(role__gte=Role.VIEWER, role__lte=Role.ADMIN), name="invitation_role_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["email", "id"], name="invitation_by_address"),
            models.Index(fields=["created_at"], name="invitation_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.email} {self.project_id}"
