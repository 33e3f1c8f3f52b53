"""What several tests of the domain request."""

from __future__ import annotations

import pytest
from django.db import connection

from todo_project.db.changes import position

_XMIN = "pg_snapshot_xmin(pg_current_snapshot())"
# the same, but of the transactions of this database only
_XMIN_HERE = """(
    SELECT coalesce(min(backend_xid::text::bigint), pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
    FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
)"""


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the log be read to its end, although another process of the tests writes to its own database.

    PostgreSQL's snapshots contain the transactions of all databases of a server.
    """
    if connection.vendor == "postgresql":
        assert _XMIN in position._POSTGRESQL
        monkeypatch.setattr(position, "_POSTGRESQL", position._POSTGRESQL.replace(_XMIN, _XMIN_HERE))
