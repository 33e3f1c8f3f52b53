"""This will run a PostgreSQL server that nobody else sees, to try a dump on.

The image holds the server's own programs, so a verification costs the database in use nothing: neither a second
copy on its disk nor work, and what a killed verification leaves is a folder on the backups' own volume.
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

# For a server that lives a minute: nothing has to survive it, and it takes no more memory than it is given.
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
    """Give a server with an empty database `todo_db`, in an empty folder with room for so much."""
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
