"""Deletes accounts with everything that belongs to them.

Django's own `user.delete()` would load every row into one transaction, and PostgreSQL refuses its statements for
more than 65,535 tasks. The apps above delete their rows in batches first. Each step can be repeated, so a job that
was interrupted runs again.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable

from django.db import transaction
from django.db.models import F

from todo_project.accounts.models import User
from todo_project.accounts.services import tokens
from todo_project.api.models import IdempotencyRecord, RateCounter
from todo_project.jobs import queue

_logger = logging.getLogger(__name__)
# Functions with which other apps delete what an account has, in transactions of their own; called with user_id= and
# now=.
before_deletion: list[Callable[..., object]] = []


@transaction.atomic
def request_deletion(*, user_id: uuid.UUID, now: dt.datetime) -> None:
    """Close the account now, and delete it in a job."""
    _close(user_id=user_id, now=now)
    queue.defer("accounts.delete_account", lock=f"delete_account {user_id}", user_id=str(user_id))


def delete_if_closed(*, user_id: uuid.UUID, now: dt.datetime) -> None:
    """Delete the account, unless somebody has activated it again since they requested that."""
    if User.objects.filter(pk=user_id, is_active=True).exists():
        _logger.warning("accounts.deletion_stopped", extra={"user_id": str(user_id), "cause": "it is active again"})
        return
    delete_account(user_id=user_id, now=now)


def delete_account(*, user_id: uuid.UUID, now: dt.datetime) -> None:
    """Delete the account with everything that belongs to it; do nothing if it is gone."""
    _close(user_id=user_id, now=now)
    for delete in before_deletion:
        delete(user_id=user_id, now=now)
    # these name the account without a foreign key
    IdempotencyRecord.objects.filter(owner_id=user_id).delete()
    RateCounter.objects.filter(bucket=f"requests:{user_id}").delete()
    User.objects.filter(pk=user_id).delete()


@transaction.atomic
def _close(*, user_id: uuid.UUID, now: dt.datetime) -> None:
    """End all sessions and tokens of the account, so that it adds nothing while it is deleted."""
    active = User.objects.filter(pk=user_id, is_active=True)
    active.update(is_active=False, version=F("version") + 1, updated_at=now)
    tokens.revoke_all(user_id=user_id, now=now)
