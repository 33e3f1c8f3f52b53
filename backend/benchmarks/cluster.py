"""A PostgreSQL of our own: made for one run, tuned the same for every contender, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from benchmarks.processes import ToolMissing, free_port, running

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/opt/postgresql*/bin")
_DATABASE = "todo_bench"
_OWNER = "todo_bench"

# The disk must not hide what the programs cost: commits are not waited for, checkpoints and autovacuum stay away.
_TUNING = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "512MB",
    "work_mem": "16MB",
    "effective_cache_size": "2GB",
    "random_page_cost": "1.1",
    "synchronous_commit": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "8GB",
    "autovacuum": "off",
    "jit": "off",
}


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL: its process, and how to reach its database."""

    pid: int
    port: int
    password: str
    database: str = _DATABASE

    @property
    def url(self) -> str:
        """The database as DATABASE_URL names it."""
        return f"postgres://{_OWNER}:{quote(self.password, safe='')}@127.0.0.1:{self.port}/{self.database}"

    @property
    def environment(self) -> dict[str, str]:
        """The database as libpq's variables name it."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": _OWNER,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.database,
        }

    def connect(self) -> psycopg.Connection:
        """Open a connection that commits every statement."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=_OWNER,
            password=self.password,
            dbname=self.database,
            autocommit=True,
        )

    def create(self, database: str) -> Cluster:
        """Create another database and return the same server with it."""
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        return replace(self, database=database)

    def version(self) -> str:
        """Ask the running server for its version."""
        with self.connect() as connection:
            row = connection.execute("SHOW server_version").fetchone()
        return str(row[0]) if row else ""


def binaries() -> Path:
    """Find the newest PostgreSQL's server programs; raises ToolMissing."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    places = [path for pattern in _PLACES for path in Path("/").glob(pattern[1:]) if (path / "initdb").exists()]
    if not places:
        raise ToolMissing(
            "PostgreSQL's server programs (initdb, postgres) were not found. On Debian and Ubuntu: "
            "apt install postgresql. Elsewhere put their directory on PATH."
        )
    return max(places, key=lambda path: [int(part) for part in path.parent.name.split(".") if part.isdecimal()])


@contextlib.contextmanager
def cluster(directory: Path) -> Iterator[Cluster]:
    """Run a fresh PostgreSQL below the directory for as long as the block lasts."""
    programs = binaries()
    user = _unprivileged(directory)
    password = secrets.token_urlsafe(24)
    data = _initialise(programs, directory, user=user, password=password)
    port = free_port()
    options = [f"--{name.replace('_', '-')}={value}" for name, value in _TUNING.items()]
    command = [str(programs / "postgres"), "-D", str(data), f"--port={port}", *options]
    log = directory / "postgres.log"
    with running(command, log=log, directory=directory, user=user, stop_with=signal.SIGINT) as process:
        server = Cluster(pid=process.pid, port=port, password=password, database="postgres")
        _await(server, process, log)
        yield server.create(_DATABASE)


def _unprivileged(directory: Path) -> str | None:
    """PostgreSQL refuses to run as root: then it runs as its own system user."""
    if os.geteuid() != 0:
        return None
    try:
        shutil.chown(directory, "postgres", "postgres")
    except LookupError as error:
        raise ToolMissing(
            "PostgreSQL does not run as root and there is no user `postgres`: run this as another user."
        ) from error
    return "postgres"


def _initialise(programs: Path, directory: Path, *, user: str | None, password: str) -> Path:
    data, secret = directory / "data", directory / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    if user:
        shutil.chown(secret, user, user)
    command = [str(programs / "initdb"), "-D", str(data), "-U", _OWNER, f"--pwfile={secret}", "-A", "scram-sha-256"]
    command += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    done = subprocess.run(
        command, cwd=directory, user=user, group=user, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")
    return data


def _await(server: Cluster, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            server.connect().close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from error
            time.sleep(0.1)
        else:
            return
