"""Talk to PostgreSQL: snapshots and row counts, dumps, and databases beside the one in use."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import psycopg
from psycopg import sql

from .failures import Failure, of_program, without_values

Connection = psycopg.Connection[tuple[Any, ...]]

# Lists the backups that this server has made. It is not part of a backup: a restored database did not make them.
RECORDS = "ops_backuprun"
# Tables with rows in a database that nobody has used yet: also the log of what the tests of releases did.
FRAMEWORK = (
    *("django_", "auth_", "procrastinate_", "ops_", "common_ratecounter", "todos_change"),
    "notifications_logreader",
)
MIGRATION_LOCK = 0x746F646F  # the same as in the backend's migrate_locked
_OURS = "todo-backup"
# providers of locales in pg_database.datlocprovider
_ICU, _BUILTIN = "i", "b"
START_IT = "start the database: docker compose --env-file envs/….env up -d --wait db"


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server, described by the environment variables of libpq."""

    environment: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name of the database in use."""
        return self.environment["PGDATABASE"]

    @contextmanager
    def connected(self, database: str | None = None) -> Iterator[Connection]:
        """Yield a connection in autocommit mode; turn errors of the server into Failures."""
        env = self.environment
        try:
            with psycopg.connect(
                host=env["PGHOST"],
                user=env["PGUSER"],
                password=env.get("PGPASSWORD") or None,
                dbname=database or self.name,
                connect_timeout=10,
                application_name=_OURS,
                autocommit=True,
            ) as connection:
                connection.execute("SET statement_timeout = 0")
                connection.execute("SET idle_in_transaction_session_timeout = 0")
                yield connection
        except psycopg.Error as error:
            raise _failure(error) from None

    def run(self, *command: str, **pipes: Any) -> None:
        """Run one of PostgreSQL's programs against this server."""
        with tempfile.TemporaryFile() as errors:
            done = subprocess.run(command, env=dict(self.environment), stderr=errors, check=False, **pipes)
            if done.returncode:
                errors.seek(0)
                raise of_program(command[0], done.returncode, errors.read().decode("utf-8", "replace"))

    def as_role(self, role: str) -> Server:
        """Return the same server, used as another role."""
        return Server({**self.environment, "PGUSER": role})


def _failure(error: psycopg.Error) -> Failure:
    text = " ".join(without_values(str(error)).split())
    if isinstance(error, psycopg.OperationalError):
        return Failure(f"the database does not answer: {text}", START_IT)
    return Failure(f"the database returned an error: {text}", "fix the cause, then run the command again")


@contextmanager
def snapshot(server: Server) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Hold a snapshot; yield its id for pg_dump, the server's version, and what the snapshot contains."""
    with server.connected() as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        found = connection.execute(
            "SELECT pg_export_snapshot(), current_setting('server_version'), pg_database_size(current_database())"
        ).fetchone()
        assert found is not None  # noqa: S101 - a SELECT without FROM gives a row
        held = {
            "name": server.name,
            "bytes": int(found[2]),
            "tables": count_rows(connection),
            "migrations": migrations(connection),
        }
        yield str(found[0]), str(found[1]).split()[0], held


def dump(server: Server, snapshot_id: str, sink: IO[bytes]) -> None:
    """Write a dump of a snapshot in the custom format."""
    server.run(
        "pg_dump",
        "--format=custom",
        "--compress=0",  # restic compresses, and finds what has not changed
        "--no-owner",
        "--no-privileges",
        f"--snapshot={snapshot_id}",
        f"--exclude-table-data=public.{RECORDS}",
        "--lock-wait-timeout=60s",
        stdout=sink,
    )


def load(server: Server, name: str, source: IO[bytes]) -> None:
    """Load a dump into an empty database, all of it or nothing."""
    server.run(
        "pg_restore",
        "--no-owner",
        "--no-privileges",
        "--exit-on-error",
        "--single-transaction",
        f"--dbname={name}",
        stdin=source,
        stdout=subprocess.DEVNULL,
    )


def count_rows(connection: Connection) -> dict[str, int]:
    """Return the number of rows in every table that is backed up."""
    tables = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " AND relname <> %s ORDER BY relname",
        [RECORDS],
    ).fetchall()
    return {str(name): _count(connection, str(name)) for (name,) in tables}


def _count(connection: Connection, table: str) -> int:
    query = sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(table))
    found = connection.execute(query).fetchone()
    return int(found[0]) if found else 0


def migrations(connection: Connection) -> dict[str, list[str]]:
    """Return the applied migrations by app, in order."""
    if not exists(connection, "django_migrations"):
        return {}
    done: dict[str, list[str]] = {}
    for app, name in connection.execute("SELECT app, name FROM django_migrations ORDER BY id"):
        done.setdefault(str(app), []).append(str(name))
    return done


def exists(connection: Connection, table: str) -> bool:
    """Return whether a table exists."""
    found = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [f"public.{table}"]).fetchone()
    return bool(found and found[0])


def is_migrating(connection: Connection) -> bool:
    """Return whether a backend holds the lock of its migrations (migrate_locked.LOCK) in this database."""
    found = connection.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = %s"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        [MIGRATION_LOCK],
    ).fetchone()
    return bool(found and found[0])


def clients(connection: Connection, database: str) -> list[str]:
    """Describe the other clients of a database, except our own scheduler, whose queries are short."""
    rows = connection.execute(
        "SELECT coalesce(nullif(application_name, ''), 'a client'), usename, coalesce(host(client_addr), 'local'),"
        " count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend' AND application_name <> %s GROUP BY 1, 2, 3 ORDER BY 1, 3",
        [database, _OURS],
    ).fetchall()
    return [f"{app} as {user} from {address} ({count})" for app, user, address, count in rows]


def replicator(connection: Connection) -> str:
    """Return a role that may copy the server's files and stream its log; the socket asks for no password."""
    found = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolcanlogin AND (rolreplication OR rolsuper)"
        " ORDER BY rolsuper, rolname = 'todo_user' DESC, rolname"
    ).fetchone()
    if found is None:
        raise Failure("no role of the database has the attribute REPLICATION", "ALTER ROLE … REPLICATION")
    return str(found[0])


def user_rows(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the non-empty tables that only users can have filled, with their row counts."""
    return {table: rows for table, rows in counts.items() if rows and not table.startswith(FRAMEWORK)}


def databases(connection: Connection, prefix: str) -> list[str]:
    """Return the databases whose names start with a prefix."""
    rows = connection.execute("SELECT datname FROM pg_database ORDER BY datname").fetchall()
    return [str(name) for (name,) in rows if str(name).startswith(prefix)]


def create(connection: Connection, name: str) -> None:
    """Create an empty database with the encoding and locale of the one in use, so that it sorts in the same way."""
    # PostgreSQL 17 renamed daticulocale to datlocale
    found = connection.execute(
        "SELECT pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider::text,"
        " coalesce(to_jsonb(own)->>'datlocale', to_jsonb(own)->>'daticulocale'), to_jsonb(own)->>'daticurules'"
        " FROM pg_database own WHERE datname = current_database()"
    ).fetchone()
    assert found is not None  # noqa: S101 - a connection is to a database
    encoding, collate, ctype, provider, locale, rules = found
    options = {"ENCODING": encoding, "LC_COLLATE": collate, "LC_CTYPE": ctype}
    if provider == _ICU:
        options |= {"LOCALE_PROVIDER": "icu", "ICU_LOCALE": locale, "ICU_RULES": rules}
    elif provider == _BUILTIN:
        options |= {"LOCALE_PROVIDER": "builtin", "BUILTIN_LOCALE": locale}
    else:
        options |= {"LOCALE_PROVIDER": "libc"}
    query = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
    for option, value in options.items():
        if value is not None:
            query += sql.SQL(f" {option} {{}}").format(sql.Literal(str(value)))
    connection.execute(query)


def drop(connection: Connection, name: str) -> None:
    """Drop a database even if clients are connected to it."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def rename(connection: Connection, old: str, new: str) -> None:
    """Rename a database; a rollback of the surrounding transaction undoes it."""
    query = sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
    connection.execute(query)
