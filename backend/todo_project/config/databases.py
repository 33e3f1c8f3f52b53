"""This will declare the variables of the database: where it is, by which ways, and how many connections it has."""

from __future__ import annotations

from todo_project.config.defaults import CONN_MAX_AGE, DATABASE_URL, per_env
from todo_project.config.variable import DEPLOYED, Variable, number

DATABASE: tuple[Variable, ...] = (
    Variable(
        name="POSTGRES_PASSWORD",
        kind="password",
        secret=True,
        reader="compose",
        example="change-me-to-a-long-password",
        doc="Password of the `db` service. The one source for it: the database is created with it and "
        "DATABASE_URL is derived from it.",
    ),
    Variable(
        name="DATABASE_URL",
        kind="database",
        secret=True,
        default=per_env(
            dev="sqlite:///var/dev.sqlite3",
            staging=DATABASE_URL,
            prod=DATABASE_URL,
            test="sqlite:///var/test.sqlite3",
        ),
        required_in=DEPLOYED,
        missing="set POSTGRES_PASSWORD, from which it is derived, or DATABASE_URL itself",
        doc="postgres://user:password@host:5432/name (percent-encode the password) or, in dev and test, "
        "sqlite:///path relative to backend/. In staging and prod derived from POSTGRES_PASSWORD when "
        "absent. `?pool=true` keeps a connection pool in each process; behind a pooler in transaction mode "
        "(PgBouncer) `?disable_server_side_cursors=true` is needed, and DATABASE_DIRECT_URL with it.",
    ),
    Variable(
        name="DATABASE_DIRECT_URL",
        kind="database",
        secret=True,
        doc="The same database past the pooler that DATABASE_URL names: migrations, the worker and every "
        "other command go there, because they listen and hold locks. Without a pooler leave it out.",
    ),
    Variable(
        name="DATABASE_REPLICA_URL",
        kind="database",
        secret=True,
        doc="A streaming replica of it. Lists are read there while it is at most 5 seconds behind, for people "
        "who have changed nothing in them lately; everything else, and all when it is away, is read from "
        "DATABASE_URL. Without a replica leave it out.",
    ),
    number(
        "DATABASE_CONN_MAX_AGE",
        (0, 86_400),
        CONN_MAX_AGE,
        "Seconds for which a database connection is kept between requests; 0 closes it each time.",
    ),
    number(
        "DATABASE_MAX_CONNECTIONS",
        (1, 100_000),
        None,
        "How many connections the database accepts. Optional: when it is given, processes that could "
        "need more are refused.",
    ),
    number(
        "BACKEND_REPLICAS",
        (1, 1000),
        "1",
        "How many containers of the backend run; counted against DATABASE_MAX_CONNECTIONS.",
    ),
)
