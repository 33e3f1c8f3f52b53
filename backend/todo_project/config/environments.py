"""The environments, one row and one file of settings/ each, and the defaults that follow from other values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment; `defaults` has what differs from the schema, whose defaults are production's."""

    name: str
    title: str
    deployed: bool = True
    defaults: Mapping[str, str] = field(default_factory=dict)


_LOCAL: Final = {"LOG_FORMAT": "console", "SECURE_HSTS_SECONDS": "0", "TRUSTED_PROXY_COUNT": "0"}
_DEV: Final = {
    **_LOCAL,
    "DEBUG": "True",
    "SITE_URL": "http://127.0.0.1:8000",
    "SECRET_KEY": "dev-only-throw-away-key-that-everybody-may-read-0123456789",
    "DATABASE_URL": "sqlite:///var/dev.sqlite3",
    "EMAIL_URL": "consolemail://",
    "INVITATIONS_NEED_PROOF": "False",
}
_TEST: Final = {
    **_LOCAL,
    "SITE_URL": "http://testserver",
    "SECRET_KEY": "test-only-throw-away-key-that-everybody-may-read-0123456789",
    "DATABASE_URL": "sqlite:///var/test.sqlite3",
    "EMAIL_URL": "memorymail://",
}
_STAGING: Final = {
    "SECURE_HSTS_SECONDS": "3600",
    "HTTP_PORT": "8080",
    "HTTPS_PORT": "8443",
    "PROMETHEUS_PORT": "9091",
}
_ROWS: Final = (
    Environment("dev", "Development", deployed=False, defaults=_DEV),
    Environment("staging", "Staging", defaults=_STAGING),
    Environment("prod", "Production"),
    Environment("test", "Test", deployed=False, defaults=_TEST),
)
ENVIRONMENTS: Final = {row.name: row for row in _ROWS}
DEPLOYED: Final = tuple(row.name for row in _ROWS if row.deployed)

COMPOSE_FILES: Final = "docker-compose.yml:docker-compose.prod.yml"
# The database service of docker-compose.yml.
DB_HOST, DB_USER, DB_NAME = "db", "todo_user", "todo_db"
# The roles that log in take turns when the password is replaced. The second one acts as the first.
DB_LOGINS: Final = (DB_USER, f"{DB_USER}_b")

Values = Mapping[str, Any]


def host_of(url: str | None) -> str:
    """Return a URL's host, an IPv6 address in its brackets; an empty text if there is none."""
    host = urlsplit(url or "").hostname or ""
    return f"[{host}]" if ":" in host else host


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
    """Return an address at the host; a mail address marks an IP address as one."""
    host = site_address(values)
    is_ipv4 = host.replace(".", "").isdigit()
    return f"todo@[{host}]" if is_ipv4 else f"todo@{host.replace('[', '[IPv6:')}"


def behind_another_proxy(site_address: str | None) -> bool:
    """Return whether SITE_ADDRESS says that another proxy does TLS: it is a port, or plain http."""
    return (site_address or "").startswith((":", "http://"))


def database_url(values: Values) -> str | None:
    role, password = values["POSTGRES_ROLE"], values["POSTGRES_PASSWORD"]
    return f"postgres://{role}:{quote(password, safe='')}@{DB_HOST}:5432/{DB_NAME}" if password else None


def has_pool(database: Mapping[str, Any] | None) -> bool:
    """Return whether each process keeps a pool of connections, as `?pool=true` in the URL asks."""
    return bool((database or {}).get("OPTIONS", {}).get("pool"))


def project_name(values: Values) -> str:
    return "todo" if values["DJANGO_ENV"] == "dev" else f"todo-{values['DJANGO_ENV']}"
