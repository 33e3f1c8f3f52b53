"""Hosts, origins, DATABASE_URL and EMAIL_URL. What django-environ would guess at is refused."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

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
_EMAIL_SHAPES: Final = "smtp+tls://user:password@host:587, smtp+ssl://…:465, filemail:///folder or consolemail://"
_EMAIL: Final = re.compile(
    r"(?:smtps?|smtp\+tls|smtp\+ssl)://(?:(?:[^\s/?#@%\[\]]|%[0-9a-f]{2})+@)?"
    r"(?:\[[0-9a-f:.]+\]|[^\s/?#@%:\[\]]+)(?::[1-9][0-9]{0,4})?/?|"
    r"(?:filemail|consolemail|dummymail|memorymail)://[^\s#]*",
    re.IGNORECASE,
)
_ENCODED: Final = "with special characters percent-encoded (%2F for /, %40 for @, %23 for #, %25 for %)"
# Options that Django's DATABASES takes, not libpq.
_SWITCHES: Final = ("atomic_requests", "conn_health_checks", "disable_server_side_cursors", "pool")
# Values that libpq would refuse only when it connects.
_OPTIONS: Final = {
    **dict.fromkeys(_SWITCHES, "(?i:true|false)"),
    **dict.fromkeys(("connect_timeout", "tcp_user_timeout", "keepalives"), "[0-9]+"),
    **dict.fromkeys(("keepalives_idle", "keepalives_interval", "keepalives_count"), "[0-9]+"),
    "sslmode": "disable|allow|prefer|require|verify-ca|verify-full",
    "client_encoding": "(?i:utf-?8)",
}


def host(text: str) -> str:
    """Return a host name as Django's ALLOWED_HOSTS takes it; raise BadValueError for anything else."""
    if text != "*" and not re.fullmatch(_HOST, text.removeprefix("."), re.IGNORECASE):
        instead = (
            "write the name only, without scheme, port or path: todo.example.org, or .example.org for all below"
        )
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
    match = re.fullmatch(r"([a-z]+://)\*\.([^.]+\..+)", text, re.IGNORECASE)
    return origin(f"{match[1]}{match[2]}").replace("://", "://*.") if match else origin(text)


def pattern(text: str) -> str:
    r"""Return a pattern anchored at both ends; django-cors-headers anchors the beginning only."""
    text = text.removeprefix("^").removesuffix("$")
    try:
        usable = re.compile(text) and _PATTERN.fullmatch(text)
    except re.error:
        usable = None
    if not usable:
        raise BadValueError(
            f"has {shown(text)}, which is not a regular expression that only your origins match", _LIKE_PATTERN
        )
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
        if path != ":memory:":
            path = str(BASE_DIR / path)
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": path}
    if scheme not in {"postgres", "postgresql"}:
        instead = f"write {DATABASE_SHAPE}, or in dev and test sqlite:///var/dev.sqlite3"
        raise BadValueError("is not the URL of a database that this service can use", instead)
    _check_options(text)
    try:
        config = _postgres(env.db_url(name))
        clear = _is_clear(text, config)
    except ValueError:
        clear = False
    if not clear:
        instead = f"write {DATABASE_SHAPE}, {_ENCODED}; after a `?` only libpq's options and pool=true"
        raise BadValueError("is not the URL of a PostgreSQL database", instead)
    return config


def _check_options(text: str) -> None:
    for option, value in parse_qsl(text.partition("?")[2], keep_blank_values=True):
        if not re.fullmatch(_OPTIONS.get(option, ".*"), value):
            raise BadValueError(f"has an unusable value of {option}", "correct it, or leave it out")


def _postgres(config: dict[str, Any]) -> dict[str, Any]:
    """Return what Django expects of what django-environ has read: booleans, a socket's folder."""
    options, host = config.get("OPTIONS", {}), config["HOST"]
    config |= {name.upper(): config[name.upper()].lower() == "true" for name in _SWITCHES if name.upper() in config}
    config["HOST"] = options.pop("host", "") or (unquote(host) if host.lower().startswith("%2f") else host)
    config["PORT"] = options.pop("port", "") or config["PORT"]
    if options.pop("pool", "false").lower() == "true":
        options["pool"] = True
    return {**config, "ENGINE": "django.db.backends.postgresql", "OPTIONS": options}


def _is_clear(text: str, config: dict[str, Any]) -> bool:
    """Return whether libpq reads from a URL what django-environ has read, and all that is needed is there."""
    from psycopg import Error, conninfo  # noqa: PLC0415 - slow to import, and not needed for SQLite

    start, _, query = text.partition("?")
    scheme, _, rest = start.partition("://")
    # A raw `#`, space, bracket or % in a password, and a raw / or @, which end it at another place.
    odd = re.search(r"[#\s]|(?<![/@,])\[|\].*@|%(?![0-9A-Fa-f]{2})", text)
    if odd or not re.fullmatch(r"//[^@]+|(?:[^/]*[^/:])?/[^/@]+", rest):
        return False
    options = [option for option in parse_qsl(query, keep_blank_values=True) if option[0] not in _SWITCHES]
    libpq = dict.fromkeys(("user", "password", "host", "port", "dbname"), "")
    try:
        url = f"{scheme.lower()}://{rest}?{urlencode(options, quote_via=quote)}"
        libpq |= {name: str(value) for name, value in conninfo.conninfo_to_dict(url).items()}
    except Error:
        return False
    user, password, host, port, name = (config[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME"))
    # libpq takes the folder of postgres:////run/postgresql/name for a part of the name.
    place, read = f"{host}/{name}".lstrip("/"), "{host}/{dbname}".format(**libpq).lstrip("/")
    same = [libpq["user"], libpq["password"], libpq["port"].strip(","), read] == [user, password, str(port), place]
    return same and bool(name and (host or not user) and (user or not password))


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
