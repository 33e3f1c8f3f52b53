"""This will give the defaults that are more than one word: known keys, and what follows from other values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from todo_project.config.variable import DEPLOYED, Default, Derived

# Where front ends are usually served while they are developed.
_FRONT_ENDS = ("http://localhost:3000", "http://localhost:5173")
# The database service of the Compose files, see docker-compose.yml.
DB_HOST, DB_USER, DB_NAME = "db", "todo_user", "todo_db"

# Known to everybody who has this source: refused wherever the service is deployed.
DEV_SECRET_KEY = "dev-only-throw-away-key-that-everybody-may-read-0123456789"  # noqa: S105 (not a secret)
TEST_SECRET_KEY = "test-only-throw-away-key-that-everybody-may-read-0123456789"  # noqa: S105 (not a secret)


def host_of(url: str) -> str:
    """This will return a URL's host as it is written in one, an IPv6 address in its brackets."""
    host = urlsplit(url).hostname or ""
    return f"[{host}]" if ":" in host else host


def _site_host(values: Mapping[str, Any]) -> str | None:
    return host_of(values["SITE_URL"]) if values.get("SITE_URL") else None


def _allowed_hosts(values: Mapping[str, Any], env: str) -> list[str]:
    local = [] if env in DEPLOYED else ["localhost", "127.0.0.1", "[::1]"]
    host = _site_host(values)
    return [*([host] if host else []), *(name for name in local if name != host)]


def _origins(values: Mapping[str, Any], env: str) -> list[str]:
    front_ends = [] if env in DEPLOYED else list(_FRONT_ENDS)
    return [*([values["SITE_URL"]] if values.get("SITE_URL") else []), *front_ends]


def _database(values: Mapping[str, Any], _env: str) -> str | None:
    password = values.get("POSTGRES_PASSWORD")
    if not password:
        return None
    return f"postgres://{DB_USER}:{quote(password, safe='')}@{DB_HOST}:5432/{DB_NAME}"


def _from_email(values: Mapping[str, Any], _env: str) -> str:
    # a mail address marks an IPv6 address as one
    return f"todo@{(_site_host(values) or 'localhost').replace('[', '[IPv6:')}"


def _conn_max_age(values: Mapping[str, Any], _env: str) -> int:
    # Django refuses persistent connections beside a pool.
    return 0 if ((values.get("DATABASE_URL") or {}).get("OPTIONS") or {}).get("pool") else 60


def _site_address(values: Mapping[str, Any], _env: str) -> str:
    return _site_host(values) or "localhost"


def per_env(*, dev: Default, staging: Default, prod: Default, test: Default) -> dict[str, Default]:
    return {"dev": dev, "staging": staging, "prod": prod, "test": test}


HOSTS = per_env(
    dev=Derived("from SITE_URL, and localhost", _allowed_hosts),
    staging=Derived("from SITE_URL", _allowed_hosts),
    prod=Derived("from SITE_URL", _allowed_hosts),
    test=Derived("from SITE_URL, and localhost", _allowed_hosts),
)
ORIGINS = per_env(
    dev=Derived("from SITE_URL, and localhost:3000 and :5173", _origins),
    staging=Derived("from SITE_URL", _origins),
    prod=Derived("from SITE_URL", _origins),
    test=Derived("from SITE_URL, and localhost:3000 and :5173", _origins),
)
DATABASE_URL = Derived("from POSTGRES_PASSWORD and the `db` service", _database)


CONN_MAX_AGE = Derived("60, or 0 beside a pool", _conn_max_age)
FROM_EMAIL = Derived("from SITE_URL, todo@ its host", _from_email)
SITE_ADDRESS = Derived("from SITE_URL", _site_address)
NO_KEYS = Derived("none", lambda _values, _env: [])
