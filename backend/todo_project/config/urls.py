"""Hosts, origins, DATABASE_URL and EMAIL_URL. What django-environ would guess at is refused."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from environ import Env

from todo_project.config.findings import BadValueError, shown
from todo_project.config.paths import BASE_DIR

_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9a-f:.]+\])"
# The domain at the end is literal, so that nobody can register a name that matches.
_PATTERN: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://(?:localhost|127\\\.0\\\.0\\\.1|[^|/]*?[a-z0-9-]+\\\.[a-z]{2,})(?::[^|/.]+)?"
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LIKE: Final = "write scheme and host only, such as https://todo.example.org"
_PATTERNS: Final = "name each origin, or write a regular expression into CORS_ALLOWED_ORIGIN_REGEXES"
_LIKE_PATTERN: Final = r"write scheme and domain literally, without | or comma: https://pr-[0-9]+\.example\.org"
DATABASE_SHAPE: Final = "postgres://user:password@host:5432/name"
# The one shape that django-environ and libpq read alike: nothing raw that ends a part too early, and several hosts
# with a port each or with none.
_CODE, _NAME, _PORT = "%(?!00)[0-9a-f]{2}", r"(?:[a-z0-9_.-]|%2f)+", ":[1-9][0-9]{0,4}"
_USER: Final = rf"(?:[^\s/?#@%:\[\]]|{_CODE})+(?::(?:[^\s/?#@%\[\]]|{_CODE})*)?@"
_SERVER: Final = rf"{_NAME}(?:,{_NAME})*|{_NAME}{_PORT}(?:,{_NAME}{_PORT})*|\[[0-9a-f:.]+\](?:{_PORT})?"
_POSTGRES: Final = re.compile(
    rf"postgres(?:ql)?://(?:(?:{_USER})?(?:{_SERVER})?|/(?:/[\w.-]+)+)/(?:[^\s/?#@%+\[\]]|{_CODE})+"
    rf"(?:\?(?:[^\s#%\[\]]|{_CODE})*)?",
    re.IGNORECASE,
)
_EMAIL_SHAPES: Final = "smtp+tls://user:password@host:587, smtp+ssl://…:465, filemail:///folder or consolemail://"
_EMAIL: Final = re.compile(
    rf"(?:smtps?|smtp\+tls|smtp\+ssl)://(?:{_USER})?(?:\[[0-9a-f:.]+\]|[^\s/?#@%:\[\]]+)(?:{_PORT})?/?|"
    r"(?:filemail|consolemail|dummymail|memorymail)://[^\s#]*",
    re.IGNORECASE,
)
_ENCODED: Final = "with special characters percent-encoded (%2F for /, %40 for @, %23 for #, %25 for %)"
# Options that Django's DATABASES takes, not libpq.
_SWITCHES: Final = {"atomic_requests", "conn_health_checks", "disable_server_side_cursors", "pool"}
# Values that libpq would refuse only when it connects.
_OPTIONS: Final = {
    **dict.fromkeys(_SWITCHES, "(?i:true|false)"),
    **dict.fromkeys(("port", "connect_timeout", "tcp_user_timeout"), "[0-9]+"),
    **dict.fromkeys(("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"), "[0-9]+"),
    "sslmode": "disable|allow|prefer|require|verify-ca|verify-full",
    "client_encoding": "(?i:utf-?8)",
    **dict.fromkeys(("user", "password", "dbname"), "(?!)"),  # written before the `?`
}


def host(text: str) -> str:
    """Return a host name as Django's ALLOWED_HOSTS takes it; raise BadValueError for anything else."""
    if text != "*" and not re.fullmatch(_HOST, text.removeprefix("."), re.IGNORECASE):
        instead = "write the name only, such as todo.example.org, or .example.org for all below"
        raise BadValueError(f"has {shown(text)}, which is not a host name", instead)
    return text


def origin(text: str, schemes: str = "[a-z][a-z0-9+.-]*") -> str:
    """Return an origin in lower case and without a default port; raise BadValueError for anything else."""
    if text == "*":
        raise BadValueError("has `*`, which allows every site", "name the origins one by one", code="insecure")
    match = re.fullmatch(rf"({schemes})://({_HOST})(?::[0-9]+)?", text, re.IGNORECASE)
    try:
        port = urlsplit(text).port
    except ValueError:  # the port is too large, or what is in brackets is not an address
        match = None
    if not match:
        raise BadValueError(f"has {shown(text)}, which is not an origin", _PATTERNS if "*" in text else _LIKE)
    scheme, name = match[1].lower(), match[2].lower()
    return f"{scheme}://{name}" + (f":{port}" if port not in {None, _DEFAULT_PORTS.get(scheme)} else "")


def trusted_origin(text: str) -> str:
    """Return an origin; https://*.example.org stands for every subdomain of at least two labels."""
    match = re.fullmatch(r"([a-z]+://)\*\.([^.*]+\.[^*]+)", text, re.IGNORECASE)
    if "*" in text[1:] and not match:
        raise BadValueError(f"has {shown(text)}, which is not an origin", "write it like https://*.example.org")
    return origin(f"{match[1]}{match[2]}").replace("://", "://*.") if match else origin(text)


def pattern(text: str) -> str:
    r"""Return a pattern anchored at both ends; django-cors-headers anchors the beginning only."""
    text = text.removeprefix("^").removesuffix("$")
    try:
        usable = re.compile(text) and _PATTERN.fullmatch(text)
    except re.error:
        usable = None
    if not usable:
        raise BadValueError(f"has {shown(text)}, which is not a pattern for your origins only", _LIKE_PATTERN)
    return rf"\A(?:{text})\Z"


def database(env: Env, name: str) -> dict[str, Any]:
    """Return an entry of Django's DATABASES."""
    text = env.str(name)
    scheme = text.partition(":")[0].lower()
    if scheme == "sqlite":
        if text != "sqlite://:memory:" and not re.fullmatch(r"sqlite:///[^?#]+", text):
            instead = "write sqlite:///var/dev.sqlite3 (relative to backend/) or sqlite:////an/absolute/path"
            raise BadValueError("is not a usable SQLite URL", instead)
        path = env.db_url(name)["NAME"]
        path = path if path == ":memory:" else str(BASE_DIR / path)
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": path}
    if scheme not in {"postgres", "postgresql"}:
        instead = f"write {DATABASE_SHAPE}, or in dev and test sqlite:///var/dev.sqlite3"
        raise BadValueError("is not the URL of a database that this service can use", instead)
    given = dict(parse_qsl(text.partition("?")[2], keep_blank_values=True))
    for option, value in given.items():
        if not re.fullmatch(_OPTIONS.get(option, ".*"), value):
            raise BadValueError(f"has an unusable value of {option}", "correct it, or leave it out")
    config = _postgres(env, name, given.keys() - _SWITCHES) if _POSTGRES.fullmatch(text) else {}
    if not config or (config["USER"] and not config["HOST"]):
        instead = f"write {DATABASE_SHAPE}, {_ENCODED}; after a `?` only libpq's options and pool=true"
        raise BadValueError("is not the URL of a PostgreSQL database", instead)
    return config


def _postgres(env: Env, name: str, of_libpq: Set[str]) -> dict[str, Any]:
    """Return what Django expects: booleans, a socket's folder; nothing if the URL cannot be read."""
    from psycopg import Error, conninfo  # noqa: PLC0415 - slow to import, and not needed for SQLite

    try:
        config = env.db_url(name)
        conninfo.make_conninfo(**dict.fromkeys(of_libpq, "0"))
    except (ValueError, Error):  # a port above 65535, no address in brackets; an option that libpq does not know
        return {}
    options, host = config.setdefault("OPTIONS", {}), config["HOST"]
    config |= {name.upper(): config[name.upper()].lower() == "true" for name in _SWITCHES if name.upper() in config}
    config["HOST"] = options.pop("host", "") or (unquote(host) if host.lower().startswith("%2f") else host)
    config["PORT"] = options.pop("port", "") or config["PORT"]
    if options.pop("pool", "false").lower() == "true":
        options["pool"] = True
    return {**config, "ENGINE": "django.db.backends.postgresql"}


def email(env: Env, name: str) -> dict[str, Any]:
    """Return Django's EMAIL_* settings: no None where it expects a text, and the port of STARTTLS or TLS."""
    if not _EMAIL.fullmatch(env.str(name)):
        raise BadValueError("is not the URL of a way to send mail", f"write {_EMAIL_SHAPES}, {_ENCODED}")
    config = env.email_url(name)
    # None would make smtplib choose port 25, for TLS too.
    port = 587 if config.get("EMAIL_USE_TLS") else 465 if config.get("EMAIL_USE_SSL") else 25
    if config["EMAIL_PORT"] == 465 != port:
        raise BadValueError("uses port 465, where TLS is spoken from the start", "write smtp+ssl:// there")
    texts = {key: config[key] or "" for key in ("EMAIL_HOST", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD")}
    folder = f"/{config['EMAIL_FILE_PATH']}" if config["EMAIL_BACKEND"].endswith("filebased.EmailBackend") else None
    return {**config, **texts, "EMAIL_PORT": config["EMAIL_PORT"] or port, "EMAIL_FILE_PATH": folder}
