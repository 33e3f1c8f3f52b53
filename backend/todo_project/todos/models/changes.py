"""The log of changes, its reads, and which tables of the domain it covers (docs/adr/0028)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from django.db import models
from django.db.models import Q

from todo_project.db.changes import position


class ChangeQuerySet(models.QuerySet["Change"]):
    """All reads of the log."""

    def between(self, start: position.Position, end: position.Position) -> ChangeQuerySet:
        """Filter to the rows from one position to another, in the order in which they can be read."""
        return self.filter(position.between(start, end)).order_by("xid", "id")

    def of_person(self, user_id: uuid.UUID) -> ChangeQuerySet:
        """Filter to what concerns this person wherever it is, such as own labels and memberships."""
        return self.filter(user_id=user_id)

    def in_projects(self, project_ids: Iterable[uuid.UUID]) -> ChangeQuerySet:
        """Filter to what happened in these projects."""
        return self.filter(project_id__in=list(project_ids))

    def of_things(self, object_ids: Iterable[uuid.UUID]) -> ChangeQuerySet:
        """Filter to the changes of these things."""
        return self.filter(object_id__in=list(object_ids))

    def for_people(self) -> ChangeQuerySet:
        """Exclude the rows that only synchronization needs, such as a new version without a new value."""
        return self.exclude(action=Change.Action.UPDATED, fields={})

    def newest_first(self) -> ChangeQuerySet:
        """Sort by the time of the writes."""
        return self.order_by("-id")

    def oldest(self, count: int, *, before: dt.datetime) -> ChangeQuerySet:
        """Return those of the `count` oldest rows that are older than this time."""
        oldest = Change.objects.order_by("id").values("id")[:count]
        return self.filter(id__in=oldest, at__lt=before)


class Change(models.Model):
    """One change of one thing. Triggers write the rows; nothing else does (db/changes).

    `project_id` and `user_id` say who can see it: the members of the project, or one person. A thing that moves
    between projects has a row for each. `fields` maps columns to [old, new]; it is empty unless the action is
    `updated`. There are no foreign keys, because the log outlives the things.
    """

    class Action(models.TextChoices):
        """What happened to the thing; the trash is an update of `deleted_at`."""

        CREATED = "created"
        UPDATED = "updated"
        DELETED = "deleted"

    id = models.BigAutoField(primary_key=True)
    # the transaction on PostgreSQL, 0 on SQLite
    xid = models.BigIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=20)
    object_id = models.UUIDField()
    action = models.CharField(max_length=7, choices=Action.choices)
    project_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    actor_id = models.UUIDField(null=True)
    token_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=64)
    fields = models.JSONField()

    objects = ChangeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["project_id", "xid", "id"], name="change_in_project"),
            models.Index(
                fields=["user_id", "xid", "id"], name="change_of_person", condition=Q(user_id__isnull=False)
            ),
            models.Index(fields=["object_id", "id"], name="change_of_thing"),
            models.Index(fields=["project_id", "id"], name="change_activity"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id} {self.action}"

    @property
    def position(self) -> position.Position:
        """Where the row is in the log."""
        return position.Position(self.xid, self.id)
