"""Django's PostgreSQL backend, which asks a kept connection less and runs kept statements prepared.

Django's own backend sends `SELECT 1` before the first query of each request that finds a connection open, and
never prepares a statement. Both cost a good part of a small request (benchmarks/report.md).
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import Buffer


class _JsonbAsText(psycopg.adapt.Loader):
    """Binary jsonb as the text that Django's JSONField reads; its first byte is a version."""

    format = psycopg.pq.Format.BINARY

    def load(self, data: Buffer) -> str:
        """Give the text."""
        return bytes(data)[1:].decode()


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to PostgreSQL."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open a connection whose binary results hold the same values as Django's text results."""
        connection = super().get_new_connection(conn_params)
        connection.adapters.register_loader("jsonb", _JsonbAsText)
        return connection

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

    def run_prepared(self, sql: str, parameters: Sequence[Any]) -> Any:
        """Run a statement that is run again and again, with values bound by the server; gives the cursor.

        It is prepared on its first use in each connection, unless DATABASE_URL has `disable_server_side_cursors`
        for a pooler that cannot hold prepared statements.
        """
        if self.queries_logged or self.execute_wrappers:  # somebody looks at the statements
            cursor = self.cursor()
            cursor.execute(sql, parameters)
            return cursor
        self.close_if_health_check_failed()
        self.ensure_connection()
        self.validate_thread_sharing()
        self.validate_no_broken_transaction()
        with self.wrap_database_errors:
            prepared: psycopg.Cursor = psycopg.Cursor(self.connection)
            return prepared.execute(sql, parameters, prepare=True, binary=True)


def _has_something_to_read(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
