"""Defaults that follow from other values, and the fixed names of the Compose stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from todo_project.config.environments import Environment
from todo_project.config.origins import host_of
from todo_project.config.variable import Derived

COMPOSE_FILES: Final = "docker-compose.yml:docker-compose.prod.yml"
# The database service of docker-compose.yml.
DB_HOST, DB_USER, DB_NAME = "db", "todo_user", "todo_db"
# Where front ends are usually served during development.
_FRONT_ENDS: Final = ("http://localhost:3000", "http://localhost:5173")

Values = Mapping[str, Any]


def _hosts(values: Values, environment: Environment) -> list[str]:
    local = [] if environment.deployed else ["localhost", "127.0.0.1", "[::1]"]
    return [host for host in dict.fromkeys([host_of(values.get("SITE_URL")), *local]) if host]


def _origins(values: Values, environment: Environment) -> list[str]:
    local = [] if environment.deployed else _FRONT_ENDS
    return [origin for origin in (values.get("SITE_URL"), *local) if origin]


def _from_email(values: Values, _environment: Environment) -> str:
    # A mail address marks an IPv6 address as one.
    return f"todo@{(host_of(values.get('SITE_URL')) or 'localhost').replace('[', '[IPv6:')}"


def behind_another_proxy(site_address: str | None) -> bool:
    """Return whether SITE_ADDRESS says that another proxy does TLS: it is a port, or plain http."""
    return bool(site_address) and str(site_address).startswith((":", "http://"))


def _proxies(values: Values, _environment: Environment) -> str:
    return "2" if behind_another_proxy(values.get("SITE_ADDRESS")) else "1"


def _database_url(values: Values, _environment: Environment) -> str | None:
    password = values.get("POSTGRES_PASSWORD")
    return f"postgres://{DB_USER}:{quote(password, safe='')}@{DB_HOST}:5432/{DB_NAME}" if password else None


def _conn_max_age(values: Values, _environment: Environment) -> int:
    # Django refuses persistent connections beside a pool.
    return 0 if ((values.get("DATABASE_URL") or {}).get("OPTIONS") or {}).get("pool") else 60


def project_name(_values: Values, environment: Environment) -> str:
    return "todo" if environment.name == "dev" else f"todo-{environment.name}"


EMPTY = Derived("none", lambda _values, _environment: [])
HOSTS = Derived("from SITE_URL; in dev and test localhost too", _hosts)
ORIGINS = Derived("from SITE_URL; in dev and test localhost:3000 and :5173 too", _origins)
FROM_EMAIL = Derived("from SITE_URL: todo@ its host", _from_email)
PROXY_COUNT = Derived("1, or 2 if SITE_ADDRESS is a port such as :80", _proxies)
DATABASE_URL = Derived("from POSTGRES_PASSWORD and the `db` service", _database_url)
CONN_MAX_AGE = Derived("60, or 0 beside a pool", _conn_max_age)
SITE_ADDRESS = Derived("from SITE_URL", lambda values, _environment: host_of(values.get("SITE_URL")) or "localhost")
PROJECT_NAME = Derived("todo- and the environment's name", project_name)
ENV_FILE = Derived("envs/ and the environment's name", lambda _values, environment: f"envs/{environment.name}.env")
