"""Deletes old rows of the log of changes."""

from __future__ import annotations

import datetime as dt

from todo_project.todos.models import Change

BATCH = 5_000
# A row has the time at which its transaction began, so a client may first see it this much later.
MARGIN = dt.timedelta(days=1)


def purge_changes(*, before: dt.datetime, batch: int = BATCH) -> int:
    """Delete the rows that were written before this time, or a little later; return how many.

    Each batch is a transaction of its own. It reads the oldest rows by their id, and the last batch is one that has
    a row to keep.
    """
    purged = 0
    while True:
        deleted, _ = Change.objects.oldest(batch, before=before - MARGIN).delete()
        purged += deleted
        if deleted < batch:
            return purged
