"""Compare the database's URLs with each other and with the environment that they are for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from todo_project.config.checks import Checks, judge, weakness_of_password
from todo_project.config.environments import DB_HOST, DB_NAME, has_pool
from todo_project.config.findings import Examination
from todo_project.config.schema import NEW_SECRET
from todo_project.config.urls import DATABASE_SHAPE

# Ways to authenticate without a password in the URL.
_OTHER_WAYS: Final = {"passfile", "sslcert", "service", "require_auth"}
_SHAPE: Final = f"write {DATABASE_SHAPE}"
SPARE_CONNECTIONS: Final = 4  # the worker's LISTEN, a migration and its lock, someone with psql
POOL_SIZE: Final = 4  # connections that a pool keeps open in each process
DB_MAX_CONNECTIONS: Final = 100  # of the `db` service, whose server has PostgreSQL's default


def connections_needed(values: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many connections all processes may open, and how many during a release, with twice as many."""
    pool = POOL_SIZE if has_pool(values["DATABASE_URL"]) else 0
    requests = values["BACKEND_REPLICAS"] * values["GUNICORN_WORKERS"] * max(values["GUNICORN_THREADS"], pool)
    jobs = 2 * values["WORKER_CONCURRENCY"]  # a second connection shows the progress of a transaction
    needed = requests + jobs + SPARE_CONNECTIONS
    return needed, needed + requests


def connections(seen: Examination) -> None:
    names = ("BACKEND_REPLICAS", "GUNICORN_WORKERS", "GUNICORN_THREADS", "WORKER_CONCURRENCY")
    counts, database = [seen.values[name] for name in names], seen.values["DATABASE_URL"] or {}
    own = DB_MAX_CONNECTIONS if database.get("HOST") == DB_HOST else None
    limit = seen.values["DATABASE_MAX_CONNECTIONS"] or own
    if limit is None or None in counts or _is_pooled(database):
        return  # a pooler's own configuration says how many it opens
    needed, rolling = connections_needed(seen.values)
    if rolling > limit:
        problem = f"is {limit}, but up to {needed} connections are needed, and {rolling} during a release"
        instead = f"raise the database's max_connections and this number with it, or lower {', '.join(names)}"
        seen.complain("contradiction", "DATABASE_MAX_CONNECTIONS", problem, instead, warning=needed <= limit)


# fmt: off
def kind_and_password(seen: Examination) -> None:
    for name in ("DATABASE_URL", "DATABASE_DIRECT_URL", "DATABASE_REPLICA_URL"):
        database = seen.given(name) or {}
        password, host = database.get("PASSWORD", ""), database.get("HOST", "")
        sqlite = seen.texts.get(name, "").lower().startswith("sqlite")
        # Without a password: through a socket, where the peer is authenticated, or with a certificate and the like.
        without = not host or host.startswith("/") or _OTHER_WAYS & database["OPTIONS"].keys()
        reasons = weakness_of_password(password) if password else ""
        judge(seen,
            (sqlite, "insecure", name,
             f"is SQLite in {seen.env}, which several processes and containers cannot share", _SHAPE),
            (database and not sqlite and not password and not without, "insecure", name, "has no password", _SHAPE),
            (reasons, "insecure", name,
             f"has a password that is not safe: {reasons}", f"take one from {NEW_SECRET}"))


def service(seen: Examination) -> None:
    for name in ("DATABASE_URL", "DATABASE_DIRECT_URL"):
        database = seen.given(name) or {}
        role, password = seen.values["POSTGRES_ROLE"], seen.values["POSTGRES_PASSWORD"]
        if database.get("HOST") == DB_HOST:
            other = (database["USER"], database["NAME"], database["PASSWORD"])
            judge(seen, (other != (role, DB_NAME, password or database["PASSWORD"]), "contradiction", name,
                         "names the `db` service, but with another user, database or password than it has",
                         f"write {role}, {DB_NAME} and POSTGRES_PASSWORD, or remove {name}"))


def pooler(seen: Examination) -> None:
    """Refuse what does not work through a pooler that gives each transaction another connection."""
    name, database, direct = "DATABASE_DIRECT_URL", seen.values["DATABASE_URL"], seen.values["DATABASE_DIRECT_URL"]
    pooled, age = _is_pooled(database), seen.given("DATABASE_CONN_MAX_AGE")
    is_ours = "deploy/pooler/" in (seen.values["COMPOSE_FILE"] or "")
    judge(seen,
        (is_ours and "POOLER_PASSWORD" not in seen.texts, "missing", "POOLER_PASSWORD",
         "is missing: deploy/pooler looks logins up with it", f"take one from {NEW_SECRET}"),
        (has_pool(database) and age, "contradiction", "DATABASE_CONN_MAX_AGE",
         f"is {age}, but DATABASE_URL asks for a pool", "write 0 or remove the line"),
        (direct and not pooled, "contradiction", name,
         "is set, but DATABASE_URL does not say that it goes through a pooler",
         "add ?disable_server_side_cursors=true to DATABASE_URL, or remove this line"),
        (pooled and has_pool(database), "contradiction", "DATABASE_URL",
         "asks for a pool in each process, which would hold the pooler's connections", "leave out pool=true"),
        (pooled and name not in seen.texts, "missing", name,
         "is missing: through a pooler the worker cannot listen and migrations lose their settings", _SHAPE),
        (pooled and direct and (_is_pooled(direct) or _is_sqlite(direct)), "contradiction", name,
         "does not go past the pooler of DATABASE_URL", f"{_SHAPE}, the database's own address"))


def replica(seen: Examination) -> None:
    primary, other = seen.values["DATABASE_URL"], seen.values["DATABASE_REPLICA_URL"]
    if primary and other:
        sqlite = _is_sqlite(primary) or _is_sqlite(other)
        same = sqlite or all(primary[name] == other[name] for name in ("HOST", "PORT", "NAME"))
        judge(seen, (same, "contradiction", "DATABASE_REPLICA_URL",
            "is not another PostgreSQL server than DATABASE_URL", "name a streaming replica, or remove it"))


def sqlite_folder(seen: Examination) -> None:
    database = seen.given("DATABASE_URL")
    folder = Path(database["NAME"]).parent if _is_sqlite(database) and not seen.deployed else None
    judge(seen, (folder and not folder.is_dir(), "file", "DATABASE_URL",
                 "is in a folder that does not exist", f"mkdir -p {folder}"))
# fmt: on


def _is_sqlite(database: Mapping[str, Any] | None) -> bool:
    return bool(database and database["ENGINE"].endswith("sqlite3"))


def _is_pooled(database: Mapping[str, Any] | None) -> bool:
    return bool(database and database.get("DISABLE_SERVER_SIDE_CURSORS"))


EVERYWHERE: Checks = (sqlite_folder, service, pooler, replica, connections)
DEPLOYED_ONLY: Checks = (kind_and_password,)
