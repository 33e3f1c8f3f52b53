"""Imports that run as jobs."""

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
        """Only those that this person started."""
        return self.filter(owner_id=user_id)

    def unfinished(self) -> Self:
        """Only those that wait or run."""
        return self.filter(status__in=Import.UNFINISHED)

    def finished(self) -> Self:
        """Only those that are done or failed."""
        return self.exclude(status__in=Import.UNFINISHED)

    def unchanged_since(self, moment: dt.datetime) -> Self:
        """Only those that last changed before the moment."""
        return self.filter(updated_at__lt=moment)

    def without_file(self) -> Self:
        """Leave the file in the database, which may be large."""
        return self.defer("file")


class Import(Versioned):
    """A file on its way into an account, and then what became of it."""

    class Status(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    UNFINISHED = (Status.PENDING, Status.RUNNING)

    # Without a constraint in the database: the release before, which knows no imports, may delete accounts.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    # where new tasks go; None is the Inbox. It may be deleted before the import runs, which then fails.
    project_id = models.UUIDField(null=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    # percent
    progress = models.PositiveSmallIntegerField(default=0)
    report = models.JSONField(null=True)
    # why it failed, for people
    error = models.TextField(default="")
    # kept until the import is done or has failed
    file = models.BinaryField(default=bytes)

    objects = ImportQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["updated_at"], name="import_updated")]

    def __str__(self) -> str:
        return f"{self.id} {self.status}"
