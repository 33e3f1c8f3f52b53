"""Background jobs of accounts."""

from __future__ import annotations

import datetime as dt
import uuid
from importlib import import_module

from django.conf import settings
from django.utils import timezone

from todo_project.accounts.services import deletion, limits, release_accounts, tokens
from todo_project.jobs.queue import job

_KNOWN_ADDRESS_DAYS = 180


@job("accounts.purge_expired", cron="41 3 * * *")
def purge_expired(timestamp: int | None = None) -> None:
    """Delete expired sessions, tokens that ended TRASH_RETENTION_DAYS ago, addresses long unused, and the accounts
    of release tests that were killed.
    """
    now = timezone.now()
    tokens.purge_tokens(before=now - dt.timedelta(days=settings.TRASH_RETENTION_DAYS))
    limits.forget_addresses(before=now - dt.timedelta(days=_KNOWN_ADDRESS_DAYS))
    release_accounts.remove(now=now, before=now - dt.timedelta(days=1))
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


@job("accounts.delete_account")
def delete_account(user_id: str) -> None:
    """Delete an account with everything that belongs to it, unless it is active again."""
    deletion.delete_if_closed(user_id=uuid.UUID(user_id), now=timezone.now())
