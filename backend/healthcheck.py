"""Check the service in this container; exit status 0 means healthy. For HEALTHCHECK and Compose.

    python healthcheck.py [/health/live]     the server on port 8000, over HTTP
    python healthcheck.py listening          whether anything listens there; needs no free worker
    python healthcheck.py worker             the background worker, by its heartbeat in the database

No curl and no Django, because it runs every few seconds. No http.client, whose import takes most of a check.
"""

from __future__ import annotations

import os
import socket
import sys

_OPTIONS = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
# The worker fetches jobs every second and writes its heartbeat every two, on connections that carry this
# container's name (PGAPPNAME, set by the entry points). When none of them is used, its loop has stopped.
_HEARTBEAT = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = %s AND pid <> pg_backend_pid()
      AND state_change > now() - interval '35 seconds'
"""


_SERVER = ("127.0.0.1", 8000)
_TIMEOUT_SECONDS = 4


def connect() -> None:
    """Connect to the server. The kernel accepts the connection, even while every worker waits for the database."""
    socket.create_connection(_SERVER, timeout=_TIMEOUT_SECONDS).close()


def ask_server(path: str) -> str | None:
    """Return what is wrong with the server, or None."""
    with socket.create_connection(_SERVER, timeout=_TIMEOUT_SECONDS) as server:
        server.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:8000\r\n\r\n".encode())
        response = b"".join(iter(lambda: server.recv(65536), b"")).decode(errors="replace")
    head, _, body = response.partition("\r\n\r\n")
    status = head.partition(" ")[2][:3]
    return None if status == "200" else f"{path} answered {status or 'nothing'}: {body[:2000]}"


def ask_worker() -> str | None:
    """Return what is wrong with the worker of this container, or None."""
    import psycopg  # noqa: PLC0415 - the server's check does not need it

    from todo_project.config import load  # noqa: PLC0415 - as above

    values = load()
    database = values.DATABASE_DIRECT_URL or values.DATABASE_URL
    if not database["ENGINE"].endswith("postgresql"):
        return "there is no worker, because the database is not PostgreSQL"
    name = os.environ.get("PGAPPNAME") or f"todo-{socket.gethostname()}"
    options = {option: database[key] for option, key in _OPTIONS.items() if database[key]} | database["OPTIONS"]
    options.pop("pool", None)  # Django's
    with psycopg.connect(**options | {"connect_timeout": 4, "application_name": "healthcheck"}) as connection:
        row = connection.execute(_HEARTBEAT, (name[:63],)).fetchone()
    return None if row and row[0] else f"{name} has not used its connections for 35 seconds"


def main(target: str = "/health/live") -> str | None:
    """Return None, or what is wrong, which sys.exit prints before it exits with status 1."""
    try:
        if target == "listening":
            return connect()
        return ask_worker() if target == "worker" else ask_server(target)
    except Exception as error:  # noqa: BLE001 - whatever it is, the service is not healthy
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
