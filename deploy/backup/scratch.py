"""Run a private PostgreSQL server, to restore a dump on trial or to recover a moment from the archive.

It costs the database in use neither disk space nor work, and a killed one leaves only a folder on the volume.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .database import Server
from .failures import Failure, full

# For a server that runs for a minute: no durability, little memory. Recovery needs a log that replicas can use.
_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "archive_mode": "off",
    "hot_standby": "off",
    "max_connections": "10",
    "shared_buffers": "32MB",
    "maintenance_work_mem": "64MB",
    "max_parallel_maintenance_workers": "0",
    "autovacuum": "off",
    "jit": "off",
    "ssl": "off",
    "dynamic_shared_memory_type": "mmap",
    "logging_collector": "off",
}
_RESERVE = 128 << 20


def need_room(folder: Path, needed: int) -> None:
    """Raise Failure if the folder's disk lacks room for the data."""
    free = shutil.disk_usage(folder).free
    if free < needed + _RESERVE:
        raise full(f"a trial restore needs {(needed + _RESERVE) >> 20} MiB, {free >> 20} MiB are free")


@contextmanager
def empty(folder: Path, *, database_bytes: int) -> Iterator[Server]:
    """Yield a server with an empty database `todo_db`."""
    need_room(folder, database_bytes)
    words = ("-U", "todo_user", "-A", "trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
    _server(folder).run("initdb", "-D", str(folder / "data"), *words, stdout=subprocess.DEVNULL)
    with running(folder) as server:
        server.run("createdb", "todo_db", stdout=subprocess.DEVNULL)
        yield server


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Yield a server on the folder `data`, once it accepts connections; only this container reaches it."""
    data, access = folder / "data", folder / "pg_hba.conf"
    access.write_text("local all all trust\n")
    options = {**_OPTIONS, "unix_socket_directories": folder, "hba_file": access}
    words = " ".join(f"-c {name}='{value}'" for name, value in options.items())
    server = _server(folder)
    start = ("pg_ctl", "start", "--wait", "--timeout=86400", "--silent", "-D", str(data), "-o", words)
    try:
        try:
            server.run(*start, "-l", str(folder / "log"), stdout=subprocess.DEVNULL)
            _wait(server, data)
        except Failure as failure:
            raise _explained(failure, folder / "log") from None
        yield server
    finally:
        subprocess.run(
            ("pg_ctl", "stop", "--wait", "--silent", "-D", str(data), "-m", "immediate"),
            env=dict(server.environment),
            capture_output=True,
            check=False,
        )


def _wait(server: Server, data: Path) -> None:
    """Wait until the server accepts connections. pg_ctl does not wait for the end of a recovery."""
    while True:
        try:
            with server.connected("postgres"):
                return
        except Failure:
            status = ("pg_ctl", "status", "-D", str(data))
            if subprocess.run(status, capture_output=True, check=False).returncode:
                raise
        time.sleep(0.2)


def _explained(failure: Failure, path: Path) -> Failure:
    said = path.read_text(errors="replace").splitlines() if path.exists() else []
    fatal = [line for line in said if "FATAL" in line or "PANIC" in line]
    return Failure("; ".join([failure.cause, *fatal[-1:]]), failure.hint)


def _server(folder: Path) -> Server:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return Server({**plain, "PGHOST": str(folder), "PGUSER": "todo_user", "PGDATABASE": "todo_db"})
