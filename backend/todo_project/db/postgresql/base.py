"""Django's PostgreSQL backend, which asks a kept connection less and runs kept statements prepared.

Django's own backend sends `SELECT 1` before the first query of each request that finds a connection open, and
never prepares a statement. Both cost a good part of a small request (benchmarks/report.md).
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from time import perf_counter
from typing import Any, Protocol

import msgspec
import psycopg
from django.db import NotSupportedError, OperationalError
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg.abc import Buffer


class _Jsonb(psycopg.adapt.Loader):
    """Binary jsonb as its value; its first byte is a version."""

    format = psycopg.pq.Format.BINARY

    def load(self, data: Buffer) -> Any:
        """Give the value."""
        return msgspec.json.decode(memoryview(data)[1:])


class Observer(Protocol):
    """Whoever wants to know how long the database takes; it is told nothing of values."""

    def statement(self, sql: str, seconds: float) -> None:
        """Note a statement that was run, or failed."""

    def connected(self, seconds: float) -> None:
        """Note a connection that was opened, or taken from the pool."""


class _TimedCursor(CursorWrapper):
    """Django's cursor, which tells the observer how long each statement took."""

    db: DatabaseWrapper

    def _execute(self, sql: Any, params: Any, *ignored: Any) -> Any:
        start = perf_counter()
        try:
            return super()._execute(sql, params, *ignored)  # type: ignore[misc] # the stubs leave it out
        finally:
            self.db.tell(sql, perf_counter() - start)

    def _executemany(self, sql: Any, param_list: Any, *ignored: Any) -> Any:
        start = perf_counter()
        try:
            return super()._executemany(sql, param_list, *ignored)  # type: ignore[misc] # as above
        finally:
            self.db.tell(sql, perf_counter() - start)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to PostgreSQL."""

    observer: Observer | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open a connection whose binary results are of the types that Django's converters make of text."""
        start = perf_counter()
        connection = super().get_new_connection(conn_params)
        connection.adapters.register_loader("jsonb", _Jsonb)
        if self.observer is not None:
            self.observer.connected(perf_counter() - start)
        return connection

    def make_cursor(self, cursor: Any) -> CursorWrapper:
        """Give Django's cursor, timed while there is an observer."""
        return CursorWrapper(cursor, self) if self.observer is None else _TimedCursor(cursor, self)

    def tell(self, sql: Any, seconds: float) -> None:
        """Tell the observer of a statement."""
        if self.observer is not None:
            self.observer.statement(str(sql), seconds)

    def is_usable(self) -> bool:
        """Tell whether the connection still stands, without a round trip where there is nothing to doubt.

        A server that ends a connection says so and closes the socket, which makes it readable; one that waits for
        us has nothing to say.
        """
        if self.connection is None or self.connection.closed:
            return False
        if self.errors_occurred or _has_something_to_read(self.connection.fileno()):
            return bool(super().is_usable())
        return True

    def run_prepared(self, sql: str, parameters: Sequence[Any], *, prepare: bool = True) -> Any:
        """Run a statement that is run again and again, with values bound by the server; gives the cursor.

        It is prepared on its first use in each connection, unless DATABASE_URL has `disable_server_side_cursors`
        for a pooler that cannot hold prepared statements. PostgreSQL refuses one for as long as the connection
        lives when a migration has changed the type of a column that it gives; the connection is then renewed.
        Raises OperationalError when that loses a transaction.
        """
        if self.queries_logged or self.execute_wrappers:  # somebody looks at the statements
            cursor = self.cursor()
            cursor.execute(sql, parameters)
            return cursor
        self.close_if_health_check_failed()
        self.ensure_connection()
        self.validate_thread_sharing()
        self.validate_no_broken_transaction()
        try:
            return self._execute(sql, parameters, prepare)
        except NotSupportedError as error:
            self.connection.close()  # first, so that a pool does not keep it
            if self.in_atomic_block:
                raise OperationalError("The tables have changed since the statement was prepared.") from error
            self.close()
            self.ensure_connection()
            return self._execute(sql, parameters, prepare)

    def _execute(self, sql: str, parameters: Sequence[Any], prepare: bool) -> Any:
        start = perf_counter()
        try:
            with self.wrap_database_errors:
                prepared: psycopg.Cursor = psycopg.Cursor(self.connection)
                return prepared.execute(sql, parameters, prepare=prepare, binary=True)
        finally:
            self.tell(sql, perf_counter() - start)


def _has_something_to_read(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
