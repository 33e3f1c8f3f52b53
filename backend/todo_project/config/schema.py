"""This will declare every variable that may be set from outside, one row each.

Everything else comes from these rows: the values that settings use, `check`, `show`, `diff`, `init`,
`docs`, `envs/*.env.example` and docs/configuration.md.
"""

from __future__ import annotations

from dataclasses import replace

from todo_project.config.backups import BACKUPS
from todo_project.config.databases import DATABASE
from todo_project.config.defaults import (
    DEV_SECRET_KEY,
    FROM_EMAIL,
    HOSTS,
    NO_KEYS,
    ORIGINS,
    SITE_ADDRESS,
    TEST_SECRET_KEY,
    per_env,
)
from todo_project.config.variable import DEPLOYED, ENVIRONMENTS, Variable, number


def _section(group: str, *rows: Variable) -> tuple[Variable, ...]:
    return tuple(replace(row, group=group) for row in rows)


VARIABLES: tuple[Variable, ...] = (
    *_section(
        "Environment",
        Variable(
            name="DJANGO_ENV",
            kind="choice",
            choices=ENVIRONMENTS,
            required_in=frozenset(ENVIRONMENTS),
            doc="Which of the four environments this is; it chooses the settings module and the defaults below.",
        ),
        Variable(
            name="DEBUG",
            kind="boolean",
            default=per_env(dev="True", staging="False", prod="False", test="False"),
            doc="Django's debug pages, which show source and settings to anybody. Never in staging or prod.",
        ),
        Variable(
            name="SITE_URL",
            kind="site",
            default=per_env(dev="http://127.0.0.1:8000", staging=None, prod=None, test="http://testserver"),
            required_in=DEPLOYED,
            example="https://change-me.example",
            missing="write SITE_URL=https:// and the name that people type",
            doc="What people type to reach the service: scheme and host, a port if it is not the usual one, "
            "no path. The host and origin lists take their defaults from it.",
        ),
    ),
    *_section(
        "Secrets",
        Variable(
            name="SECRET_KEY",
            kind="secret_key",
            secret=True,
            default=per_env(dev=DEV_SECRET_KEY, staging=None, prod=None, test=TEST_SECRET_KEY),
            required_in=DEPLOYED,
            example="change-me-to-at-least-50-random-characters",
            missing='take one from python -c "import secrets; print(secrets.token_urlsafe(50))"',
            doc="Signs sessions and every other token; at least 50 random characters, others in each environment.",
        ),
        Variable(
            name="SECRET_KEY_FALLBACKS",
            kind="secret_list",
            secret=True,
            default=NO_KEYS,
            doc="Former keys, comma-separated, still accepted while a key is being replaced.",
        ),
    ),
    *_section(
        "Hosts and origins",
        Variable(
            name="ALLOWED_HOSTS",
            kind="hosts",
            default=HOSTS,
            doc="Host names that the service answers to, comma-separated. `*` is refused in staging and prod.",
        ),
        Variable(
            name="CSRF_TRUSTED_ORIGINS",
            kind="origins",
            default=ORIGINS,
            doc="Origins (scheme and host) whose pages may send forms and session requests, comma-separated.",
        ),
        Variable(
            name="CORS_ALLOWED_ORIGINS",
            kind="origins",
            default=ORIGINS,
            doc="Origins of front ends whose scripts may call the API, comma-separated.",
        ),
        number(
            "TRUSTED_PROXY_COUNT",
            (0, 10),
            per_env(dev="0", staging="1", prod="1", test="0"),
            "How many proxies of ours stand in front: that many entries of X-Forwarded-For are believed.",
        ),
        number(
            "SECURE_HSTS_SECONDS",
            (0, 63_072_000),
            per_env(dev="0", staging="3600", prod="31536000", test="0"),
            "How long browsers remember that this host speaks HTTPS only; 0 sends no such header.",
        ),
    ),
    *_section("Database", *DATABASE),
    *_section(
        "Mail",
        Variable(
            name="EMAIL_URL",
            kind="email",
            secret=True,
            default=per_env(
                dev="consolemail://", staging="dummymail://", prod="dummymail://", test="memorymail://"
            ),
            doc="smtp+tls://user:password@host:587 (STARTTLS), smtp+ssl://…:465, smtp://host:25, "
            "filemail:///dir, consolemail://, or dummymail://, which sends nothing.",
        ),
        Variable(
            name="DEFAULT_FROM_EMAIL",
            kind="mail_address",
            default=FROM_EMAIL,
            doc="The sender of our mail.",
        ),
    ),
    *_section(
        "Logs and metrics",
        Variable(
            name="SENTRY_DSN",
            kind="dsn",
            secret=True,
            doc="Where errors are reported; without it nothing is sent.",
        ),
        Variable(
            name="SENTRY_TRACES_SAMPLE_RATE",
            kind="fraction",
            default="0.0",
            doc="Share of requests whose timing is sent to Sentry, from 0 to 1.",
        ),
        Variable(
            name="LOG_LEVEL",
            kind="choice",
            choices=("DEBUG", "INFO", "WARNING", "ERROR"),
            default="INFO",
            doc="The least severe level that is logged.",
        ),
        Variable(
            name="LOG_FORMAT",
            kind="choice",
            choices=("console", "json"),
            default=per_env(dev="console", staging="json", prod="json", test="console"),
            doc="Lines for people or one JSON object a line.",
        ),
        number(
            "SLOW_QUERY_MS",
            (0, 600_000),
            "500",
            "Milliseconds from which a statement of the database is logged, without its values; 0 logs none.",
        ),
        Variable(
            name="METRICS_TOKEN",
            kind="password",
            secret=True,
            doc="Bearer token for /metrics; without it the page answers the internal network only.",
        ),
    ),
    *_section(
        "Accounts and limits",
        Variable(
            name="REGISTRATION_OPEN",
            kind="boolean",
            default="True",
            doc="Whether anybody may create an account.",
        ),
        number("LOGIN_TOKEN_DAYS", (1, 3650), "30", "Days for which a token from /auth/login is valid."),
        number(
            "LOGIN_FAILURES_PER_ACCOUNT",
            (1, 10_000),
            "10",
            "Failed logins for one account from one address within 15 minutes before that address has to wait. "
            "After ten times as many from all addresses, unknown addresses share one attempt every ten seconds.",
        ),
        number(
            "LOGIN_FAILURES_PER_ADDRESS",
            (1, 1_000_000),
            "200",
            "Failed logins from one address within 15 minutes before it has to wait.",
        ),
        number("REGISTRATIONS_PER_ADDRESS", (1, 1_000_000), "100", "New accounts from one address within an hour."),
        number(
            "REQUESTS_PER_TOKEN",
            (0, 10_000_000),
            "6000",
            "Requests of one account within a minute, over all its tokens and sessions; 0 means no limit.",
        ),
        number("TOKENS_PER_ACCOUNT", (1, 10_000), "100", "API tokens, and logins, that one account may have."),
        number("TASK_TITLE_MAX_LENGTH", (1, 500), "500", "Characters of a task's title."),
        number("TASK_DESCRIPTION_MAX_LENGTH", (1, 1_000_000), "50000", "Characters of a task's description."),
        number(
            "REQUEST_BODY_MAX_BYTES", (1024, 1_073_741_824), "1048576", "Bytes of a request's body, uploads apart."
        ),
        number("ATTACHMENT_MAX_BYTES", (1024, 1_073_741_824), "20971520", "Bytes of an uploaded file."),
        number("PAGE_SIZE_MAX", (1, 200), "200", "Rows that one page of a list may have."),
        number("TRASH_RETENTION_DAYS", (1, 3650), "30", "Days after which deleted rows are gone for good."),
    ),
    *_section(
        "Processes",
        number("GUNICORN_WORKERS", (1, 256), "4", "Processes that answer requests.", reader="gunicorn"),
        number("GUNICORN_THREADS", (1, 256), "1", "Threads in each of them.", reader="gunicorn"),
        number(
            "GUNICORN_TIMEOUT",
            (1, 3600),
            "90",
            "Seconds after which a silent process is replaced: more than the longest request, an import, needs.",
            reader="gunicorn",
        ),
        number(
            "GUNICORN_GRACEFUL_TIMEOUT",
            (1, 3600),
            "25",
            "Seconds that requests in flight get to finish when the service stops; below the 30 seconds "
            "after which Compose kills it.",
            reader="gunicorn",
        ),
        number(
            "GUNICORN_DRAIN_SECONDS",
            (0, 60),
            "0",
            "Seconds for which requests are still taken after the service was asked to stop, until whoever sends "
            "them has noticed. For orchestrators that find containers by DNS; 4 for Swarm.",
            reader="gunicorn",
        ),
        number(
            "GUNICORN_MAX_REQUESTS",
            (0, 100_000_000),
            "20000",
            "Requests after which a process is renewed, give or take a tenth; 0 means never.",
            reader="gunicorn",
        ),
        number("WORKER_CONCURRENCY", (1, 256), "2", "Background jobs that run at the same time.", reader="worker"),
    ),
    *_section("Backups", *BACKUPS),
    *_section(
        "Compose",
        Variable(
            name="COMPOSE_PROJECT_NAME",
            kind="project_name",
            reader="compose",
            default=per_env(dev="todo", staging="todo-staging", prod="todo-prod", test="todo-test"),
            doc="Prefix of containers and volumes. Another one means other volumes and an empty database.",
        ),
        Variable(
            name="ENV_FILE",
            kind="word",
            reader="compose",
            default=per_env(dev="envs/dev.env", staging="envs/staging.env", prod="envs/prod.env", test=None),
            doc="The env file that containers get: this file itself.",
        ),
        Variable(
            name="IMAGE_TAG",
            kind="image_tag",
            reader="compose",
            default="local",
            doc="Which build of the images runs.",
        ),
        Variable(
            name="PROXY_TAG",
            kind="image_tag",
            reader="compose",
            doc="Which build of the proxy's image runs. A release writes it, and keeps the proxy while its "
            "image does not change.",
        ),
        Variable(
            name="BACKEND_SLOT",
            kind="choice",
            choices=("a", "b"),
            reader="compose",
            default="a",
            doc="By which of two names the proxy finds the backend's containers. A release writes it.",
        ),
        number(
            "HTTP_PORT",
            (1, 65_535),
            per_env(dev="80", staging="8080", prod="80", test="80"),
            "Port of this machine on which the proxy answers plain HTTP.",
            reader="compose",
        ),
        number(
            "HTTPS_PORT",
            (1, 65_535),
            per_env(dev="443", staging="8443", prod="443", test="443"),
            "Port of this machine on which the proxy answers HTTPS.",
            reader="compose",
        ),
        Variable(
            name="HTTP_BIND",
            kind="ip_address",
            reader="compose",
            doc="Address of this machine on which the proxy's ports are published, such as 127.0.0.1; empty means "
            "every address.",
        ),
        Variable(
            name="BACKEND_MEMORY",
            kind="memory",
            reader="compose",
            default="1g",
            doc="Memory limit of each backend container. More GUNICORN_WORKERS need more.",
        ),
        number(
            "BACKEND_PIDS",
            (20, 100_000),
            "100",
            "Limit of processes and threads in each backend container. More GUNICORN_WORKERS and GUNICORN_THREADS "
            "need more.",
            reader="compose",
        ),
        Variable(
            name="WORKER_MEMORY",
            kind="memory",
            reader="compose",
            default="512m",
            doc="Memory limit of each worker container. A higher WORKER_CONCURRENCY needs more.",
        ),
        number(
            "WORKER_PIDS",
            (20, 100_000),
            "50",
            "Limit of processes and threads in each worker container. A higher WORKER_CONCURRENCY needs more.",
            reader="compose",
        ),
        Variable(
            name="SITE_ADDRESS",
            kind="site_address",
            reader="compose",
            default=SITE_ADDRESS,
            doc="What the proxy serves: a host name gets its certificate by itself (`localhost` from the proxy's "
            "own authority), `:80` is plain HTTP behind somebody else's TLS.",
        ),
        number(
            "PROMETHEUS_PORT",
            (1, 65_535),
            per_env(dev="9090", staging="9091", prod="9090", test="9090"),
            "Port of 127.0.0.1 on which the optional Prometheus answers (deploy/monitoring).",
            reader="compose",
        ),
        number("PORT", (1, 65_535), "8000", "Port of `make run` and `docker compose up`.", reader="make"),
        number("MAILPIT_PORT", (1, 65_535), "8025", "Port of Mailpit's page in development.", reader="make"),
        number(
            "DEBUGPY_PORT",
            (1, 65_535),
            None,
            "Port on which the development server waits for a debugger; without one it does not.",
            reader="make",
        ),
    ),
)

BY_NAME: dict[str, Variable] = {variable.name: variable for variable in VARIABLES}
