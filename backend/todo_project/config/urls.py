"""This will read DATABASE_URL and EMAIL_URL strictly, then leave the splitting to django-environ."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import environ

from todo_project.config.problems import BadValueError, noted, together

BACKEND_DIR = Path(__file__).resolve().parents[2]

DATABASE_SHAPE = "postgres://user:password@host:5432/name"
SMTP_PORTS = {"smtp": 25, "smtps": 587, "smtp+tls": 587, "smtp+ssl": 465}
EMAIL_SHAPE = "smtp+tls://user:password@host:587"

_database_settings: Callable[[str], dict[str, Any]] = environ.Env.db_url_config
_email_settings: Callable[[str], dict[str, Any]] = environ.Env.email_url_config

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:(?P<userinfo>.*)@)?(?P<host>[^/?#@]*)"
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?"
)
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")

# What libpq understands beyond user, password, host, port and name, and what Django reads beside it.
_LIBPQ_OPTIONS = frozenset(
    re.findall(
        r"\w+",
        "application_name channel_binding client_encoding connect_timeout fallback_application_name "
        "gssencmode hostaddr keepalives keepalives_count keepalives_idle keepalives_interval "
        "load_balance_hosts options passfile requirepeer require_auth service sslcert sslcertmode sslcrl "
        "sslkey sslmode sslnegotiation sslpassword sslrootcert sslsni ssl_max_protocol_version "
        "ssl_min_protocol_version target_session_attrs tcp_user_timeout",
    )
)
_LIBPQ_NUMBERS = frozenset(
    [
        "connect_timeout",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "tcp_user_timeout",
    ]
)
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SWITCHES = frozenset({"atomic_requests", "conn_health_checks", "disable_server_side_cursors", "pool"})


def database(text: str) -> dict[str, Any]:
    """This will return Django's DATABASES entry for a URL, or raise BadValueError without its secret."""
    scheme = text.partition(":")[0].lower()
    if scheme == "sqlite":
        return _sqlite(text)
    if scheme not in {"postgres", "postgresql"} or not text.lower().startswith(f"{scheme}://"):
        raise BadValueError(
            "is not the URL of a database that this service can use",
            f"write {DATABASE_SHAPE}, or in dev and test sqlite:///var/dev.sqlite3",
        )
    parts = _split(text, shape=DATABASE_SHAPE)
    meant = _login(parts)
    bad: list[BadValueError] = []
    with noted(bad):
        _place(parts, meant)
    with noted(bad):
        _port(parts["host"], shape=DATABASE_SHAPE)
    options = _options(parts["query"], bad)
    if bad:
        raise together(bad, meant={**meant, **options})
    return {**_database_settings(text), "ENGINE": "django.db.backends.postgresql", **options}


def _login(parts: dict[str, str | None]) -> dict[str, Any]:
    """Return what a URL names, also where not all of it can be used."""
    user, _, password = (parts["userinfo"] or "").partition(":")
    host = re.sub(r":[^:\]]*$", "", parts["host"] or "")
    name = (parts["path"] or "").strip("/")
    return {"USER": unquote(user), "PASSWORD": unquote(password), "HOST": host, "NAME": unquote(name)}


def _place(parts: dict[str, str | None], meant: dict[str, Any]) -> None:
    path = unquote(parts["path"] or "")
    socket = path.startswith("//")
    if not parts["host"] and not socket:
        raise BadValueError("names no host", f"write {DATABASE_SHAPE}")
    if not meant["NAME"]:
        raise BadValueError("names no database", f"end it in the database's name: {DATABASE_SHAPE}")
    if not socket and "/" in (parts["path"] or "").removeprefix("/"):
        raise BadValueError("has a `/` in the database's name", "write the name alone, a `/` that it has as %2F")
    if meant["PASSWORD"] and not meant["USER"]:
        raise BadValueError("names no user", f"write {DATABASE_SHAPE}")


def _sqlite(text: str) -> dict[str, Any]:
    if text == "sqlite://:memory:":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    path = text.removeprefix("sqlite:///")
    if path == text or not path or "?" in path or "#" in path:
        raise BadValueError(
            "is not a usable SQLite URL",
            "write sqlite:///var/dev.sqlite3 (relative to backend/) or sqlite:////an/absolute/path",
        )
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(BACKEND_DIR / unquote(path))}


def _split(text: str, *, shape: str) -> dict[str, str | None]:
    match = _URL.fullmatch(text)
    userinfo = (match and match["userinfo"]) or ""
    raw = sorted({char for char in userinfo if char in "/?#[]@ "})
    if raw:
        codes = ", ".join(f"%{ord(char):02X} for {char!r}" for char in raw)
        raise BadValueError(
            "holds a character in its user or password that means something else in a URL",
            f"percent-encode it: {codes}",
        )
    if not match or any(char.isspace() for char in text):
        raise BadValueError("is not a URL", f"write {shape}; percent-encode what is special in a password")
    if _BAD_PERCENT.search(text):
        raise BadValueError("holds a % that is not followed by two hexadecimal digits", "write a literal % as %25")
    return match.groupdict()


def _port(host: str | None, *, shape: str) -> None:
    port = re.sub(r"^\[[^\]]*\]", "", host or "").partition(":")
    if port[1] and not (re.fullmatch(r"[0-9]{1,5}", port[2]) and 1 <= int(port[2]) <= 65_535):
        raise BadValueError(
            "has a port that is not a number from 1 to 65535 "
            "(a password with a raw `/` or `#` in it also ends up there)",
            f"write {shape}; percent-encode what is special in a password (%2F for `/`, %23 for `#`)",
        )


def _options(query: str | None, bad: list[BadValueError]) -> dict[str, Any]:
    """Return the settings that the options after `?` stand for, and note each that is bad."""
    settings: dict[str, Any] = {"OPTIONS": {}}
    for name, value in parse_qsl(query or "", keep_blank_values=True):
        with noted(bad):
            _option(settings, name, value)
    return settings


def _option(settings: dict[str, Any], name: str, value: str) -> None:
    if name in _SWITCHES:
        switch = _switch(name, value)
        if name != "pool":
            settings[name.upper()] = switch
        elif switch:
            settings["OPTIONS"]["pool"] = True
    elif name not in _LIBPQ_OPTIONS:
        raise BadValueError(
            "has an option after `?` that PostgreSQL does not know",
            "write only options such as sslmode=require, connect_timeout=5, pool=true",
        )
    else:
        settings["OPTIONS"][name] = _libpq_value(name, value)


def _libpq_value(name: str, value: str) -> str:
    if name == "sslmode" and value not in _SSL_MODES:
        raise BadValueError("has an unknown sslmode", f"write one of {', '.join(_SSL_MODES)}")
    if name in _LIBPQ_NUMBERS and not re.fullmatch(r"[0-9]{1,9}", value):
        raise BadValueError(f"has a {name} that is no whole number", f"write {name}=10 or leave it out")
    if name == "client_encoding" and value.lower() not in {"utf8", "utf-8"}:
        raise BadValueError("has a client_encoding that cannot hold every text", "leave it out")
    return value


def _switch(name: str, value: str) -> bool:
    if value.lower() not in {"true", "false"}:
        raise BadValueError(f"has an unclear {name}", f"write {name}=true or leave it out")
    return value.lower() == "true"


def email(text: str) -> dict[str, Any]:
    """This will return Django's EMAIL_* settings for a URL, or raise BadValueError without its secret."""
    scheme = text.partition(":")[0].lower()
    if scheme not in environ.Env.EMAIL_SCHEMES or not text.lower().startswith(f"{scheme}://"):
        raise BadValueError(
            "is not the URL of a way to send mail",
            f"write {EMAIL_SHAPE}, smtp+ssl://…:465, filemail:///directory, consolemail:// or dummymail://",
        )
    parts = _split(text, shape=EMAIL_SHAPE)
    if scheme in SMTP_PORTS:
        try:
            _smtp(parts, scheme)
        except BadValueError as bad:
            login = _login(parts)
            bad.meant = {"EMAIL_HOST": login["HOST"], "EMAIL_HOST_PASSWORD": login["PASSWORD"]}
            raise
    settings: dict[str, Any] = _email_settings(text.replace(text[: len(scheme)], scheme, 1))
    settings.pop("OPTIONS", None)
    settings["EMAIL_HOST"] = settings["EMAIL_HOST"] or ""
    settings["EMAIL_HOST_USER"] = settings["EMAIL_HOST_USER"] or ""
    settings["EMAIL_HOST_PASSWORD"] = settings["EMAIL_HOST_PASSWORD"] or ""
    # None would make smtplib choose port 25, also for STARTTLS and TLS.
    settings["EMAIL_PORT"] = settings["EMAIL_PORT"] or SMTP_PORTS.get(scheme, 25)
    settings["EMAIL_FILE_PATH"] = f"/{settings['EMAIL_FILE_PATH']}" if scheme == "filemail" else None
    return settings


def _smtp(parts: dict[str, str | None], scheme: str) -> None:
    host = parts["host"] or ""
    if not host or host.startswith(":"):
        raise BadValueError("names no host", f"write {EMAIL_SHAPE}")
    _port(host, shape=EMAIL_SHAPE)
    if (parts["path"] or "/") != "/" or parts["query"]:
        raise BadValueError("has something after the host and port", f"write {EMAIL_SHAPE}")
    if host.endswith(":465") and scheme != "smtp+ssl":
        raise BadValueError("uses port 465, where TLS is spoken from the start", "write smtp+ssl:// there")
