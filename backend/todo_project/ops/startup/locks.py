"""A limit on how long a migration waits for a lock, and the sessions that hold the lock.

While a statement waits for an exclusive lock, all later statements on the table wait too, reads included.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.db import DatabaseError, transaction
from psycopg.pq import TransactionStatus

from todo_project.ops.startup.database import CONNECT_TIMEOUT_SECONDS, fresh_connection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from django.db.backends.base.base import BaseDatabaseWrapper

LOOK_SECONDS: Final = 0.2
_LOCK_NOT_AVAILABLE: Final = "55P03"
_BLOCKERS: Final = """
    SELECT pid, coalesce(nullif(application_name, ''), 'without a name'), state,
           extract(epoch FROM clock_timestamp() - xact_start)::int
    FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids(%s)) ORDER BY xact_start
"""


def is_lock_timeout(error: DatabaseError) -> bool:
    """Return whether a statement was cancelled because it waited too long for a lock."""
    return getattr(error.__cause__, "sqlstate", None) == _LOCK_NOT_AVAILABLE


@contextmanager
def lock_timeout(connection: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
    """Limit how long statements wait for a lock; 0 means no limit.

    It is set in each transaction, because PgBouncer would pass a session's setting to other clients. So an ALTER
    TABLE outside of transactions gets one of its own. What else a migration does there (CREATE INDEX CONCURRENTLY)
    blocks nobody and may wait.
    """

    def limited(execute: Any, statement: Any, *call: Any) -> Any:
        if not connection.in_atomic_block:
            if not str(statement).lstrip().upper().startswith("ALTER TABLE"):
                return execute(statement, *call)
            with transaction.atomic(using=connection.alias):
                return limited(execute, statement, *call)
        if connection.connection.info.transaction_status == TransactionStatus.IDLE:
            connection.connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{seconds * 1000:.0f}"])
        return execute(statement, *call)

    with connection.execute_wrapper(limited):
        yield


class Blockers:
    """Watches, from another connection, which sessions block this one while the block runs."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        connection.ensure_connection()
        self.last: list[str] = []
        self._pid = connection.connection.info.backend_pid
        self._looking = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Blockers:
        self._thread.start()
        self._looking.wait(CONNECT_TIMEOUT_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def __str__(self) -> str:
        """Name the sessions seen last."""
        return "; ".join(self.last) or "unknown sessions"

    def _look(self) -> None:
        try:
            with fresh_connection(statement_timeout_ms=2000) as connection, connection.cursor() as cursor:
                self._looking.set()
                while not self._done.wait(LOOK_SECONDS):
                    cursor.execute(_BLOCKERS, [self._pid])
                    found = [
                        f"pid {pid} ({name}, {state}, {age} s in its transaction)"
                        for pid, name, state, age in cursor.fetchall()
                    ]
                    self.last = found or self.last
                    connection.rollback()  # within one transaction the activity would never change
        except DatabaseError:
            return  # no connection is free; the names are optional
