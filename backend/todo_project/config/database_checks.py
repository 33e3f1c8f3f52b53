"""Compare the database's URLs with each other and with the environment that they are for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from todo_project.config import weakness
from todo_project.config.checks import Checks
from todo_project.config.defaults import DB_HOST, DB_NAME, DB_USER, has_pool
from todo_project.config.findings import Examination
from todo_project.config.schema import NEW_SECRET
from todo_project.config.urls import DATABASE_SHAPE

# Ways to authenticate without a password in the URL.
_OTHER_WAYS: Final = {"passfile", "sslcert", "service", "require_auth"}
_SHAPE: Final = f"write {DATABASE_SHAPE}"
SPARE_CONNECTIONS: Final = 4  # the worker's LISTEN, a migration and its lock, someone with psql
POOL_SIZE: Final = 4  # connections that a pool keeps open in each process


def connections_needed(values: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many connections all processes may open together, and how many during a release.

    A release runs twice as many replicas for a while. `check` and the doctor compare both with the limit.
    """
    pool = POOL_SIZE if has_pool(values["DATABASE_URL"]) else 0
    requests = values["BACKEND_REPLICAS"] * values["GUNICORN_WORKERS"] * max(values["GUNICORN_THREADS"], pool)
    needed = requests + values["WORKER_CONCURRENCY"] + SPARE_CONNECTIONS
    return needed, needed + requests


def connections(seen: Examination) -> None:
    parts = ("BACKEND_REPLICAS", "GUNICORN_WORKERS", "GUNICORN_THREADS", "WORKER_CONCURRENCY")
    limit, counts = seen.values["DATABASE_MAX_CONNECTIONS"], {name: seen.values[name] for name in parts}
    if limit is None or None in counts.values() or _is_pooled(seen.values["DATABASE_URL"]):
        return  # a pooler's own configuration says how many it opens
    needed, rolling = connections_needed(seen.values)
    if rolling > limit:
        given = ", ".join(f"{name}={count}" for name, count in counts.items())
        problem = f"is {limit}, but up to {needed} connections are needed, {rolling} during a release ({given})"
        instead = "lower one of them, or raise the database's max_connections and this number with it"
        seen.complain("contradiction", "DATABASE_MAX_CONNECTIONS", problem, instead, warning=needed <= limit)


def kind_and_password(seen: Examination) -> None:
    """Refuse SQLite, and a database whose password can be guessed."""
    for name in ("DATABASE_URL", "DATABASE_DIRECT_URL", "DATABASE_REPLICA_URL"):
        database = seen.given(name)
        if seen.texts.get(name, "").lower().startswith("sqlite"):
            problem = f"is SQLite in {seen.env}, which several processes and containers cannot share"
            seen.complain("insecure", name, problem, _SHAPE)
        elif database and not database["PASSWORD"]:
            socket = not database["HOST"] or database["HOST"].startswith("/")  # the peer is authenticated
            if not socket and not _OTHER_WAYS & database["OPTIONS"].keys():
                seen.complain("insecure", name, "has no password", _SHAPE)
        elif database and (reasons := weakness.of_password(database["PASSWORD"])):
            problem = f"has a password that is not safe: {'; '.join(reasons)}"
            seen.complain("insecure", name, problem, f"take one from {NEW_SECRET}")


def service(seen: Examination) -> None:
    """Refuse a URL that the `db` service of the Compose files would reject."""
    password = seen.values["POSTGRES_PASSWORD"]
    for name in ("DATABASE_URL", "DATABASE_DIRECT_URL"):
        database = seen.given(name)
        if not database or database.get("HOST") != DB_HOST:
            continue
        address = f"postgres://{DB_USER}:password@{DB_HOST}:5432/{DB_NAME}"
        instead = f"write {address} with that password, or remove {name}"
        if password and database["PASSWORD"] != password:
            problem = "names the `db` service with another password than POSTGRES_PASSWORD"
            seen.complain("contradiction", name, problem, instead)
        elif not password and "POSTGRES_PASSWORD" not in seen.found:
            problem = f"is missing, but {name} names the `db` service of the Compose files, which needs it"
            seen.complain("missing", "POSTGRES_PASSWORD", problem, "set POSTGRES_PASSWORD", warning=True)
        if (database["USER"], database["NAME"]) != (DB_USER, DB_NAME):
            problem = "names the `db` service with another user or database than it has"
            seen.complain("contradiction", name, problem, instead)


def pool(seen: Examination) -> None:
    if has_pool(seen.values["DATABASE_URL"]) and (age := seen.given("DATABASE_CONN_MAX_AGE")):
        problem = f"is {age}, but DATABASE_URL asks for a pool"
        seen.complain("contradiction", "DATABASE_CONN_MAX_AGE", problem, "write 0 or remove the line")


def pooler(seen: Examination) -> None:
    """Refuse what does not work through a pooler that gives each transaction another connection."""
    name, database, direct = "DATABASE_DIRECT_URL", seen.values["DATABASE_URL"], seen.values["DATABASE_DIRECT_URL"]
    if not _is_pooled(database):
        if direct:
            problem = "is set, but DATABASE_URL does not say that it goes through a pooler"
            instead = "add ?disable_server_side_cursors=true to DATABASE_URL, or remove this line"
            seen.complain("contradiction", name, problem, instead)
        return
    if has_pool(database):
        problem = "asks for a pool in each process in front of a pooler, and would hold its connections"
        seen.complain("contradiction", "DATABASE_URL", problem, "leave out pool=true")
    if name not in seen.texts:
        problem = "is missing: through a pooler the worker cannot listen and migrations lose their settings"
        seen.complain("missing", name, problem, f"{_SHAPE}, the database's own address")
    elif direct and (_is_pooled(direct) or _is_sqlite(direct)):
        problem = "does not go past the pooler of DATABASE_URL"
        seen.complain("contradiction", name, problem, f"{_SHAPE}, the database's own address")


def replica(seen: Examination) -> None:
    primary, other = seen.values["DATABASE_URL"], seen.values["DATABASE_REPLICA_URL"]
    if not primary or not other:
        return
    sqlite = _is_sqlite(primary) or _is_sqlite(other)
    if sqlite or all(primary[name] == other[name] for name in ("HOST", "PORT", "NAME")):
        problem = "is set, but only PostgreSQL has replicas" if sqlite else "is the database of DATABASE_URL itself"
        seen.complain("contradiction", "DATABASE_REPLICA_URL", problem, "name a streaming replica, or remove it")


def sqlite_folder(seen: Examination) -> None:
    database = seen.given("DATABASE_URL")
    if _is_sqlite(database) and not seen.deployed and not Path(database["NAME"]).parent.is_dir():
        folder = Path(database["NAME"]).parent
        seen.complain("file", "DATABASE_URL", "is in a folder that does not exist", f"mkdir -p {folder}")


def _is_sqlite(database: Mapping[str, Any] | None) -> bool:
    return bool(database and database["ENGINE"].endswith("sqlite3"))


def _is_pooled(database: Mapping[str, Any] | None) -> bool:
    return bool(database and database.get("DISABLE_SERVER_SIDE_CURSORS"))


EVERYWHERE: Checks = (sqlite_folder, service, pool, pooler, replica, connections)
DEPLOYED_ONLY: Checks = (kind_and_password,)
