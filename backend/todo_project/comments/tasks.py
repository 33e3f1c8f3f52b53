"""Background jobs of comments."""

from __future__ import annotations

import datetime as dt
import time

from django.conf import settings

from todo_project.comments import services
from todo_project.jobs.queue import job


@job("comments.purge_trash", cron="47 3 * * *")
def purge_trash(timestamp: int | None = None) -> None:
    """Permanently delete what has been in the trash for TRASH_RETENTION_DAYS, and fill what old code left empty."""
    scheduled_at = dt.datetime.fromtimestamp(timestamp or time.time(), tz=dt.UTC)
    services.fill_written_in()
    services.purge_comments(before=scheduled_at - dt.timedelta(days=settings.TRASH_RETENTION_DAYS))
