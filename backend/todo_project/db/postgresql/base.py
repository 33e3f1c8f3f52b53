"""Django's PostgreSQL backend with cheaper health checks and prepared statements.

Django's own backend sends `SELECT 1` before the first query of each request on a persistent connection, and does
not prepare statements by default. Both take a large part of a small request (benchmarks/report.md).
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

from todo_project.db.changes import actor

_BEGIN = "BEGIN; SET LOCAL todo.actor_id = {}; SET LOCAL todo.token_id = {}; SET LOCAL todo.request_id = {}"


class _Jsonb(psycopg.adapt.Loader):
    """Decodes binary jsonb, whose first byte is a version number."""

    format = psycopg.pq.Format.BINARY

    def load(self, data: Buffer) -> Any:
        """Return the decoded value."""
        return msgspec.json.decode(memoryview(data)[1:])


class Observer(Protocol):
    """Is notified how long statements and connections take, without the values of parameters."""

    def statement(self, sql: str, seconds: float) -> None:
        """Record a statement that was run or failed."""

    def connected(self, seconds: float) -> None:
        """Record a connection that was opened or taken from the pool."""


class _TimedCursor(CursorWrapper):
    """Django's cursor, which notifies the observer of each statement."""

    db: DatabaseWrapper

    def _execute(self, sql: Any, params: Any, *ignored: Any) -> Any:
        start = perf_counter()
        try:
            return super()._execute(sql, params, *ignored)  # type: ignore[misc] # the stubs leave it out
        finally:
            self.db.notify(sql, perf_counter() - start)

    def _executemany(self, sql: Any, param_list: Any, *ignored: Any) -> Any:
        start = perf_counter()
        try:
            return super()._executemany(sql, param_list, *ignored)  # type: ignore[misc] # as above
        finally:
            self.db.notify(sql, perf_counter() - start)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to PostgreSQL."""

    observer: Observer | None = None
    _prepared: psycopg.Cursor

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open a connection that decodes binary results to the types that Django returns."""
        start = perf_counter()
        connection = super().get_new_connection(conn_params)
        connection.adapters.register_loader("jsonb", _Jsonb)
        # for all prepared statements, because each new cursor looks up the decoders of its columns again
        self._prepared = psycopg.Cursor(connection)
        if self.observer is not None:
            self.observer.connected(perf_counter() - start)
        return connection

    def set_autocommit(self, autocommit: bool, *args: Any, **options: Any) -> None:
        """Name the actor to the triggers of the log whenever a transaction begins."""
        super().set_autocommit(autocommit, *args, **options)
        who = actor.current()
        if who is not None and not autocommit:
            self._begin([str(who.user_id), str(who.token_id or ""), actor.request_id()])

    def _begin(self, named: Sequence[str]) -> None:
        """Begin the transaction in the round trip that names the actor; psycopg would use another one for it.

        psycopg sees on the connection that a transaction has begun, and sends no BEGIN. Its pipeline would save the
        round trip too, but takes as long in Python.
        """
        start = perf_counter()
        with self.wrap_database_errors:
            libpq = self.connection.pgconn
            quote = psycopg.pq.Escaping(libpq).escape_literal
            values = (bytes(quote(value.encode())).decode() for value in named)
            result = libpq.exec_(_BEGIN.format(*values).encode())
            if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
                raise psycopg.OperationalError(result.get_error_message())
        self.notify(_BEGIN, perf_counter() - start)

    def make_cursor(self, cursor: Any) -> CursorWrapper:
        """Return Django's cursor, or a timed one if there is an observer."""
        return CursorWrapper(cursor, self) if self.observer is None else _TimedCursor(cursor, self)

    def notify(self, sql: Any, seconds: float) -> None:
        """Notify the observer of a statement."""
        if self.observer is not None:
            self.observer.statement(str(sql), seconds)

    def is_usable(self) -> bool:
        """Return whether the connection works, without a round trip in the usual case.

        A server that ends a connection sends a message and closes the socket, so the socket becomes readable. On a
        healthy idle connection there is nothing to read.
        """
        if self.connection is None or self.connection.closed:
            return False
        if self.errors_occurred or _has_something_to_read(self.connection.fileno()):
            return bool(super().is_usable())
        return True

    def run_prepared(self, sql: str, parameters: Sequence[Any]) -> Any:
        """Run a frequent statement as a prepared one and return the cursor, whose rows the next call replaces.

        The first use in each connection prepares it, unless DATABASE_URL has `disable_server_side_cursors` for a
        pooler that cannot keep prepared statements. When a migration changes the type of a result column,
        PostgreSQL refuses the prepared statement for the lifetime of the connection, so this reconnects and runs it
        again. Raises OperationalError if a transaction is open, because reconnecting would lose it.
        """
        if self.queries_logged or self.execute_wrappers:  # these see only statements of Django's cursors
            cursor = self.cursor()
            cursor.execute(sql, parameters)
            return cursor
        self.close_if_health_check_failed()
        self.ensure_connection()
        self.validate_thread_sharing()
        self.validate_no_broken_transaction()
        try:
            return self._execute(sql, parameters)
        except NotSupportedError as error:
            self.connection.close()  # closed before it goes back, so that the pool discards it
            if self.in_atomic_block:
                raise OperationalError("The tables have changed since the statement was prepared.") from error
            self.close()
            self.ensure_connection()
            return self._execute(sql, parameters)

    def _execute(self, sql: str, parameters: Sequence[Any]) -> Any:
        start = perf_counter()
        try:
            with self.wrap_database_errors:
                return self._prepared.execute(sql, parameters, prepare=True, binary=True)
        finally:
            self.notify(sql, perf_counter() - start)


def _has_something_to_read(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
