"""What the triggers of the log, of the search and of copied columns share.

On SQLite they name the columns of their tables, and most migrations rebuild a table, which drops its triggers. So
they are dropped before migrations and created after them. On PostgreSQL, migrations create them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from django.apps import AppConfig
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate

Event = Literal["INSERT", "UPDATE", "DELETE"]
EVENTS: tuple[Event, ...] = ("INSERT", "UPDATE", "DELETE")
_Act = Callable[[Any], None]


def drop_on_sqlite(connection: Any, prefix: str) -> None:
    """Drop all triggers whose names begin with this."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, %s) = %s",
            [len(prefix), prefix],
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {name}")


def keep_on_sqlite(app: AppConfig, *, install: _Act, remove: _Act, add_functions: _Act | None = None) -> None:
    """Let SQLite have the triggers of an app except during migrations, and each connection their functions.

    The functions take a connection. Call this in AppConfig.ready.
    """

    def connected(connection: Any, **_: Any) -> None:
        if add_functions is not None and connection.vendor == "sqlite":
            add_functions(connection)

    def on_sqlite(act: _Act) -> Callable[..., None]:
        def receive(using: str, **_: Any) -> None:
            if connections[using].vendor == "sqlite":
                act(connections[using])

        return receive

    connection_created.connect(connected, weak=False)
    pre_migrate.connect(on_sqlite(remove), sender=app, weak=False)
    post_migrate.connect(on_sqlite(install), sender=app, weak=False)
