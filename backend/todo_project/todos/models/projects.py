"""The tables of projects and sections."""

from __future__ import annotations

import uuid
from typing import Self

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When

from todo_project.db import positions
from todo_project.todos.models.members import Membership, Role
from todo_project.todos.models.rows import (
    OwnedRow,
    SharedQuerySet,
    color_is_valid,
    is_named,
    owned_indexes,
    position_is_valid,
)

_ROLE = models.PositiveSmallIntegerField()


class ProjectQuerySet(SharedQuerySet["Project"]):
    """All reads of projects."""

    def _is_shared_with(self, user_id: uuid.UUID) -> Q:
        return Q(id__in=Membership.objects.of_user(user_id).values("project_id"))

    def seen_by(self, user_id: uuid.UUID) -> Self:
        """Annotate `role`, the user's, and `shown_parent_id`, which is null if the user does not see the parent."""
        mine, is_own = Membership.objects.of_user(user_id), Q(owner_id=user_id)
        role = mine.filter(project_id=OuterRef("id")).values("role")
        sees_parent = is_own | Q(Exists(mine.filter(project_id=OuterRef("parent_id"))))
        return self.annotate(
            role=Case(When(is_own, then=Value(Role.OWNER)), default=Subquery(role), output_field=_ROLE),
            shown_parent_id=Case(When(sees_parent, then=F("parent_id"))),
        )


class Project(OwnedRow):
    """A list of tasks. Projects can be nested, and every account has one that is its Inbox."""

    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="children")
    name = models.CharField(max_length=200)
    color = models.CharField(max_length=7, default="", blank=True)
    is_inbox = models.BooleanField(default=False, editable=False)
    is_archived = models.BooleanField(default=False)
    position = models.CharField(max_length=positions.MAX_LENGTH)
    # seen_by and services.access.shown add these
    role: int
    shown_parent_id: uuid.UUID | None

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=Q(is_inbox=True), name="project_one_inbox_per_owner"
            ),
            models.CheckConstraint(
                condition=~Q(is_inbox=True, parent__isnull=False), name="project_inbox_is_a_root"
            ),
            models.CheckConstraint(
                condition=~Q(is_inbox=True, deleted_at__isnull=False), name="project_inbox_is_kept"
            ),
            models.CheckConstraint(
                condition=~Q(is_inbox=True, is_archived=True), name="project_inbox_is_not_archived"
            ),
            models.CheckConstraint(condition=~Q(id=F("parent")), name="project_is_not_its_own_parent"),
            is_named("project"),
            color_is_valid("project"),
            position_is_valid("project"),
        ]
        indexes = owned_indexes("project")

    def __str__(self) -> str:
        return self.name


class SectionQuerySet(SharedQuerySet["Section"]):
    """All reads of sections."""


class Section(OwnedRow):
    """A heading within a project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="sections")
    name = models.CharField(max_length=200)
    position = models.CharField(max_length=positions.MAX_LENGTH)

    objects = SectionQuerySet.as_manager()

    class Meta:
        constraints = [is_named("section"), position_is_valid("section")]
        indexes = owned_indexes("section")

    def __str__(self) -> str:
        return self.name
