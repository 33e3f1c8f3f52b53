"""What the operators' programs tell the service about themselves."""

from __future__ import annotations

from django.db import models


class BackupRun(models.Model):
    """One run of deploy/backup, which writes these rows itself; no backup holds them.

    They are this server's past and not the data's: a restored database knows of no backup until one is made.
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
