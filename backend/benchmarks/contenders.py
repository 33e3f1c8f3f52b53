"""The contenders. A contender is a command that serves the endpoints of endpoints.py on a loopback port.

To add one, add a row to CONTENDERS. Its responses are compared with the others' before anything is measured.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cluster import Cluster
from benchmarks.load import SITE

BACKEND = Path(__file__).resolve().parent.parent
OURS, CEILING, USUAL, FASTAPI = "ours", "ceiling", "usual", "fastapi"

DATA = "benchmarks/data.sql"  # in each backend
_GUNICORN = ("-m", "gunicorn", "--bind", "127.0.0.1:{port}")
_PLAIN = (sys.executable, *_GUNICORN, "--config", "benchmarks/gunicorn_plain.py")
# beside the packages of development, so that nobody installs these who does not measure
_UVICORN = (str(BACKEND / ".venv-bench/bin/python"), "-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}")


def inherited() -> dict[str, str]:
    """Return the part of this process's environment that contenders get: nothing that configures them."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


def production(database_url: str) -> dict[str, str]:
    """Return production's configuration; everything else has its default there."""
    return {
        "DJANGO_ENV": "prod",
        "SITE_URL": f"https://{SITE}",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DATABASE_URL": database_url,
        "GUNICORN_WORKERS": "4",
    }


def _production(cluster: Cluster) -> dict[str, str]:
    return production(cluster.url)


def _libpq(cluster: Cluster) -> dict[str, str]:
    return cluster.environment


@dataclass(frozen=True)
class Contender:
    """One way to build the service."""

    name: str
    title: str
    command: tuple[str, ...]  # `{port}` is where it listens
    environment: Callable[[Cluster], dict[str, str]] = _libpq
    directory: Path = BACKEND  # where the command runs
    is_older: bool = False  # this backend at another commit, on a database that its own code has migrated
    functions: Path | None = None  # SQL that it needs in the database
    packages: tuple[str, ...] = field(default=("gunicorn", "psycopg"))  # whose versions the report states

    def command_on(self, port: int) -> list[str]:
        return [part.replace("{port}", str(port)) for part in self.command]


def ours(name: str, title: str, python: str, directory: Path) -> Contender:
    """Return this backend, as the given directory has it, in production's configuration."""
    return Contender(
        name,
        title,
        (python, *_GUNICORN),
        _production,
        directory=directory,
        is_older=directory != BACKEND,
        packages=("gunicorn", "django", "djangorestframework", "msgspec", "psycopg"),
    )


CONTENDERS = (
    ours(
        OURS,
        "this backend: production settings, all middleware on, 4 gunicorn workers by gunicorn.conf.py",
        sys.executable,
        BACKEND,
    ),
    Contender(
        CEILING,
        "the ceiling: a bare WSGI callable, one prepared statement for each request, JSON made by PostgreSQL",
        (*_PLAIN, "benchmarks.ceiling.wsgi:application"),
        functions=BACKEND / "benchmarks/ceiling/functions.sql",
    ),
    Contender(
        USUAL,
        "the usual way: Django REST framework with ModelSerializer, ModelViewSet and prefetch_related",
        (*_PLAIN, "benchmarks.usual.wsgi:application"),
        packages=("gunicorn", "django", "djangorestframework", "psycopg"),
    ),
    Contender(
        FASTAPI,
        "FastAPI with SQLAlchemy's asyncio, Pydantic and asyncpg, 4 uvicorn workers with uvloop and httptools",
        (
            *_UVICORN,
            *("--workers", "4", "--loop", "uvloop", "--http", "httptools", "--no-access-log"),
            "benchmarks.fastapi_sqlalchemy.app:app",
        ),
        packages=("uvicorn", "uvloop", "httptools", "fastapi", "pydantic", "sqlalchemy", "asyncpg"),
    ),
)
