"""The API's own tables: responses stored for repeated requests, and rate counters."""

from __future__ import annotations

from django.db import models


class IdempotencyRecord(models.Model):
    """The stored response to a POST with an Idempotency-Key, which a repeated request gets again."""

    owner_id = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner_id", "key"], name="idempotency_key_once_per_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id} {self.key}"


class RateCounter(models.Model):
    """What a bucket has spent in the window that ends at `window_end` (seconds since the epoch)."""

    bucket = models.CharField(max_length=200, primary_key=True)
    window_end = models.BigIntegerField(db_index=True)
    spent = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.bucket}: {self.spent}"
