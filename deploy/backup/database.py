"""Talk to PostgreSQL: dumps, databases beside the one in use, and private servers.

A private server restores a dump on trial or recovers a moment from the archive. It costs the database in use no
space and no work, and a killed one leaves only a folder on the volume.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from .report import Failure, of_program, run_program, without_values

Connection = psycopg.Connection[tuple[Any, ...]]

# Lists the backups that this server has made. It is not part of a backup: a restored database did not make them.
RECORDS = "ops_backuprun"
MAINTENANCE = "postgres"
MIGRATION_LOCK = 0x746F646F  # the same as in the backend's migrate_locked
_OURS = "todo-backup"
_SOCKETS = "/var/run/postgresql"
_CLIENT: dict[str, Any] = {
    "connect_timeout": 10,
    "application_name": _OURS,
    "options": "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0",
    "autocommit": True,
}
# For a server that runs for a minute: no durability, little memory.
_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",
}


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
        try:
            with psycopg.connect(
                host=self.host, user=self.user, password=self.password, dbname=database or self.name, **_CLIENT
            ) as connection:
                yield connection
        except psycopg.Error as error:
            text = " ".join(without_values(str(error)).split())
            hint = "if it does not run: docker compose --env-file envs/….env up -d --wait db"
            raise Failure(f"the database does not answer as it should: {text}", hint) from None

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which PostgreSQL's programs use this server."""
        where = {"PGHOST": self.host, "PGUSER": self.user, "PGPASSWORD": self.password, "PGDATABASE": self.name}
        return {**os.environ, **where, "PGCONNECT_TIMEOUT": "10", "PGAPPNAME": _OURS}

    def run(self, *command: str) -> str:
        """Run one of PostgreSQL's programs against this server and return its output."""
        return run_program(*command, env=self.environment)


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
        held = {"bytes": value(connection, "SELECT pg_database_size(current_database())"), **contents(connection)}
        return {"postgresql": value(connection, "SHOW server_version").split()[0], "database": held}


def contents(connection: Connection) -> dict[str, Any]:
    """Return the number of rows in every table that is backed up, and the applied migrations by app, in order."""
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> %s ORDER BY tablename"
    names = [name for (name,) in connection.execute(query, [RECORDS])]
    count = sql.SQL("SELECT count(*) FROM public.{}")
    done: dict[str, list[str]] = {}
    if "django_migrations" in names:
        for app, name in connection.execute("SELECT app, name FROM django_migrations ORDER BY id"):
            done.setdefault(app, []).append(name)
    tables = {name: value(connection, count.format(sql.Identifier(name))) for name in names}
    return {"tables": tables, "migrations": done}


def is_migrating(connection: Connection) -> bool:
    """Return whether a backend holds the lock of its migrations (migrate_locked.LOCK) in this database."""
    return not value(connection, "SELECT pg_try_advisory_xact_lock_shared(%s)", [MIGRATION_LOCK])


def clients(connection: Connection, database: str) -> list[str]:
    """Describe the other clients of a database, except our own scheduler, whose queries are short."""
    query = (
        "SELECT DISTINCT coalesce(nullif(application_name, ''), 'a client') || ' as ' || usename || ' from '"
        " || coalesce(host(client_addr), 'local') FROM pg_stat_activity WHERE datname = %s"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND application_name <> %s"
    )
    return sorted(client for (client,) in connection.execute(query, [database, _OURS]))


def create(server: Server, name: str) -> None:
    """Create an empty database like the one in use; pg_dump writes the statement, with its encoding and locale."""
    script = server.run("pg_dump", "--create", "--schema-only", "--exclude-schema=*")
    (statement,) = re.findall(r"^CREATE DATABASE .*", script, re.MULTILINE)
    server.run("psql", "--quiet", "--command", statement.replace(f" {server.name} ", f" {name} ", 1))


def drop(server: Server, name: str) -> None:
    """Drop a database if it exists, even if clients are connected to it."""
    server.run("dropdb", "--if-exists", "--force", name)


def rename(connection: Connection, old: str, new: str) -> None:
    """Rename a database; a rollback of the surrounding transaction undoes it."""
    query = sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
    connection.execute(query)


@contextmanager
def scratch(folder: Path) -> Iterator[Server]:
    """Yield a server with an empty database `todo_db`."""
    server = Server(str(folder))
    words = ("-U", server.user, "-A", "trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
    server.run("initdb", "-D", str(folder / "data"), *words)
    with private(folder):
        server.run("createdb", server.name)
        yield server


@contextmanager
def private(folder: Path) -> Iterator[Server]:
    """Yield a server on the folder `data`; only this container reaches it."""
    server, log = Server(str(folder)), folder / "log"
    options = {**_OPTIONS, "unix_socket_directories": folder}
    words = " ".join(f"-c {name}={value}" for name, value in options.items())
    control = ("pg_ctl", "--silent", "-D", str(folder / "data"))
    try:
        server.run(*control, f"--log={log}", f"--options={words}", "start")
    except Failure:
        said = "\n".join(re.findall(r"(?:FATAL|PANIC): .*", log.read_text(errors="replace")))
        raise of_program("a private server", 1, said) from None
    try:
        yield server
    finally:
        server.run(*control, "--mode=immediate", "stop")
