"""Talk to PostgreSQL: row counts, dumps, and databases beside the one in use."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from .failures import REPEAT, Failure, run_program, without_values

Connection = psycopg.Connection[tuple[Any, ...]]

# Lists the backups that this server has made. It is not part of a backup: a restored database did not make them.
RECORDS = "ops_backuprun"
MAINTENANCE = "postgres"
MIGRATION_LOCK = 0x746F646F  # the same as in the backend's migrate_locked
_OURS = "todo-backup"
_SOCKETS = "/var/run/postgresql"
_UNLIMITED = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
_CLIENT: dict[str, Any] = {"connect_timeout": 10, "application_name": _OURS, "options": _UNLIMITED}
START_IT = "start the database: docker compose --env-file envs/….env up -d --wait db"


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server; `name` is the database in use."""

    host: str
    user: str = "todo_user"
    password: str = ""
    name: str = "todo_db"

    @contextmanager
    def connected(self, database: str | None = None) -> Iterator[Connection]:
        """Yield a connection in autocommit mode; turn errors of the server into Failures."""
        where = {"host": self.host, "user": self.user, "password": self.password, "dbname": database or self.name}
        try:
            with psycopg.connect(make_conninfo(**where, **_CLIENT), autocommit=True) as connection:
                yield connection
        except psycopg.Error as error:
            text = " ".join(without_values(str(error)).split())
            if isinstance(error, psycopg.OperationalError):
                raise Failure(f"the database does not answer: {text}", START_IT) from None
            raise Failure(f"the database returned an error: {text}", REPEAT) from None

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which PostgreSQL's programs use this server."""
        where = {"PGHOST": self.host, "PGUSER": self.user, "PGPASSWORD": self.password, "PGDATABASE": self.name}
        return {**os.environ, **where, "PGCONNECT_TIMEOUT": "10", "PGAPPNAME": _OURS}

    def run(self, *command: str, stdin: IO[bytes] | None = None) -> None:
        """Run one of PostgreSQL's programs against this server."""
        run_program(*command, env=self.environment, stdin=stdin or subprocess.DEVNULL)


def in_use(environ: Mapping[str, str] = os.environ) -> Server:
    """Return the server of the service db.

    Only the socket, which that service shares, accepts replication. A container of the db that an older release
    has created does not share it.
    """
    host = _SOCKETS if Path(_SOCKETS, ".s.PGSQL.5432").exists() else "db"
    return Server(host, environ.get("POSTGRES_ROLE") or Server.user, environ.get("POSTGRES_PASSWORD", ""))


def value(connection: Connection, query: str | sql.Composable, parameters: Sequence[Any] = ()) -> Any:
    """Return the first column of the first row, or None."""
    row = connection.execute(query, parameters).fetchone()  # type: ignore[arg-type] # our own texts
    return row[0] if row else None


def dump(server: Server, target: Path) -> dict[str, Any]:
    """Write a dump in the custom format; return the server's version and what the dump contains."""
    with server.connected() as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        server.run(
            "pg_dump",
            f"--file={target}",
            "--format=custom",
            "--compress=0",  # restic compresses, and finds what has not changed
            "--no-owner",
            "--no-privileges",
            f"--snapshot={value(connection, 'SELECT pg_export_snapshot()')}",
            f"--exclude-table-data=public.{RECORDS}",
            "--lock-wait-timeout=60s",
        )
        held = {
            "name": server.name,
            "bytes": value(connection, "SELECT pg_database_size(current_database())"),
            "tables": count_rows(connection),
            "migrations": migrations(connection),
        }
        return {"postgresql": value(connection, "SHOW server_version").split()[0], "database": held}


def count_rows(connection: Connection) -> dict[str, int]:
    """Return the number of rows in every table that is backed up."""
    tables = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " AND relname <> %s ORDER BY relname",
        [RECORDS],
    ).fetchall()
    count = sql.SQL("SELECT count(*) FROM public.{}")
    return {name: value(connection, count.format(sql.Identifier(name))) for (name,) in tables}


def migrations(connection: Connection) -> dict[str, list[str]]:
    """Return the applied migrations by app, in order."""
    if not exists(connection, "django_migrations"):
        return {}
    done: dict[str, list[str]] = {}
    for app, name in connection.execute("SELECT app, name FROM django_migrations ORDER BY id"):
        done.setdefault(app, []).append(name)
    return done


def exists(connection: Connection, table: str) -> bool:
    """Return whether a table exists."""
    return bool(value(connection, "SELECT to_regclass(%s) IS NOT NULL", [f"public.{table}"]))


def is_migrating(connection: Connection) -> bool:
    """Return whether a backend holds the lock of its migrations (migrate_locked.LOCK) in this database."""
    query = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = %s"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return bool(value(connection, query, [MIGRATION_LOCK]))


def clients(connection: Connection, database: str) -> list[str]:
    """Describe the other clients of a database, except our own scheduler, whose queries are short."""
    rows = connection.execute(
        "SELECT coalesce(nullif(application_name, ''), 'a client'), usename, coalesce(host(client_addr), 'local'),"
        " count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend' AND application_name <> %s GROUP BY 1, 2, 3 ORDER BY 1, 3",
        [database, _OURS],
    ).fetchall()
    return [f"{app} as {user} from {address} ({count})" for app, user, address, count in rows]


_CREATE = """
    SELECT format('CREATE DATABASE %%I TEMPLATE template0 ENCODING %%L LC_COLLATE %%L LC_CTYPE %%L',
                  %s::text, pg_encoding_to_char(encoding), datcollate, datctype)
        || CASE datlocprovider WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %%L', datlocale)
                               WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %%L', datlocale)
                               ELSE ' LOCALE_PROVIDER libc' END
        || coalesce(' ICU_RULES ' || quote_literal(daticurules), '')
    FROM pg_database WHERE datname = current_database()
"""


def create(connection: Connection, name: str) -> None:
    """Create an empty database with the encoding and locale of the one in use, so that it sorts in the same way."""
    connection.execute(value(connection, _CREATE, [name]))


def drop(connection: Connection, name: str) -> None:
    """Drop a database even if clients are connected to it."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def rename(connection: Connection, old: str, new: str) -> None:
    """Rename a database; a rollback of the surrounding transaction undoes it."""
    query = sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
    connection.execute(query)
