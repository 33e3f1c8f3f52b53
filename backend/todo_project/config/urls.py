"""What django-environ would guess at in DATABASE_URL and EMAIL_URL is refused before it reads them."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from todo_project.config.findings import BadValueError, read_each
from todo_project.config.paths import BASE_DIR

DATABASE_SHAPE: Final = "postgres://user:password@host:5432/name"
EMAIL_SHAPE: Final = "smtp+tls://user:password@host:587"
_SMTP_SCHEMES: Final = ("smtp", "smtps", "smtp+tls", "smtp+ssl")
_MAIL_SCHEMES: Final = (*_SMTP_SCHEMES, "filemail", "consolemail", "dummymail", "memorymail")
_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# Options that Django's DATABASES takes, not libpq.
_SWITCHES: Final = ("atomic_requests", "conn_health_checks", "disable_server_side_cursors", "pool")


def check_database(text: str) -> None:
    """Refuse a URL that is not of PostgreSQL or SQLite, or that does not say what it means."""
    if text.lower().startswith("sqlite:"):
        if text != "sqlite://:memory:" and not re.fullmatch(r"sqlite:///[^?#]+", text):
            instead = "write sqlite:///var/dev.sqlite3 (relative to backend/) or sqlite:////an/absolute/path"
            raise BadValueError("is not a usable SQLite URL", instead)
        return
    if not re.match(r"postgres(?:ql)?://", text, re.IGNORECASE):
        instead = f"write {DATABASE_SHAPE}, or in dev and test sqlite:///var/dev.sqlite3"
        raise BadValueError("is not the URL of a database that this service can use", instead)
    parts = _split(text, DATABASE_SHAPE)
    read_each((_check_place, _check_port, _check_options), lambda check: check(parts))


def finish_database(config: dict[str, Any]) -> dict[str, Any]:
    """Return what Django expects of what django-environ has read: booleans, a socket's folder, a full path."""
    if config["ENGINE"].endswith("sqlite3"):
        name = config["NAME"]
        return {"ENGINE": config["ENGINE"], "NAME": name if name == ":memory:" else str(BASE_DIR / name)}
    options = config.get("OPTIONS", {})
    config |= {name.upper(): config[name.upper()].lower() == "true" for name in _SWITCHES if name.upper() in config}
    config["HOST"] = options.pop("host", None) or unquote(config["HOST"])
    config["PORT"] = options.pop("port", None) or config["PORT"]
    if options.pop("pool", "false").lower() == "true":
        options["pool"] = True
    return {**config, "ENGINE": "django.db.backends.postgresql", "OPTIONS": options}


def check_email(text: str) -> None:
    """Refuse a URL that is not of a mail server or of one of Django's other mail backends."""
    scheme = text.partition(":")[0].lower()
    if scheme not in _MAIL_SCHEMES or not text.lower().startswith(f"{scheme}://"):
        instead = f"write {EMAIL_SHAPE}, smtp+ssl://…:465, filemail:///directory, consolemail:// or dummymail://"
        raise BadValueError("is not the URL of a way to send mail", instead)
    parts = _split(text, EMAIL_SHAPE)
    if scheme not in _SMTP_SCHEMES:
        return
    _check_port(parts)
    if not parts.hostname or parts.path not in {"", "/"} or parts.query:
        what = "has something after the host and port" if parts.hostname else "names no host"
        raise BadValueError(what, f"write {EMAIL_SHAPE}")
    if parts.port == 465 and scheme != "smtp+ssl":
        raise BadValueError("uses port 465, where TLS is spoken from the start", "write smtp+ssl:// there")


def finish_email(config: dict[str, Any]) -> dict[str, Any]:
    """Return Django's EMAIL_* settings: no None where it expects a text, and the port of STARTTLS or TLS."""
    texts = {name: config[name] or "" for name in ("EMAIL_HOST", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD")}
    # None would make smtplib choose port 25, for TLS too.
    port = 587 if config.get("EMAIL_USE_TLS") else 465 if config.get("EMAIL_USE_SSL") else 25
    folder = f"/{config['EMAIL_FILE_PATH']}" if config["EMAIL_BACKEND"].endswith("filebased.EmailBackend") else None
    return {**config, **texts, "EMAIL_PORT": config["EMAIL_PORT"] or port, "EMAIL_FILE_PATH": folder}


def _split(text: str, shape: str) -> SplitResult:
    userinfo = text.partition("://")[2].rpartition("@")[0]
    special = sorted(set(userinfo) & set("/?#[]@ "))
    if special:
        codes = ", ".join(f"%{ord(char):02X} for {char!r}" for char in special)
        problem = "has a character in its user or password that means something else in a URL"
        raise BadValueError(problem, f"percent-encode it: {codes}")
    unreadable = BadValueError("is not a URL", f"write {shape}; percent-encode special characters in a password")
    if re.search(r"[#\s]", text):
        raise unreadable
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise BadValueError("has a % without two hexadecimal digits after it", "write a literal % as %25")
    try:
        return urlsplit(text)
    except ValueError:  # brackets without an IPv6 address between them
        raise unreadable from None


def _check_place(parts: SplitResult) -> None:
    path, host, user = unquote(parts.path), parts.hostname or "", parts.username
    socket = path.startswith("//")  # postgres:////run/postgresql/name
    problem = ""
    if not path.rpartition("/")[2]:
        problem = "names no database"
    elif not socket and "/" in parts.path.removeprefix("/"):
        problem = "has a `/`, which is %2F, in the database's name"
    elif "%" in host and not unquote(host).startswith("/"):
        problem = "has a percent-encoded host that is not a socket's folder"
    elif parts.password and not user:
        problem = "names no user"
    elif not host and not socket and user and "host=" not in parts.query:
        problem = "names no host"
    if problem:
        raise BadValueError(problem, f"write {DATABASE_SHAPE}")


def _check_port(parts: SplitResult) -> None:
    try:
        wrong = parts.port == 0 or parts.netloc.endswith(":")
    except ValueError:
        wrong = True
    if wrong:
        raise BadValueError(
            "has a port that is not a number from 1 to 65535, perhaps because of a raw `/` or `#` in the password",
            "write :5432 or another port; percent-encode special characters (%2F for `/`, %23 for `#`)",
        )


def _check_options(parts: SplitResult) -> None:
    read_each(parse_qsl(parts.query, keep_blank_values=True), _check_option)


def _check_option(option: tuple[str, str]) -> None:
    name, value = option
    problem, instead = "", f"write {name}=10 or leave it out"
    if name in _SWITCHES:
        if value.lower() not in {"true", "false"}:
            problem, instead = f"has an unclear {name}", f"write {name}=true or leave it out"
    elif name not in _libpq_names():
        problem = "has an option after `?` that PostgreSQL does not know"
        instead = "write options such as sslmode=require, connect_timeout=5 or pool=true"
    elif name == "sslmode" and value not in _SSL_MODES:
        problem, instead = "has an unknown sslmode", f"write one of {', '.join(_SSL_MODES)}"
    elif name.startswith(("connect_timeout", "keepalives", "tcp_user_timeout")) and not value.isdecimal():
        problem = f"has a {name} that is not a whole number"
    elif name == "client_encoding" and value.lower() not in {"utf8", "utf-8"}:
        problem, instead = "has a client_encoding that cannot hold every text", "leave it out"
    if problem:
        raise BadValueError(problem, instead)


def _libpq_names() -> set[str]:
    from psycopg import pq  # noqa: PLC0415 - slow to import, and only needed for URLs with options

    # The others are in the URL itself.
    return {option.keyword.decode() for option in pq.Conninfo.get_defaults()} - {"user", "password", "dbname"}
