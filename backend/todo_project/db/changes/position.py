"""How far the log can be read without missing a change.

Transactions commit in another order than they write, so a reader that continues after the last row it saw would
skip rows that were written before and committed later. On PostgreSQL, rows are therefore read in the order of the
transactions that wrote them, and only those of transactions older than the oldest that still runs.
https://www.postgresql.org/docs/17/functions-info.html#FUNCTIONS-PG-SNAPSHOT
On SQLite, one transaction writes at a time, and the ids have the order of the commits.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from django.db import connection
from django.db.models import Q

from todo_project.db.changes.registry import LOG

# The table gets another oid when a dump is restored, the cluster another identifier when it is new, and the log of
# the server another timeline after a recovery to an earlier time, or when a standby takes over.
_POSTGRESQL = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, 0,
    concat_ws(' ', system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8), %s::regclass::oid)
FROM pg_control_system()
"""
_SQLITE = "SELECT 0, coalesce(max(seq), 0) + 1, 'sqlite' FROM sqlite_sequence WHERE name = %s"


class Position(NamedTuple):
    """A place in the log, before the row with this transaction and id."""

    xid: int
    id: int


class Horizon(NamedTuple):
    """Where the part of the log ends that can be read now; `epoch` changes when the database loses transactions."""

    end: Position
    epoch: str


def horizon() -> Horizon:
    """Return where the readable part of the log ends now."""
    with connection.cursor() as cursor:
        cursor.execute(_POSTGRESQL if connection.vendor == "postgresql" else _SQLITE, [LOG])
        xid, row_id, history = cursor.fetchone()
    return Horizon(Position(xid, row_id), hashlib.sha256(history.encode()).hexdigest()[:12])


def since(start: Position) -> Q:
    """Return the condition for the rows of the log from a position on."""
    # the bound in both lets the database use an index
    return (Q(xid__gt=start.xid) | Q(xid=start.xid, id__gte=start.id)) & Q(xid__gte=start.xid)


def before(end: Position) -> Q:
    """Return the condition for the rows of the log before a position."""
    return (Q(xid__lt=end.xid) | Q(xid=end.xid, id__lt=end.id)) & Q(xid__lte=end.xid)


def between(start: Position, end: Position) -> Q:
    """Return the condition for the rows of the log from one position to before another."""
    return since(start) & before(end)
