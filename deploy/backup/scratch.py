"""Run a private PostgreSQL server, to restore a dump on trial or to recover a moment from the archive.

It costs the database in use neither disk space nor work, and a killed one leaves only a folder on the volume.
"""

import shutil
import signal
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
    "hot_standby": "off",
    "max_connections": "10",
    "shared_buffers": "32MB",
    "max_parallel_maintenance_workers": "0",
    "autovacuum": "off",
    "dynamic_shared_memory_type": "mmap",
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
    server = Server(str(folder))
    words = ("-U", server.user, "-A", "trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
    server.run("initdb", "-D", str(folder / "data"), *words)
    with running(folder):
        server.run("createdb", server.name)
        yield server


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Yield a server on the folder `data`, once it accepts connections; only this container reaches it."""
    server, access, log = Server(str(folder)), folder / "pg_hba.conf", folder / "log"
    access.write_text("local all all trust\n")
    options = {**_OPTIONS, "unix_socket_directories": folder, "hba_file": access}
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with open(log, "wb") as sink:
        process = subprocess.Popen(("postgres", "-D", str(folder / "data"), *words), stdout=sink, stderr=sink)
    try:
        # in a recovery, the server accepts connections at its end
        while subprocess.run(("pg_isready", "--quiet", "--host", str(folder)), check=False).returncode:
            if process.poll() is not None:
                said = log.read_text(errors="replace").splitlines()
                fatal = [line for line in said if "FATAL" in line or "PANIC" in line]
                raise Failure(f"a private server ended: {' / '.join(fatal or said[-4:])}", "fix the cause above")
            time.sleep(0.2)
        yield server
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait()
