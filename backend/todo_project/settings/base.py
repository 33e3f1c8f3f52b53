"""Settings that every environment shares. Values from outside come from `config`, and from nowhere else.

https://docs.djangoproject.com/en/5.2/ref/settings/
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from todo_project.config import paths

if TYPE_CHECKING:
    from todo_project.settings import config

BASE_DIR = paths.BASE_DIR

# --- Identity ---
# Set by the build of the image; a checkout has neither.
VERSION = os.environ.get("APP_VERSION", "0.1.0.dev0")
REVISION = os.environ.get("APP_REVISION", "checkout")
RELEASE = f"{VERSION}+{REVISION[:12]}"

DEBUG = config.DEBUG
SECRET_KEY = config.SECRET_KEY
SECRET_KEY_FALLBACKS = config.SECRET_KEY_FALLBACKS
SITE_URL = config.SITE_URL
APP_URL = config.APP_URL.rstrip("/")
ALLOWED_HOSTS = config.ALLOWED_HOSTS

# --- Applications ---
INSTALLED_APPS = [
    "todo_project.ops",  # before staticfiles, because it overrides collectstatic
    "todo_project.api",
    "todo_project.jobs",
    "todo_project.accounts",
    "todo_project.todos",
    "todo_project.comments",
    "todo_project.imports",
    "todo_project.search",
    "todo_project.notifications",
    "todo_project.accounts.apps.AdminConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "todo_project.ops.http.middleware.RequestId",  # first, so that every response and log line has the id
    "todo_project.ops.http.middleware.ErrorsAsProblems",  # around everything that may return errors as HTML
    "todo_project.ops.http.middleware.ResponseHeaders",  # also on errors of Django's middleware
    "todo_project.ops.http.probes.Probes",  # before the checks of the Host header and the scheme
    "todo_project.ops.http.middleware.Metrics",  # after the probes, which are not counted
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # directly after SecurityMiddleware, as its documentation asks
    "corsheaders.middleware.CorsMiddleware",  # before middleware that may respond
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",  # reads the session
    "django.contrib.messages.middleware.MessageMiddleware",  # reads the session
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "todo_project.urls"
WSGI_APPLICATION = "todo_project.wsgi.application"
APPEND_SLASH = False  # in DEBUG it turns a POST to an unslashed path into a 500

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


# --- Database ---
def _on_postgresql(url: dict[str, Any], **options: Any) -> dict[str, Any]:
    # A statement is prepared when a connection runs it a second time. A pooler that cannot hold cursors of the
    # server cannot hold its prepared statements either. It also refuses options of the server at the start of a
    # connection (pgbouncer.ini has its own limit).
    prepare: int | None = 2
    if url.get("DISABLE_SERVER_SIDE_CURSORS"):
        prepare = None
    else:
        # A transaction that wrote and was forgotten holds back GET /changes for everybody. Each gap between two
        # statements counts, so this is longer than any that a request or a job has.
        options["options"] = "-c idle_in_transaction_session_timeout=2min"
    return url | {
        "ENGINE": "todo_project.db.postgresql",
        "CONN_MAX_AGE": config.DATABASE_CONN_MAX_AGE,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options | {"prepare_threshold": prepare, "server_side_binding": True} | url.get("OPTIONS", {}),
    }


# Only web servers connect through the pooler. Commands and the worker use LISTEN and session locks, which need a
# direct connection.
_direct: dict[str, Any] | None = None if config.DATABASE_THROUGH_POOLER else config.DATABASE_DIRECT_URL
_database: dict[str, Any] = dict(_direct or config.DATABASE_URL)
if _database["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: a writing transaction waits for the lock at BEGIN instead of failing halfway
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    INSTALLED_APPS += ["procrastinate.contrib.django"]
    _database = _on_postgresql(_database, connect_timeout=10)
DATABASES = {"default": _database}
if config.DATABASE_REPLICA_URL:
    # a replica that does not respond must not delay a request for long, because the primary can answer instead
    DATABASES["replica"] = _on_postgresql(config.DATABASE_REPLICA_URL, connect_timeout=2, tcp_user_timeout=5000)
    DATABASES["replica"]["TEST"] = {"MIRROR": "default"}
# No row becomes visible longer than this after its `updated_at`, so a replica in use has replayed everything older:
# gunicorn replaces a process whose request lasts longer than its timeout, and imports limit themselves.
IMPORT_WRITE_SECONDS = 60
REPLICA_QUIET_SECONDS = max(config.GUNICORN_TIMEOUT, IMPORT_WRITE_SECONDS) + 10
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# https://procrastinate.readthedocs.io/en/stable/howto/django/settings.html
PROCRASTINATE_ON_APP_READY = "todo_project.jobs.queue.register_all"
# in seconds; short, because the job of a dead worker waits for jobs.tend_queue and then for its own turn
PROCRASTINATE_WORKER_DEFAULTS = {
    "concurrency": config.WORKER_CONCURRENCY,
    "update_heartbeat_interval": 2.0,
    "fetch_job_polling_interval": 1.0,
}

# --- Accounts ---
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "todo_project.accounts.services.passwords.Argon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
TOKEN_VERIFIER = "todo_project.accounts.services.verification.verify"  # noqa: S105 - a path, not a secret
LOGIN_TOKEN_DAYS = config.LOGIN_TOKEN_DAYS
REGISTRATION_OPEN = config.REGISTRATION_OPEN

# --- Time and language ---
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

# --- Messages of the admin ---
# without the default's cookies, which would be set up in every request
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Files ---
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"  # a volume that outlives an image
STATIC_BUILD_DIR = Path("/opt/static")  # made by the image's build; a checkout has none
MEDIA_ROOT = BASE_DIR / "media"
MEDIA_URL = "/media/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# --- Limits ---
BATCH_SIZE_MAX = config.BATCH_SIZE_MAX
TASK_TITLE_MAX_LENGTH = config.TASK_TITLE_MAX_LENGTH
TASK_DESCRIPTION_MAX_LENGTH = config.TASK_DESCRIPTION_MAX_LENGTH
COMMENT_MAX_LENGTH = config.COMMENT_MAX_LENGTH
INVITATIONS_PER_PROJECT = config.INVITATIONS_PER_PROJECT
INVITATIONS_PER_ACCOUNT = config.INVITATIONS_PER_ACCOUNT
INVITATIONS_NEED_PROOF = config.INVITATIONS_NEED_PROOF
DATA_UPLOAD_MAX_MEMORY_SIZE = config.REQUEST_BODY_MAX_BYTES
ATTACHMENT_MAX_BYTES = config.ATTACHMENT_MAX_BYTES
PAGE_SIZE_MAX = config.PAGE_SIZE_MAX
LOGIN_FAILURES_PER_ACCOUNT = config.LOGIN_FAILURES_PER_ACCOUNT
LOGIN_FAILURES_PER_ADDRESS = config.LOGIN_FAILURES_PER_ADDRESS
REGISTRATIONS_PER_ADDRESS = config.REGISTRATIONS_PER_ADDRESS
REQUESTS_PER_TOKEN = config.REQUESTS_PER_TOKEN
TOKENS_PER_ACCOUNT = config.TOKENS_PER_ACCOUNT
TRASH_RETENTION_DAYS = config.TRASH_RETENTION_DAYS
CHANGES_RETENTION_DAYS = config.CHANGES_RETENTION_DAYS
NOTIFICATIONS_RETENTION_DAYS = config.NOTIFICATIONS_RETENTION_DAYS

# --- Security ---
CSRF_TRUSTED_ORIGINS = config.CSRF_TRUSTED_ORIGINS
CSRF_FAILURE_VIEW = "todo_project.api.problems.csrf_failure"
# https://github.com/adamchainz/django-cors-headers
CORS_ALLOWED_ORIGINS = config.CORS_ALLOWED_ORIGINS
CORS_ALLOWED_ORIGIN_REGEXES = config.CORS_ALLOWED_ORIGIN_REGEXES
CORS_ALLOW_CREDENTIALS = True
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-csrftoken",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "etag",
    "location",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "x-request-id",
    "idempotency-replayed",
    "x-original-request-id",
]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
TRUSTED_PROXY_COUNT = config.TRUSTED_PROXY_COUNT

# --- The API ---
# https://www.django-rest-framework.org/api-guide/settings/
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # the token first, because its 401 has WWW-Authenticate
        "todo_project.api.auth.TokenAuthentication",
        "todo_project.api.auth.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["todo_project.api.auth.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["todo_project.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "todo_project.api.schema.OperationSchema",
    "DEFAULT_THROTTLE_CLASSES": ["todo_project.api.auth.AccountThrottle"],
    "EXCEPTION_HANDLER": "todo_project.api.problems.handle_exception",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
}
# https://drf-spectacular.readthedocs.io/en/latest/settings.html
SPECTACULAR_SETTINGS = {
    "TITLE": "To-do API",
    "DESCRIPTION": "Projects, tasks, labels and comments, shared or not. Errors are problem details (RFC 9457).",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v[0-9]+",
    "COMPONENT_SPLIT_REQUEST": True,
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "string", "format": "uuid"}},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": ["todo_project.api.schema.complete_document"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "DISABLE_ERRORS_AND_WARNINGS": False,
}

# --- Mail, logs ---
_email: dict[str, Any] = config.EMAIL_URL
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST = _email["EMAIL_HOST"]
EMAIL_PORT = _email["EMAIL_PORT"]
EMAIL_HOST_USER = _email["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"]
EMAIL_FILE_PATH = _email["EMAIL_FILE_PATH"]
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = config.DEFAULT_FROM_EMAIL
METRICS_TOKEN = config.METRICS_TOKEN
SENTRY_DSN = config.SENTRY_DSN
SENTRY_TRACES_SAMPLE_RATE = config.SENTRY_TRACES_SAMPLE_RATE
SLOW_QUERY_MS = config.SLOW_QUERY_MS
LOG_FORMAT = config.LOG_FORMAT
LOGGING_CONFIG = "todo_project.ops.observability.logs.configure"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "as_warning": {"()": "todo_project.ops.observability.logs.AsWarning"},
        "no_probes": {"()": "todo_project.ops.observability.logs.NoProbes"},
    },
    "formatters": {
        "line": {
            "()": "todo_project.ops.observability.logs.make_formatter",
            "style": LOG_FORMAT,
            "environment": config.DJANGO_ENV,
            "release": RELEASE,
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"level": config.LOG_LEVEL, "handlers": ["stderr"]},
    "loggers": {
        "django": {"level": config.LOG_LEVEL},
        "django.server": {"level": "INFO", "propagate": True, "filters": ["no_probes"]},
        # the access log already has each 404
        "django.request": {"level": "ERROR", "filters": ["no_probes"]},
        "django.security.DisallowedHost": {"filters": ["as_warning"]},  # anybody can cause it
        # Not useful even with LOG_LEVEL=DEBUG, and the first one logs the values of every query.
        "django.db.backends": {"level": "INFO"},
        "django.template": {"level": "INFO"},
        "django.utils.autoreload": {"level": "INFO"},
        "watchfiles": {"level": "WARNING"},
        # they log the registered jobs whenever a process starts
        "procrastinate.blueprints": {"level": "WARNING"},
        "procrastinate.periodic": {"level": "WARNING"},
    },
}
