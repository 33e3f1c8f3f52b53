"""This will declare every variable that may be set from outside, one row each.

Everything else comes from these rows: the values that settings use, `check`, `show`, `diff`, `init`,
`docs`, `envs/*.env.example` and docs/configuration.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from todo_project.config.variable import DEPLOYED, ENVIRONMENTS, Default, Derived, Variable

# The database service of the Compose files, see docker-compose.yml.
DB_HOST, DB_USER, DB_NAME = "db", "todo_user", "todo_db"

# Known to everybody who has this source: refused wherever the service is deployed.
DEV_SECRET_KEY = "dev-only-throw-away-key-that-everybody-may-read-0123456789"  # noqa: S105 (not a secret)
TEST_SECRET_KEY = "test-only-throw-away-key-that-everybody-may-read-0123456789"  # noqa: S105 (not a secret)


def _site_host(values: Mapping[str, Any]) -> str | None:
    return urlsplit(values["SITE_URL"]).hostname if values.get("SITE_URL") else None


def _allowed_hosts(values: Mapping[str, Any], env: str) -> list[str]:
    local = [] if env in DEPLOYED else ["localhost", "127.0.0.1", "[::1]"]
    host = _site_host(values)
    if host and ":" in host:
        host = f"[{host}]"
    return [*([host] if host else []), *(name for name in local if name != host)]


def _origins(values: Mapping[str, Any], _env: str) -> list[str]:
    return [values["SITE_URL"]] if values.get("SITE_URL") else []


def _database(values: Mapping[str, Any], _env: str) -> str | None:
    password = values.get("POSTGRES_PASSWORD")
    if not password:
        return None
    return f"postgres://{DB_USER}:{quote(password, safe='')}@{DB_HOST}:5432/{DB_NAME}"


def _from_email(values: Mapping[str, Any], _env: str) -> str:
    return f"todo@{_site_host(values) or 'localhost'}"


def _conn_max_age(values: Mapping[str, Any], _env: str) -> int:
    # Django refuses persistent connections beside a pool.
    return 0 if ((values.get("DATABASE_URL") or {}).get("OPTIONS") or {}).get("pool") else 60


def _site_address(values: Mapping[str, Any], _env: str) -> str:
    return _site_host(values) or "localhost"


def _per_env(*, dev: Default, staging: Default, prod: Default, test: Default) -> dict[str, Default]:
    return {"dev": dev, "staging": staging, "prod": prod, "test": test}


_DATABASE_URL = Derived("POSTGRES_PASSWORD and the `db` service", _database)


VARIABLES: tuple[Variable, ...] = (
    # Which environment
    Variable(
        name="DJANGO_ENV",
        kind="choice",
        choices=ENVIRONMENTS,
        group="Environment",
        required_in=frozenset(ENVIRONMENTS),
        doc="Which of the four environments this is; it chooses the settings module and the defaults below.",
    ),
    Variable(
        name="DEBUG",
        kind="boolean",
        group="Environment",
        default=_per_env(dev="True", staging="False", prod="False", test="False"),
        doc="Django's debug pages, which show source and settings to anybody. Never in staging or prod.",
    ),
    Variable(
        name="SITE_URL",
        kind="site",
        group="Environment",
        default=_per_env(dev="http://127.0.0.1:8000", staging=None, prod=None, test="http://testserver"),
        required_in=DEPLOYED,
        example="https://change-me.example",
        doc="What people type to reach the service: scheme and host, a port if it is not the usual one, "
        "no path. The host and origin lists take their defaults from it.",
    ),
    # Secrets of the application
    Variable(
        name="SECRET_KEY",
        kind="secret_key",
        group="Secrets",
        secret=True,
        default=_per_env(dev=DEV_SECRET_KEY, staging=None, prod=None, test=TEST_SECRET_KEY),
        required_in=DEPLOYED,
        doc="Signs sessions and every other token; at least 50 random characters, another one in each environment.",
    ),
    Variable(
        name="SECRET_KEY_FALLBACKS",
        kind="secret_list",
        group="Secrets",
        secret=True,
        default=Derived("empty", lambda _values, _env: []),
        doc="Former keys, comma-separated, still accepted while a key is being replaced.",
    ),
    # Hosts and origins
    Variable(
        name="ALLOWED_HOSTS",
        kind="hosts",
        group="Hosts and origins",
        default=Derived("the host of SITE_URL (in dev and test also localhost)", _allowed_hosts),
        doc="Host names that the service answers to, comma-separated. `*` is refused in staging and prod.",
    ),
    Variable(
        name="CSRF_TRUSTED_ORIGINS",
        kind="origins",
        group="Hosts and origins",
        default=Derived("SITE_URL", _origins),
        doc="Origins (scheme and host) whose pages may send forms and session requests, comma-separated.",
    ),
    Variable(
        name="CORS_ALLOWED_ORIGINS",
        kind="origins",
        group="Hosts and origins",
        default=Derived("SITE_URL", _origins),
        doc="Origins of front ends whose scripts may call the API, comma-separated.",
    ),
    Variable(
        name="TRUSTED_PROXY_COUNT",
        kind="integer",
        minimum=0,
        maximum=10,
        group="Hosts and origins",
        default=_per_env(dev="0", staging="1", prod="1", test="0"),
        doc="How many proxies of ours stand in front: that many entries of X-Forwarded-For are believed.",
    ),
    Variable(
        name="SECURE_HSTS_SECONDS",
        kind="integer",
        minimum=0,
        maximum=63_072_000,
        group="Hosts and origins",
        default=_per_env(dev="0", staging="3600", prod="31536000", test="0"),
        doc="How long browsers remember that this host speaks HTTPS only; 0 sends no such header.",
    ),
    # Database
    Variable(
        name="POSTGRES_PASSWORD",
        kind="password",
        group="Database",
        secret=True,
        reader="compose",
        doc="Password of the `db` service. The one source for it: the database is created with it and "
        "DATABASE_URL is derived from it.",
    ),
    Variable(
        name="DATABASE_URL",
        kind="database",
        group="Database",
        secret=True,
        default=_per_env(
            dev="sqlite:///var/dev.sqlite3",
            staging=_DATABASE_URL,
            prod=_DATABASE_URL,
            test="sqlite:///var/test.sqlite3",
        ),
        required_in=DEPLOYED,
        doc="postgres://user:password@host:5432/name (percent-encode the password) or, in dev and test, "
        "sqlite:///path relative to backend/. In staging and prod derived from POSTGRES_PASSWORD when "
        "absent. `?pool=true` keeps a connection pool in each process.",
    ),
    Variable(
        name="DATABASE_CONN_MAX_AGE",
        kind="integer",
        minimum=0,
        maximum=86_400,
        group="Database",
        default=Derived("60; 0 with a pool", _conn_max_age),
        doc="Seconds for which a database connection is kept between requests; 0 closes it each time.",
    ),
    Variable(
        name="DATABASE_MAX_CONNECTIONS",
        kind="integer",
        minimum=1,
        maximum=100_000,
        group="Database",
        doc="How many connections the database accepts. Optional: when it is given, processes that could "
        "need more are refused.",
    ),
    Variable(
        name="BACKEND_REPLICAS",
        kind="integer",
        minimum=1,
        maximum=1000,
        group="Database",
        default="1",
        doc="How many containers of the backend run; counted against DATABASE_MAX_CONNECTIONS.",
    ),
    # Mail
    Variable(
        name="EMAIL_URL",
        kind="email",
        group="Mail",
        secret=True,
        default=_per_env(dev="consolemail://", staging="dummymail://", prod="dummymail://", test="memorymail://"),
        doc="smtp+tls://user:password@host:587 (STARTTLS), smtp+ssl://…:465, smtp://host:25, "
        "filemail:///dir, consolemail://, or dummymail://, which sends nothing.",
    ),
    Variable(
        name="DEFAULT_FROM_EMAIL",
        kind="mail_address",
        group="Mail",
        default=Derived("todo@ the host of SITE_URL", _from_email),
        doc="The sender of our mail.",
    ),
    # Watching
    Variable(
        name="SENTRY_DSN",
        kind="dsn",
        group="Logs and metrics",
        secret=True,
        doc="Where errors are reported; without it nothing is sent.",
    ),
    Variable(
        name="SENTRY_TRACES_SAMPLE_RATE",
        kind="fraction",
        group="Logs and metrics",
        default="0.0",
        doc="Share of requests whose timing is sent to Sentry, from 0 to 1.",
    ),
    Variable(
        name="LOG_LEVEL",
        kind="choice",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
        group="Logs and metrics",
        default="INFO",
        doc="The least severe level that is logged.",
    ),
    Variable(
        name="LOG_FORMAT",
        kind="choice",
        choices=("console", "json"),
        group="Logs and metrics",
        default=_per_env(dev="console", staging="json", prod="json", test="console"),
        doc="Lines for people or one JSON object a line.",
    ),
    Variable(
        name="METRICS_TOKEN",
        kind="password",
        group="Logs and metrics",
        secret=True,
        doc="Bearer token for /metrics; without it the page answers the internal network only.",
    ),
    # What people may do
    Variable(
        name="REGISTRATION_OPEN",
        kind="boolean",
        group="Accounts and limits",
        default="True",
        doc="Whether anybody may create an account.",
    ),
    Variable(
        name="LOGIN_TOKEN_DAYS",
        kind="integer",
        minimum=1,
        maximum=3650,
        group="Accounts and limits",
        default="30",
        doc="Days for which a token from /auth/login is valid.",
    ),
    Variable(
        name="LOGIN_FAILURES_PER_ACCOUNT",
        kind="integer",
        minimum=1,
        maximum=10_000,
        group="Accounts and limits",
        default="10",
        doc="Failed logins for one account within 15 minutes before it has to wait.",
    ),
    Variable(
        name="LOGIN_FAILURES_PER_ADDRESS",
        kind="integer",
        minimum=1,
        maximum=1_000_000,
        group="Accounts and limits",
        default="200",
        doc="Failed logins from one address within 15 minutes before it has to wait.",
    ),
    Variable(
        name="REGISTRATIONS_PER_ADDRESS",
        kind="integer",
        minimum=1,
        maximum=1_000_000,
        group="Accounts and limits",
        default="100",
        doc="New accounts from one address within an hour.",
    ),
    Variable(
        name="REQUESTS_PER_TOKEN",
        kind="integer",
        minimum=0,
        maximum=10_000_000,
        group="Accounts and limits",
        default="6000",
        doc="Requests of one token within a minute; 0 means no limit.",
    ),
    Variable(
        name="TASK_TITLE_MAX_LENGTH",
        kind="integer",
        minimum=1,
        maximum=500,
        group="Accounts and limits",
        default="500",
        doc="Characters of a task's title.",
    ),
    Variable(
        name="TASK_DESCRIPTION_MAX_LENGTH",
        kind="integer",
        minimum=1,
        maximum=1_000_000,
        group="Accounts and limits",
        default="50000",
        doc="Characters of a task's description.",
    ),
    Variable(
        name="REQUEST_BODY_MAX_BYTES",
        kind="integer",
        minimum=1024,
        maximum=1_073_741_824,
        group="Accounts and limits",
        default="1048576",
        doc="Bytes of a request's body, uploads apart.",
    ),
    Variable(
        name="ATTACHMENT_MAX_BYTES",
        kind="integer",
        minimum=1024,
        maximum=1_073_741_824,
        group="Accounts and limits",
        default="20971520",
        doc="Bytes of an uploaded file.",
    ),
    Variable(
        name="PAGE_SIZE_MAX",
        kind="integer",
        minimum=1,
        maximum=200,
        group="Accounts and limits",
        default="200",
        doc="Rows that one page of a list may have.",
    ),
    Variable(
        name="TRASH_RETENTION_DAYS",
        kind="integer",
        minimum=1,
        maximum=3650,
        group="Accounts and limits",
        default="30",
        doc="Days after which deleted rows are gone for good.",
    ),
    # Processes
    Variable(
        name="GUNICORN_WORKERS",
        kind="integer",
        minimum=1,
        maximum=256,
        group="Processes",
        reader="gunicorn",
        default="4",
        doc="Processes that answer requests.",
    ),
    Variable(
        name="GUNICORN_THREADS",
        kind="integer",
        minimum=1,
        maximum=256,
        group="Processes",
        reader="gunicorn",
        default="1",
        doc="Threads in each of them.",
    ),
    Variable(
        name="GUNICORN_TIMEOUT",
        kind="integer",
        minimum=1,
        maximum=3600,
        group="Processes",
        reader="gunicorn",
        default="30",
        doc="Seconds after which a silent process is replaced.",
    ),
    Variable(
        name="GUNICORN_GRACEFUL_TIMEOUT",
        kind="integer",
        minimum=1,
        maximum=3600,
        group="Processes",
        reader="gunicorn",
        default="25",
        doc="Seconds that requests in flight get to finish when the service stops; below the 30 seconds "
        "after which Compose kills it.",
    ),
    Variable(
        name="GUNICORN_MAX_REQUESTS",
        kind="integer",
        minimum=0,
        maximum=100_000_000,
        group="Processes",
        reader="gunicorn",
        default="20000",
        doc="Requests after which a process is renewed, give or take a tenth; 0 means never.",
    ),
    Variable(
        name="WORKER_CONCURRENCY",
        kind="integer",
        minimum=1,
        maximum=256,
        group="Processes",
        reader="worker",
        default="2",
        doc="Background jobs that run at the same time.",
    ),
    # Read before Django starts
    Variable(
        name="COMPOSE_PROJECT_NAME",
        kind="project_name",
        group="Compose",
        reader="compose",
        default=_per_env(dev="todo", staging="todo-staging", prod="todo-prod", test="todo-test"),
        doc="Prefix of containers, networks and volumes. Changing it means other volumes, hence an empty database.",
    ),
    Variable(
        name="IMAGE_TAG",
        kind="image_tag",
        group="Compose",
        reader="compose",
        default="local",
        doc="Which build of the images runs.",
    ),
    Variable(
        name="HTTP_PORT",
        kind="integer",
        minimum=1,
        maximum=65_535,
        group="Compose",
        reader="compose",
        default=_per_env(dev="80", staging="8080", prod="80", test="80"),
        doc="Port of this machine on which the proxy answers plain HTTP.",
    ),
    Variable(
        name="HTTPS_PORT",
        kind="integer",
        minimum=1,
        maximum=65_535,
        group="Compose",
        reader="compose",
        default=_per_env(dev="443", staging="8443", prod="443", test="443"),
        doc="Port of this machine on which the proxy answers HTTPS.",
    ),
    Variable(
        name="SITE_ADDRESS",
        kind="site_address",
        group="Compose",
        reader="compose",
        default=Derived("the host of SITE_URL", _site_address),
        doc="What the proxy serves: a host name gets its certificate by itself (`localhost` from the proxy's "
        "own authority), `:80` is plain HTTP behind somebody else's TLS.",
    ),
    Variable(
        name="PORT",
        kind="integer",
        minimum=1,
        maximum=65_535,
        group="Compose",
        reader="make",
        default="8000",
        doc="Port of `make run`.",
    ),
)

BY_NAME: dict[str, Variable] = {variable.name: variable for variable in VARIABLES}
