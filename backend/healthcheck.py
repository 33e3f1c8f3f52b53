"""Asks the service in this container whether it is well; exit status 0 is yes. For HEALTHCHECK and Compose.

    python healthcheck.py [/health/live]     the server on port 8000, over HTTP
    python healthcheck.py worker             the background worker, by its heartbeat in the database

No curl, no Django: it runs every few seconds. It asks 127.0.0.1 and follows no redirect.
"""

from __future__ import annotations

import http.client
import os
import socket
import sys

# The worker asks for jobs every second and writes its heartbeat every two, on connections that carry this
# container's name (PGAPPNAME, set by the entry points); silence on all of them means that its loop stands still.
_HEARTBEAT = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = %s AND pid <> pg_backend_pid()
      AND state_change > now() - interval '35 seconds'
"""


def ask_server(path: str) -> str | None:
    """Return what is wrong with the server, or nothing."""
    server = http.client.HTTPConnection("127.0.0.1", 8000, timeout=4)
    server.request("GET", path)
    answer = server.getresponse()
    body = answer.read(2000).decode(errors="replace")
    return None if answer.status == 200 else f"{path} answered {answer.status}: {body}"


def ask_worker() -> str | None:
    """Return what is wrong with the worker of this container, or nothing."""
    from todo_project.ops.startup.connecting import connect  # noqa: PLC0415 - only one of the checks needs it

    name = os.environ.get("PGAPPNAME") or f"todo-{socket.gethostname()}"
    connection = connect(connect_timeout=4, application_name="healthcheck")
    if connection is None:
        return "the database is no PostgreSQL, so there is no worker"
    with connection:
        row = connection.execute(_HEARTBEAT, (name[:63],)).fetchone()
    return None if row and row[0] else f"no sign of life of {name} in the last 35 seconds"


def main(target: str = "/health/live") -> str | None:
    """Return the complaint for sys.exit, which prints it and means status 1, or nothing."""
    try:
        return ask_worker() if target == "worker" else ask_server(target)
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is no
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
