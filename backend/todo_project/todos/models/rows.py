"""What projects, sections, tasks and labels share: their base class, its reads, and common constraints."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from todo_project.db import positions
from todo_project.db.rows import Versioned, is_after_change
from todo_project.todos.models.members import Membership

COLOR = r"^(#[0-9a-f]{6})?\Z"
_Row = TypeVar("_Row", bound="TrashableRow")


class TrashableQuerySet(models.QuerySet[_Row]):
    """The reads that all kinds of rows have.

    `visible_to` is the only way to a user's rows, except from a row that was read that way.
    """

    def visible_to(self, user_id: uuid.UUID) -> Self:
        """Filter to the rows that this user may see, including those in the trash."""
        raise NotImplementedError

    def alive(self) -> Self:
        """Exclude rows in the trash."""
        return self.filter(deleted_at=None)

    def locked(self) -> Self:
        """Lock the rows until the transaction ends, in the order of their ids, which avoids deadlocks."""
        # no_key: rows that refer to these can still be inserted, which avoids deadlocks too
        return self.order_by("id").select_for_update(of=("self",), no_key=True)

    def trashed_before(self, moment: dt.datetime) -> Self:
        """Filter to rows that were moved to the trash before this time."""
        return self.filter(deleted_at__lt=moment)

    def after_id(self, last: uuid.UUID) -> Self:
        """Filter to the rows that follow this one in a list sorted by id."""
        return self.filter(id__gt=last)

    def changed_since(self, moment: dt.datetime) -> Self:
        """Filter to rows changed at or after this time."""
        return self.filter(updated_at__gte=moment)

    def after_change(self, moment: dt.datetime, last: uuid.UUID) -> Self:
        """Filter to the rows that follow this one in a list sorted by (updated_at, id)."""
        return self.filter(is_after_change(moment, last))


class OwnedQuerySet(TrashableQuerySet[_Row]):
    """The reads of rows that have an owner."""

    def visible_to(self, user_id: uuid.UUID) -> Self:
        """Filter to the rows that this user may see, including those in the trash."""
        return self.filter(owner_id=user_id)


class SharedQuerySet(OwnedQuerySet[_Row]):
    """The reads of rows that members of a project see, too.

    `visible_to` is for one row. A list reads `owned_by` first and then `shared_with`, each of which has an index.
    """

    def visible_to(self, user_id: uuid.UUID) -> Self:
        """Filter to the rows that this user may see, including those in the trash."""
        return self.filter(Q(owner_id=user_id) | self._is_shared_with(user_id))

    def owned_by(self, user_id: uuid.UUID) -> Self:
        """Filter to the rows in the user's own projects, including those in the trash."""
        return self.filter(owner_id=user_id)

    def shared_with(self, user_id: uuid.UUID) -> Self:
        """Filter to the rows in other people's projects that this user is a member of."""
        return self.filter(self._is_shared_with(user_id)).exclude(owner_id=user_id)

    def part_of(self, user_id: uuid.UUID, *, is_shared: bool) -> Self:
        """Return one of the two parts that `visible_to` has."""
        return self.shared_with(user_id) if is_shared else self.owned_by(user_id)

    def parts_of(self, user_id: uuid.UUID, *, is_member: bool) -> list[Self]:
        """Return what `visible_to` has, in parts that have an index: own rows, and for a member the others."""
        return [self.part_of(user_id, is_shared=each) for each in ((False, True) if is_member else (False,))]

    def _is_shared_with(self, user_id: uuid.UUID) -> Q:
        return Q(project_id__in=Membership.objects.of_user(user_id).values("project_id"))


def position_is_valid(table: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(position__regex=positions.PATTERN),
        name=f"{table}_position_is_valid",
        violation_error_message="Use digits and lower-case letters; the last character must not be 0.",
    )


def color_is_valid(table: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(color__regex=COLOR),
        name=f"{table}_color_is_valid",
        violation_error_message="Use #rrggbb in lower case, such as #3b82f6, or leave the colour empty.",
    )


def is_named(table: str, column: str = "name") -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=~Q(**{column: ""}),
        name=f"{table}_{column}_is_not_empty",
        violation_error_message=f"The {column} cannot be empty.",
    )


def owned_indexes(table: str) -> list[models.Index]:
    """Return the indexes of rows with an owner: those in the trash, a list by id, and one by the last change."""
    return [
        trash_index(table),
        models.Index(fields=["owner", "id"], name=f"{table}_list"),
        models.Index(fields=["owner", "updated_at", "id"], name=f"{table}_changes"),
    ]


def trash_index(table: str) -> models.Index:
    """Return the index of trashed rows, which the purge reads."""
    return models.Index(fields=["deleted_at"], condition=Q(deleted_at__isnull=False), name=f"{table}_trash")


class TrashableRow(Versioned):
    """A row that can be moved to the trash."""

    deleted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True


class OwnedRow(TrashableRow):
    """A row with an owner, which can be moved to the trash."""

    # the indexes of each table begin with the owner
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        abstract = True
