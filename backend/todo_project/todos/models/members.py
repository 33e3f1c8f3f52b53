"""The members of shared projects and their roles."""

from __future__ import annotations

import uuid
import zlib

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Greatest


class Role(models.IntegerChoices):
    """What a person may do in a project; each role includes the ones before it. The owner is no member."""

    VIEWER = 1
    COMMENTER = 2
    EDITOR = 3
    ADMIN = 4
    OWNER = 5


class MembershipQuerySet(models.QuerySet["Membership"]):
    """All reads of memberships."""

    def of_user(self, user_id: uuid.UUID) -> MembershipQuerySet:
        """Filter to the memberships of this user."""
        return self.filter(user_id=user_id)

    def visible_to(self, user_id: uuid.UUID) -> MembershipQuerySet:
        """Filter to the members of projects that this user may see."""
        joined = Membership.objects.of_user(user_id).values("project_id")
        return self.filter(Q(project__owner_id=user_id) | Q(project_id__in=joined))

    def in_project(self, project_id: uuid.UUID) -> MembershipQuerySet:
        """Filter to the members of this project."""
        return self.filter(project_id=project_id)

    def after_user(self, user_id: uuid.UUID) -> MembershipQuerySet:
        """Return the members whose ids follow this one, in that order, with their accounts."""
        return self.filter(user_id__gt=user_id).order_by("user_id").select_related("user")

    def out_of_step(self) -> MembershipQuerySet:
        """Filter to what does not follow from the roles that were given.

        These are memberships of the owner, those with another role than their own one and the one above make, and
        those that a sub-project lacks.
        """
        same = Membership.objects.filter(user_id=OuterRef("user_id"))
        above = same.filter(project_id=OuterRef("project__parent_id")).values("role")
        below = Exists(same.filter(project_id=OuterRef("child_id")))
        rows = self.annotate(
            child_id=F("project__children"),
            right=Greatest(Coalesce("own_role", 0), Coalesce(Subquery(above), 0)),
        )
        is_lacking = Q(child_id__isnull=False) & ~Q(below)
        return rows.filter(~Q(role=F("right")) | Q(user_id=F("project__owner_id")) | is_lacking)


class Membership(models.Model):
    """A person's role in a project of another account.

    Members of a project are members of its sub-projects, too: those have rows of their own, so that a read needs no
    recursion. `services/members.py` keeps them in step with the tree.
    """

    # Without constraints in the database: the previous release, which does not know this table, must be able to
    # delete accounts and projects. The index of the unique constraint begins with the user.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    project = models.ForeignKey(
        "todos.Project", on_delete=models.CASCADE, related_name="memberships", db_constraint=False
    )
    # the role that was given in this project itself, null for one that comes from a project above
    own_role = models.PositiveSmallIntegerField(choices=Role.choices, null=True)
    # the greater of own_role and the role in the project above
    role = models.PositiveSmallIntegerField(choices=Role.choices)
    created_at = models.DateTimeField()

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "project"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__gte=Role.VIEWER, role__lte=Role.ADMIN), name="membership_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.project_id} {Role(self.role).label}"

    @property
    def version(self) -> int:
        """A number that differs with the roles and with each time that the person joins.

        A counter would begin again when somebody is removed and joins once more.
        """
        return zlib.crc32(f"{self.created_at.timestamp()} {self.own_role} {self.role}".encode())
