"""Imports that run in the background."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from django.conf import settings
from django.db import models

from todo_project.db.rows import Versioned


class ImportQuerySet(models.QuerySet["Import"]):
    """All reads of imports."""

    def visible_to(self, user_id: uuid.UUID) -> Self:
        """Filter to the imports of this user."""
        return self.filter(owner_id=user_id)

    def unfinished(self) -> Self:
        """Filter to pending and running imports."""
        return self.filter(status__in=Import.UNFINISHED)

    def finished(self) -> Self:
        """Filter to imports that are done or have failed."""
        return self.exclude(status__in=Import.UNFINISHED)

    def unchanged_since(self, moment: dt.datetime) -> Self:
        """Filter to imports that last changed before this time."""
        return self.filter(updated_at__lt=moment)

    def without_file(self) -> Self:
        """Do not load the file, which may be large."""
        return self.defer("file")


class Import(Versioned):
    """A file that is imported in the background, and the result."""

    class Status(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    UNFINISHED = (Status.PENDING, Status.RUNNING)

    # Without a constraint, so that the previous release, which does not know this table, can delete users.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    # for new tasks; None is the Inbox. If the project is deleted before the import runs, the import fails.
    project_id = models.UUIDField(null=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    # percent
    progress = models.PositiveSmallIntegerField(default=0)
    report = models.JSONField(null=True)
    # why it failed, for people
    error = models.TextField(default="")
    # emptied when the import is done or has failed
    file = models.BinaryField(default=bytes)

    objects = ImportQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["updated_at"], name="import_updated")]

    def __str__(self) -> str:
        return f"{self.id} {self.status}"
