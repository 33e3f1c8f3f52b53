"""Background doors of accounts."""

from __future__ import annotations

import datetime as dt
from importlib import import_module

from django.conf import settings
from django.utils import timezone

from todo_project.accounts.services import tokens
from todo_project.jobs.queue import job


@job("accounts.purge_expired", cron="41 3 * * *")
def purge_expired(timestamp: int | None = None) -> None:
    """Delete sessions that are over, and tokens that have been for as long as the trash is kept."""
    tokens.purge_tokens(before=timezone.now() - dt.timedelta(days=settings.TRASH_RETENTION_DAYS))
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
