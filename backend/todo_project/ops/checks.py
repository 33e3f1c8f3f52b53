"""Deploy checks: mistakes that settings files can make although each value is valid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name
from django.http.request import validate_host

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST = [
    "todo_project.ops.http.middleware.RequestId",
    "todo_project.ops.http.middleware.ErrorsAsProblems",
    "todo_project.ops.http.middleware.ResponseHeaders",
    "todo_project.ops.http.probes.Probes",
]


@register(Tags.security, deploy=True)
def check_deployment(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Check the settings of staging and prod, whichever file they come from."""
    return [*_middleware(), *_site(), *_development_left_on(), *_static()]


def _middleware() -> Iterator[CheckMessage]:
    if settings.MIDDLEWARE[: len(_FIRST)] != _FIRST:
        yield Error(
            f"MIDDLEWARE does not begin with {', '.join(_FIRST)}.",
            hint="Anything before them makes health checks depend on the Host header or the scheme, "
            "and leaves responses without a request id and a Content-Security-Policy.",
            id="ops.E001",
        )


def _site() -> Iterator[CheckMessage]:
    site = urlsplit(settings.SITE_URL)
    if site.scheme != "https":
        yield Error("SITE_URL is not https.", hint="Write https:// and the name that people type.", id="ops.E003")
    if not validate_host(site.hostname or "", settings.ALLOWED_HOSTS):
        yield Error(
            "The host of SITE_URL is not in ALLOWED_HOSTS, so every request would be refused with 400.",
            hint="Add the host to ALLOWED_HOSTS.",
            id="ops.E004",
        )
    plain = [
        origin
        for origin in (*settings.CSRF_TRUSTED_ORIGINS, *settings.CORS_ALLOWED_ORIGINS)
        if not origin.startswith("https://")
    ]
    if plain:
        yield Error(
            f"Plain-http origins are trusted: {', '.join(plain)}.",
            hint="Write https:// in CSRF_TRUSTED_ORIGINS and CORS_ALLOWED_ORIGINS.",
            id="ops.E005",
        )


def _development_left_on() -> Iterator[CheckMessage]:
    tools = {"debug_toolbar", "django_watchfiles"} & set(settings.INSTALLED_APPS)
    if tools:
        yield Error(
            f"Development tools are installed: {', '.join(sorted(tools))}.",
            hint="Remove them from INSTALLED_APPS.",
            id="ops.E006",
        )
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield Error(
            "The database is SQLite, which replicas cannot share.",
            hint="Set DATABASE_URL to a PostgreSQL database.",
            id="ops.E007",
        )
    if settings.EMAIL_BACKEND.endswith((".console.EmailBackend", ".locmem.EmailBackend")):
        yield Warning(
            "Mail is written to the log and reaches nobody.",
            hint="Set EMAIL_URL to a mail server, or to dummymail://, which sends nothing.",
            id="ops.W001",
        )


def _static() -> Iterator[CheckMessage]:
    backend = settings.STORAGES["staticfiles"]["BACKEND"]
    if backend != "todo_project.ops.startup.staticfiles.BuildManifestStorage":
        yield Error(
            f"Static files are served by {backend}, without hashed names.",
            hint="Set it to todo_project.ops.startup.staticfiles.BuildManifestStorage, as settings/prod.py does.",
            id="ops.E008",
        )
