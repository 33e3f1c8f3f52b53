"""Every variable that can be set from outside, one row each.

Everything else comes from these rows: the values that settings use, the commands, envs/*.env.example and
docs/configuration.md.
"""

from __future__ import annotations

from typing import Final

from todo_project.config import defaults
from todo_project.config.environments import ENVIRONMENTS
from todo_project.config.variable import Derived, Variable, number

NEW_SECRET: Final = 'python -c "import secrets; print(secrets.token_urlsafe(50))"'  # noqa: S105 - a command

_NO_ITEMS: Final = Derived("none", lambda _values: [])

# A table. Groups and rows are in the order of docs/configuration.md and of the example files.
# fmt: off
GROUPS: Final[dict[str, tuple[Variable, ...]]] = {
    "Environment": (
        Variable("DJANGO_ENV", "choice", None, choices=tuple(ENVIRONMENTS), required=True, compose=True,
            missing=f"write one of {', '.join(ENVIRONMENTS)}",
            doc="The environment. It chooses the settings file and the defaults below."),
        Variable("DEBUG", "boolean", "False", compose=True,
            doc="Django's debug pages, which show source and settings to anyone. Refused in staging and prod."),
        Variable("SITE_URL", "origin", None, required=True, compose=True, example="https://change-me.example",
            missing="write SITE_URL=https:// and the name that people type",
            doc="What people type to reach the service: scheme and host, a port if it is not the usual one, no "
            "path. Hosts, origins and SITE_ADDRESS default to it."),
    ),
    "Secrets": (
        Variable("SECRET_KEY", "secret_key", None, required=True, secret=True, own=True,
            example="change-me-to-at-least-50-random-characters", missing=f"take one from {NEW_SECRET}",
            doc="Signs sessions and other tokens: at least 50 random characters, different in each environment."),
        Variable("SECRET_KEY_FALLBACKS", "secret_keys", _NO_ITEMS, secret=True, own=True,
            doc="Former keys, comma-separated, that are still accepted while a key is being replaced."),
    ),
    "Hosts and origins": (
        Variable("ALLOWED_HOSTS", "hosts", Derived("from SITE_URL; in dev and test localhost too", defaults.hosts),
            doc="Host names that the service answers to, comma-separated. `*` is refused in staging and prod."),
        Variable("CSRF_TRUSTED_ORIGINS", "trusted_origins",
            Derived("from SITE_URL; in dev and test localhost:3000 and :5173 too", defaults.origins),
            doc="Origins whose pages may send forms and session requests, comma-separated. `https://*.example.org` "
            "stands for every subdomain."),
        Variable("CORS_ALLOWED_ORIGINS", "origins",
            Derived("from SITE_URL; in dev and test localhost:3000 and :5173 too", defaults.origins), compose=True,
            doc="Origins of front ends whose scripts may call the API, comma-separated, such as "
            "https://app.example.org or capacitor://localhost."),
        Variable("CORS_ALLOWED_ORIGIN_REGEXES", "origin_patterns", _NO_ITEMS, compose=True,
            doc="Regular expressions for origins that change, such as preview deployments, comma-separated: "
            "https://pr-[0-9]+\\.example\\.org. Each is compared with the whole origin, so leave out ^ and $."),
        number("TRUSTED_PROXY_COUNT", 0, 10,
            Derived("1, or 2 if SITE_ADDRESS is a port such as :80", defaults.proxy_count),
            doc="How many of our proxies are in front: that many entries of X-Forwarded-For are trusted."),
        number("SECURE_HSTS_SECONDS", 0, 63_072_000, "31536000", compose=True,
            doc="How long browsers remember that this host speaks HTTPS only; 0 sends no such header."),
        Variable("SECURE_HSTS_INCLUDE_SUBDOMAINS", "boolean", "False", compose=True,
            doc="Whether that holds for every subdomain as well. Turn it on only if they all speak HTTPS."),
        Variable("SECURE_HSTS_PRELOAD", "boolean", "False", compose=True,
            doc="Whether browsers may ship the host in their preload lists, which is hard to undo."),
    ),
    "Database": (
        Variable("POSTGRES_PASSWORD", "password", None, secret=True, own=True, reader="compose",
            example="change-me-to-a-long-password",
            doc="Password of the `db` service, set when the database is created. DATABASE_URL is derived from it."),
        Variable("DATABASE_URL", "database_url",
            Derived("from POSTGRES_PASSWORD and the `db` service", defaults.database_url), required=True,
            secret=True, own=True,
            missing="set POSTGRES_PASSWORD, from which it is derived, or DATABASE_URL itself",
            doc="postgres://user:password@host:5432/name, with special characters percent-encoded. "
            "postgres://user@%2Frun%2Fpostgresql/name connects through a socket; in dev and test sqlite:///path is "
            "relative to backend/. `?pool=true` keeps a connection pool in each process. Behind a pooler in "
            "transaction mode (PgBouncer), add `?disable_server_side_cursors=true` and set DATABASE_DIRECT_URL."),
        Variable("DATABASE_DIRECT_URL", "database_url", None, secret=True, own=True,
            doc="The same database without the pooler that DATABASE_URL goes through. Migrations, the worker and "
            "other commands use it, because they listen and hold locks. Leave it out if there is no pooler."),
        Variable("DATABASE_THROUGH_POOLER", "boolean", "False",
            doc="Whether this process connects to DATABASE_URL even if there is a DATABASE_DIRECT_URL. The servers "
            "(gunicorn.conf.py, wsgi.py, asgi.py) set it; do not set it yourself."),
        Variable("DATABASE_REPLICA_URL", "database_url", None, secret=True, own=True,
            doc="A streaming replica. Lists are read from it while it is at most 5 seconds behind, for users who "
            "have not written lately; everything else is read from DATABASE_URL. Leave it out if there is none."),
        number("DATABASE_CONN_MAX_AGE", 0, 86_400, Derived("60, or 0 beside a pool", defaults.conn_max_age),
            doc="How many seconds a database connection is kept between requests; 0 closes it after each request."),
        number("DATABASE_MAX_CONNECTIONS", 1, 100_000, None,
            doc="How many connections the database accepts. If set, processes that need more are refused."),
        number("BACKEND_REPLICAS", 1, 1_000, "1", reader="compose", doc="How many containers of the backend run."),
    ),
    "Mail": (
        Variable("EMAIL_URL", "mail_url", "dummymail://", secret=True,
            doc="smtp+tls://user:password@host:587 (STARTTLS), smtp+ssl://…:465, smtp://host:25, filemail:///dir, "
            "consolemail://, or dummymail://, which sends nothing."),
        Variable("DEFAULT_FROM_EMAIL", "mail_address",
            Derived("from SITE_URL: todo@ its host", defaults.from_email),
            doc="The sender of our mail."),
    ),
    "Logs and metrics": (
        Variable("SENTRY_DSN", "sentry_dsn", None, secret=True,
            doc="Where errors are reported. Nothing is sent if it is not set."),
        Variable("SENTRY_TRACES_SAMPLE_RATE", "fraction", "0.0",
            doc="Share of requests whose timing is sent to Sentry, from 0 to 1."),
        Variable("LOG_LEVEL", "choice", "INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"),
            doc="The least severe level that is logged."),
        Variable("LOG_FORMAT", "choice", "json", choices=("console", "json"),
            doc="Lines for people, or one JSON object per line."),
        number("SLOW_QUERY_MS", 0, 600_000, "500",
            doc="SQL statements of at least this many milliseconds are logged, without values; 0 logs none."),
        Variable("METRICS_TOKEN", "password", None, secret=True, own=True,
            doc="Bearer token for /metrics. If it is not set, only the internal network gets an answer."),
    ),
    "Accounts and limits": (
        Variable("REGISTRATION_OPEN", "boolean", "True", doc="Whether anyone may create an account."),
        number("LOGIN_TOKEN_DAYS", 1, 3_650, "30", doc="How many days a token from /auth/login is valid."),
        number("LOGIN_FAILURES_PER_ACCOUNT", 1, 10_000, "10",
            doc="Failed logins for one account from one address within 15 minutes before that address has to wait. "
            "After ten times as many from all addresses, unknown addresses share one attempt every ten seconds."),
        number("LOGIN_FAILURES_PER_ADDRESS", 1, 1_000_000, "200",
            doc="Failed logins from one address within 15 minutes before it has to wait."),
        number("REGISTRATIONS_PER_ADDRESS", 1, 1_000_000, "100",
            doc="New accounts from one address within an hour."),
        number("REQUESTS_PER_TOKEN", 0, 10_000_000, "6000",
            doc="Requests of one account within a minute, over all its tokens and sessions; 0 is no limit."),
        number("TOKENS_PER_ACCOUNT", 1, 10_000, "100", doc="API tokens, and logins, that one account may have."),
        number("TASK_TITLE_MAX_LENGTH", 1, 500, "500", doc="Characters of a task's title."),
        number("TASK_DESCRIPTION_MAX_LENGTH", 1, 1_000_000, "50000", doc="Characters of a task's description."),
        number("REQUEST_BODY_MAX_BYTES", 1_024, 1_073_741_824, "1048576", compose=True,
            doc="Bytes of a request body, except uploads."),
        number("ATTACHMENT_MAX_BYTES", 1_024, 1_073_741_824, "20971520", compose=True,
            doc="Bytes of an uploaded file."),
        number("PAGE_SIZE_MAX", 1, 200, "200", doc="Rows on one page of a list."),
        number("TRASH_RETENTION_DAYS", 1, 3_650, "30", doc="Days after which deleted rows are gone for good."),
    ),
    "Processes": (
        number("GUNICORN_WORKERS", 1, 256, "4", reader="gunicorn", compose=True,
            doc="Processes that answer requests."),
        number("GUNICORN_THREADS", 1, 256, "1", reader="gunicorn", doc="Threads in each of them."),
        number("GUNICORN_TIMEOUT", 1, 3_600, "90", reader="gunicorn",
            doc="Seconds after which a silent process is replaced; more than the longest request takes."),
        number("GUNICORN_GRACEFUL_TIMEOUT", 1, 3_600, "25", reader="gunicorn",
            doc="Seconds that requests in flight get to finish when the service stops; less than the 30 seconds "
            "after which Compose kills it."),
        number("GUNICORN_DRAIN_SECONDS", 0, 60, "0", reader="gunicorn",
            doc="Seconds for which requests are still accepted after the service is asked to stop, until load "
            "balancers have noticed. For orchestrators that find containers by DNS; 4 for Swarm."),
        number("GUNICORN_MAX_REQUESTS", 0, 100_000_000, "20000", reader="gunicorn",
            doc="Requests after which a process is replaced, give or take a tenth; 0 means never."),
        number("WORKER_CONCURRENCY", 1, 256, "2", reader="worker",
            doc="Background jobs that run at the same time."),
    ),
    "Backups": (
        Variable("BACKUP_AT", "clock", "03:15", reader="backup", doc="When the daily backup is made, in UTC."),
        number("BACKUP_KEEP_DAILY", 1, 1_000, "7", reader="backup", doc="How many daily backups to keep."),
        number("BACKUP_KEEP_WEEKLY", 0, 1_000, "4", reader="backup", doc="How many weekly backups to keep."),
        number("BACKUP_KEEP_MONTHLY", 0, 1_000, "6", reader="backup", doc="How many monthly backups to keep."),
        Variable("BACKUP_AGE_RECIPIENT", "age_recipient", None, reader="backup",
            doc="Encrypt backups with age for this public key, `age1…`. Keep its secret key somewhere else."),
        Variable("BACKUP_GPG_RECIPIENT", "base64", None, reader="backup",
            doc="Or encrypt them with gpg for this public key, in one line, as `gpg --export KEY | base64 -w0` "
            "prints it."),
        Variable("BACKUP_IDENTITY", "password", None, secret=True, own=True, reader="backup",
            doc="The secret key that decrypts backups. Only needed if the service is to verify old backups by "
            "itself; whoever reads it can read every backup."),
        Variable("BACKUP_S3_URL", "bucket", None, own=True, reader="backup",
            doc="s3://bucket/prefix, where a copy of each backup goes. Each environment needs its own, because old "
            "backups are deleted there whoever made them."),
        Variable("BACKUP_S3_ENDPOINT", "endpoint", None, reader="backup",
            doc="The S3 server, if it is not Amazon's."),
        Variable("BACKUP_S3_REGION", "word", None, reader="backup", doc="The bucket's region."),
        Variable("BACKUP_S3_ACCESS_KEY_ID", "word", None, reader="backup",
            doc="The id of the key that may write there."),
        Variable("BACKUP_S3_SECRET_ACCESS_KEY", "password", None, secret=True, own=True, reader="backup",
            doc="The secret of that key."),
    ),
    "Compose": (
        Variable("COMPOSE_FILE", "compose_files", None, reader="compose", example=defaults.COMPOSE_FILES,
            doc="The Compose files, so that `docker compose --env-file` needs no -f. Without it Compose would "
            "start the development stack. Further files may follow."),
        Variable("ENV_FILE", "path", Derived("envs/ and the environment's name", defaults.env_file),
            reader="compose", doc="This file itself, from which Compose gives the application its variables."),
        Variable("COMPOSE_PROJECT_NAME", "project_name",
            Derived("todo- and the environment's name", defaults.project_name), own=True, reader="compose",
            doc="Prefix of containers and volumes. Another name means other volumes and an empty database."),
        Variable("IMAGE_TAG", "image_tag", "local", reader="compose", doc="Tag of the images to run."),
        Variable("PROXY_TAG", "image_tag", None, reader="compose",
            doc="Tag of the proxy's image, if it differs. A release writes it, to keep an unchanged proxy."),
        Variable("BACKEND_SLOT", "choice", "a", choices=("a", "b"), reader="compose",
            doc="Which of two names the proxy finds the backend under. A release writes it."),
        Variable("SITE_ADDRESS", "site_address", Derived("from SITE_URL", defaults.site_address), reader="compose",
            doc="What the proxy serves: a host name gets its certificate automatically (`localhost` from the "
            "proxy's own authority); `:80` is plain HTTP behind another proxy that does TLS."),
        Variable("HTTP_BIND", "address", None, reader="compose",
            doc="Address of this machine on which the proxy listens, such as 127.0.0.1 behind another proxy. All "
            "addresses if it is not set."),
        number("HTTP_PORT", 1, 65_535, "80", reader="compose", doc="Port on which the proxy answers plain HTTP."),
        number("HTTPS_PORT", 1, 65_535, "443", reader="compose", doc="Port on which the proxy answers HTTPS."),
        Variable("BACKEND_MEMORY", "memory", "1g", reader="compose",
            doc="Memory limit of each backend container. GUNICORN_WORKERS and GUNICORN_THREADS must fit in."),
        number("BACKEND_PIDS", 20, 100_000, "100", reader="compose",
            doc="How many processes and threads a backend container may have. GUNICORN_WORKERS and "
            "GUNICORN_THREADS must fit in."),
        Variable("WORKER_MEMORY", "memory", "512m", reader="compose",
            doc="Memory limit of the worker. WORKER_CONCURRENCY must fit in."),
        number("WORKER_PIDS", 20, 100_000, "50", reader="compose",
            doc="How many processes and threads the worker may have. WORKER_CONCURRENCY must fit in."),
        number("PROMETHEUS_PORT", 1, 65_535, "9090", reader="compose",
            doc="Port of 127.0.0.1 on which the optional Prometheus answers (deploy/monitoring)."),
        number("PORT", 1, 65_535, "8000", reader="make", doc="Port of `make run` and of the development stack."),
        number("MAILPIT_PORT", 1, 65_535, "8025", reader="make", doc="Port of Mailpit's page in development."),
        number("DEBUGPY_PORT", 1, 65_535, None, reader="make",
            doc="Port on which the development server waits for a debugger; without one it does not."),
    ),
}
# fmt: on
VARIABLES: Final = tuple(row for rows in GROUPS.values() for row in rows)
BY_NAME: Final = {row.name: row for row in VARIABLES}
