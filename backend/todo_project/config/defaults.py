"""Defaults that follow from other values, and the fixed names of the Compose stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from todo_project.config.environments import DEPLOYED
from todo_project.config.origins import host_of

COMPOSE_FILES: Final = "docker-compose.yml:docker-compose.prod.yml"
# The database service of docker-compose.yml.
DB_HOST, DB_USER, DB_NAME = "db", "todo_user", "todo_db"

Values = Mapping[str, Any]


def hosts(values: Values) -> list[str]:
    local = [] if values["DJANGO_ENV"] in DEPLOYED else ["localhost", "127.0.0.1", "[::1]"]
    return [host for host in dict.fromkeys([host_of(values["SITE_URL"]), *local]) if host]


def origins(values: Values) -> list[str]:
    # where front ends are usually served during development
    local = [] if values["DJANGO_ENV"] in DEPLOYED else ["http://localhost:3000", "http://localhost:5173"]
    return [origin for origin in (values["SITE_URL"], *local) if origin]


def site_address(values: Values) -> str:
    return host_of(values["SITE_URL"]) or "localhost"


def from_email(values: Values) -> str:
    return f"todo@{site_address(values).replace('[', '[IPv6:')}"  # a mail address marks an IPv6 address as one


def behind_another_proxy(site_address: str | None) -> bool:
    """Return whether SITE_ADDRESS says that another proxy does TLS: it is a port, or plain http."""
    return (site_address or "").startswith((":", "http://"))


def proxy_count(values: Values) -> str:
    return "2" if behind_another_proxy(values.get("SITE_ADDRESS")) else "1"


def database_url(values: Values) -> str | None:
    password = values["POSTGRES_PASSWORD"]
    return f"postgres://{DB_USER}:{quote(password, safe='')}@{DB_HOST}:5432/{DB_NAME}" if password else None


def has_pool(database: Mapping[str, Any] | None) -> bool:
    """Return whether each process keeps a pool of connections, as `?pool=true` in the URL asks."""
    return bool((database or {}).get("OPTIONS", {}).get("pool"))


def conn_max_age(values: Values) -> int:
    return 0 if has_pool(values["DATABASE_URL"]) else 60  # Django refuses persistent connections beside a pool


def project_name(values: Values) -> str:
    return "todo" if values["DJANGO_ENV"] == "dev" else f"todo-{values['DJANGO_ENV']}"


def env_file(values: Values) -> str:
    return f"envs/{values['DJANGO_ENV']}.env"
