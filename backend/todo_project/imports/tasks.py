"""Background jobs of imports."""

from __future__ import annotations

import uuid

from django.utils import timezone

from todo_project.imports.services import imports
from todo_project.jobs.queue import job


@job("imports.run")
def run(import_id: str) -> None:
    """Import an uploaded file."""
    imports.run_import(import_id=uuid.UUID(import_id), now=timezone.now)


@job("imports.purge", cron="23 * * * *")
def purge(timestamp: int | None = None) -> None:
    """Delete old imports, and fail those that do not finish."""
    imports.purge_imports(now=timezone.now())
