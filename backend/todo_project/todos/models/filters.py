"""The filters that people keep under a name, and all reads of them."""

from __future__ import annotations

import datetime as dt
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef

from todo_project.accounts.models import User
from todo_project.db import positions
from todo_project.todos.models.filtering.syntax import LENGTH_MAX
from todo_project.todos.models.rows import OwnedQuerySet, OwnedRow, is_named, owned_indexes, position_is_valid


class SavedFilterQuerySet(OwnedQuerySet["SavedFilter"]):
    """All reads of saved filters."""

    def in_order(self) -> Self:
        """Sort as the owner sorts them."""
        return self.order_by("position", "id")

    def lacking(self, *, since: dt.datetime) -> models.QuerySet[User]:
        """Return the accounts that were made since this time and have no filters, not even in the trash."""
        return User.objects.filter(created_at__gte=since).exclude(Exists(self.filter(owner=OuterRef("pk"))))


class SavedFilter(OwnedRow):
    """A filter of tasks (models/filtering) that its owner keeps under a name."""

    # without a constraint, so that the release before this table can delete accounts
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    name = models.CharField(max_length=200)
    query = models.CharField(max_length=LENGTH_MAX)
    is_pinned = models.BooleanField(default=False)
    position = models.CharField(max_length=positions.MAX_LENGTH)

    objects = SavedFilterQuerySet.as_manager()

    class Meta:
        constraints = [is_named("filter"), is_named("filter", "query"), position_is_valid("filter")]
        indexes = owned_indexes("filter")

    def __str__(self) -> str:
        return self.name
