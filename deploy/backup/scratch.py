"""Run a private PostgreSQL server, to restore a dump on trial.

So a verification costs the database in use neither disk space nor work, and a killed one leaves only a folder on
the backup volume.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .database import Server
from .failures import full

# For a server that runs for a minute: no durability, little memory.
_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "10",
    "shared_buffers": "32MB",
    "maintenance_work_mem": "64MB",
    "max_parallel_maintenance_workers": "0",
    "autovacuum": "off",
    "jit": "off",
    "dynamic_shared_memory_type": "mmap",
    "logging_collector": "off",
}
_RESERVE = 128 << 20


@contextmanager
def server(folder: Path, *, database_bytes: int) -> Iterator[Server]:
    """Yield a server with an empty database `todo_db`. Raise Failure if the folder lacks room for the data."""
    free = shutil.disk_usage(folder).free
    if free < database_bytes + _RESERVE:
        raise full(f"a trial restore needs {(database_bytes + _RESERVE) >> 20} MiB, {free >> 20} MiB are free")
    data = folder / "data"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
        "PGHOST": str(folder),
        "PGUSER": "todo_user",
        "PGDATABASE": "todo_db",
    }
    here = Server(environment)
    quiet = {"stdout": subprocess.DEVNULL}
    here.run("initdb", "-D", str(data), "-U", "todo_user", "-A", "trust", "--no-sync", *_LOCALE, **quiet)
    words = " ".join(
        f"-c {name}='{value}'" for name, value in {**_OPTIONS, "unix_socket_directories": folder}.items()
    )
    start = ("pg_ctl", "start", "--wait", "--silent", "-D", str(data), "-o", words, "-l", str(folder / "log"))
    here.run(*start, **quiet)
    try:
        here.run("createdb", "todo_db", **quiet)
        yield here
    finally:
        subprocess.run(
            ("pg_ctl", "stop", "--wait", "--silent", "-D", str(data), "-m", "immediate"),
            env=dict(environment),
            capture_output=True,
            check=False,
        )


_LOCALE = ("--encoding=UTF8", "--locale=C.UTF-8")
