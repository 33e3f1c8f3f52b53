"""How the text of each kind of variable becomes a value: django-environ reads it, strictly.

What django-environ 0.14 does by itself, and why each of it is refused here, is in docs/configuration.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from environ import Env

from todo_project.config import origins, urls
from todo_project.config.findings import BadValueError, read_each, shown
from todo_project.config.variable import Variable

_WITHIN: Final = "write a whole number from {row.minimum} to {row.maximum}"
# What a value looks like, what it is called if it does not, and what to write instead.
# fmt: off
SHAPES: Final = {
    # django-environ takes every other word for False, and `0.25abc` for 0.25.
    "boolean": (r"(?i:true|yes|on|1|false|no|off|0)", "neither true nor false", "write True or False"),
    "integer": (r"-?[0-9]{1,40}", "not a whole number", _WITHIN),
    "fraction": (
        r"0(?:\.[0-9]{1,6})?|1(?:\.0{1,6})?", "not a number from 0 to 1", "write, for example, 0.25"),
    "sentry_dsn": (
        r"https?://[^@/\s:]+(?::[^@/\s]*)?@[^@/\s]+/(?:[^\s?#]*/)?[0-9]+",
        "not a Sentry DSN", "copy it from Sentry: https://key@host/project-number"),
    "mail_address": (
        r"{0}@{1}|[^<>\r\n]*<{0}@{1}>".format(r"[^\s@<>]+", r"(?:[\w.-]+|\[IPv6:[0-9a-f:.]+\])"),
        "not a mail address", "write todo@example.org or To-do <todo@example.org>"),
    "compose_files": (
        r"(?:[^:;]*/)?docker-compose\.yml[:;](?:[^:;]*/)?docker-compose\.prod\.yml(?:[:;][^:;]+)*",
        "not the files of production", "write COMPOSE_FILE=docker-compose.yml:docker-compose.prod.yml"),
    "path": (r"[^\s:]+", "not a path", "write the path of this file, such as envs/prod.env"),
    "project_name": (
        r"[a-z0-9][a-z0-9_-]*",
        "not a Compose project name",
        "write lower-case letters, digits, - and _, beginning with a letter or digit"),
    "image_tag": (r"\w[\w.-]{0,127}", "not an image tag", "write, for example, local, 1.4.2 or a commit id"),
    "memory": (r"[1-9][0-9]{0,6}[mg]", "not an amount of memory", "write, for example, 512m or 2g"),
    "address": (
        r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*",
        "not an address of this machine", "write, for example, 127.0.0.1 or ::1"),
    "clock": (r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", "not a time of day", "write, for example, 03:15"),
    "age_recipient": (
        r"age1[ac-hj-np-z02-9]{58}", "not a public key of age", "copy it from the output of age-keygen: age1…"),
    "base64": (r"[A-Za-z0-9+/]{40,}={0,2}", "not base64 in one line", "write it as `base64 -w0` prints it"),
    "bucket": (
        r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9._/-]*)?",
        "not the address of a bucket", "write s3://bucket or s3://bucket/prefix"),
    "endpoint": (
        r"https?://(?:[A-Za-z0-9_.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?/?",
        "not the address of a server", "write, for example, https://s3.example.org"),
    "word": (r"[A-Za-z0-9._/+=-]{1,256}", "not one word", "write letters, digits and . _ - only"),
    "site_address": (
        r"(?:https?://)?(?:[A-Za-z0-9_*.-]+|\[[0-9a-f:.]+\])?(?::[0-9]{1,5})?",
        "not an address that the proxy can serve",
        "write a host name, localhost, or :80 behind another proxy's TLS"),
}
# fmt: on


def items(env: Env, name: str) -> list[str]:
    # django-environ keeps the spaces of `a, b`.
    found = [item.strip() for item in env.list(name) if item.strip()]
    if not found:
        raise BadValueError("is a list without items", "name at least one or remove the line", code="empty")
    return found


def database(env: Env, name: str) -> dict[str, Any]:
    urls.check_database(env.str(name))
    return urls.finish_database(env.db_url(name))


def email(env: Env, name: str) -> dict[str, Any]:
    urls.check_email(env.str(name))
    return urls.finish_email(env.email_url(name))


# The other kinds are texts.
READERS: Final[dict[str, Callable[[Env, str], Any]]] = {
    "boolean": Env.bool,
    "integer": Env.int,
    "fraction": Env.float,
    "secret_keys": items,
    "hosts": lambda env, name: read_each(items(env, name), origins.host),
    "origins": lambda env, name: read_each(items(env, name), origins.origin),
    "trusted_origins": lambda env, name: read_each(items(env, name), origins.trusted_origin),
    "origin_patterns": lambda env, name: read_each(items(env, name), origins.pattern),
    "origin": lambda env, name: origins.web_origin(env.str(name)),
    "database_url": database,
    "mail_url": email,
}


def parse(row: Variable, text: str) -> Any:
    """Return the value of a variable's text, or raise BadValueError."""
    text = text.strip()
    _check(row, text)
    env = Env()
    env.ENVIRON = {row.name: text}  # instead of the process environment
    try:
        value = READERS.get(row.kind, Env.str)(env, row.name)
    except ValueError:
        # django-environ's own errors do not name the variable and may show a secret.
        raise BadValueError("cannot be read", "see its row in docs/configuration.md") from None
    if row.kind == "integer" and not row.minimum <= value <= row.maximum:
        raise BadValueError(f"is {value}, which is out of range", _WITHIN.format(row=row), code="range")
    return value


def _check(row: Variable, text: str) -> None:
    if not text:
        raise BadValueError("is empty", "give it a value or remove the line", code="empty")
    if text.startswith("$"):
        problem = "starts with `$`, which is a reference to another variable that was not replaced"
        raise BadValueError(problem, "write the value itself; a secret must not start with `$`", code="dollar")
    if row.choices and text not in row.choices:
        raise BadValueError(f"is {shown(text)}, which is not allowed", f"write one of {', '.join(row.choices)}")
    expected, fault, instead = SHAPES.get(row.kind, ("(?s:.*)", "", ""))
    if not re.fullmatch(expected, text):
        told = "is" if row.secret else f"is {shown(text)}, which is"
        raise BadValueError(f"{told} {fault}", instead.format(row=row))
