"""The environments: one row each, and a file of the same name in settings/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

# Everybody who has this source knows them, so they are refused wherever the service is deployed.
DEV_SECRET_KEY: Final = "dev-only-throw-away-key-that-everybody-may-read-0123456789"  # noqa: S105 - not a secret
TEST_SECRET_KEY: Final = "test-only-throw-away-key-that-everybody-may-read-0123456789"  # noqa: S105 - not a secret


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment; `defaults` has only what differs from the schema, whose defaults are production's."""

    name: str
    title: str
    deployed: bool = True
    defaults: Mapping[str, str] = field(default_factory=dict)


_LOCAL: Final = {"LOG_FORMAT": "console", "SECURE_HSTS_SECONDS": "0", "TRUSTED_PROXY_COUNT": "0"}
_DEV: Final = {
    **_LOCAL,
    "DEBUG": "True",
    "SITE_URL": "http://127.0.0.1:8000",
    "SECRET_KEY": DEV_SECRET_KEY,
    "DATABASE_URL": "sqlite:///var/dev.sqlite3",
    "EMAIL_URL": "consolemail://",
}
_TEST: Final = {
    **_LOCAL,
    "SITE_URL": "http://testserver",
    "SECRET_KEY": TEST_SECRET_KEY,
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
