"""Rows that the operators' programs write."""

from __future__ import annotations

from django.db import models


class BackupRun(models.Model):
    """One run of deploy/backup, which writes these rows itself.

    Backups leave them out: they are the history of this server, so a restored database starts without any.
    """

    name = models.CharField(max_length=100, blank=True)
    outcome = models.CharField(max_length=10)
    started_at = models.DateTimeField(db_index=True)
    finished_at = models.DateTimeField()
    bytes = models.BigIntegerField()
    verified_at = models.DateTimeField(null=True)
    detail = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(outcome__in=("ok", "failed")), name="backup_run_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.started_at}: {self.outcome} {self.name}"
