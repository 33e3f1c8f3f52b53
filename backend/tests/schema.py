"""Create databases with the schema of this checkout, for the tests of another release (.ci/old-code-on-new-schema).

    python -m tests.schema make gw0 gw1             create them, print a digest of their schema
    python -m tests.schema compare PRINTED gw0 gw1  fail unless the digest is the same

DATABASE_URL names the server; the databases have the names that pytest-django uses for its processes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.architecture.source import BACKEND

_COLUMNS = """
    SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2
"""
_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
_INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"
_MIGRATIONS = "SELECT app, name FROM django_migrations ORDER BY 1, 2"


def url(suffix: str) -> str:
    """Return the URL of one process's database."""
    given = urlsplit(os.environ["DATABASE_URL"])
    return given._replace(path=f"/test_{given.path.lstrip('/')}_{suffix}").geturl()


def make(first: str, *others: str) -> str:
    """Create one database, migrate it with this checkout's code, and copy it."""
    names = [urlsplit(url(suffix)).path.lstrip("/") for suffix in (first, *others)]
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(names[0])))
        environment = os.environ | {"DJANGO_ENV": "test", "DATABASE_URL": url(first)}
        command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(command, cwd=BACKEND, env=environment, check=True)
        for name in names[1:]:
            copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(copy.format(sql.Identifier(name), sql.Identifier(names[0])))
    return fingerprint(first)


def fingerprint(suffix: str) -> str:
    """Return a digest of all columns, constraints, indexes and applied migrations."""
    with psycopg.connect(url(suffix)) as connection:
        rows = [
            connection.execute(statement).fetchall()
            for statement in (_COLUMNS, _CONSTRAINTS, _INDEXES, _MIGRATIONS)
        ]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def compare(expected: str, *suffixes: str) -> str:
    """Fail unless all of them have the expected schema."""
    changed = [suffix for suffix in suffixes if fingerprint(suffix) != expected]
    return sys.exit(f"the schema of {', '.join(changed)} has been changed by the tests") if changed else "unchanged"


if __name__ == "__main__":
    print({"make": make, "compare": compare}[sys.argv[1]](*sys.argv[2:]))  # noqa: T201 - what it is asked for
