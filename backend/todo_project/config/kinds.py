"""How the text of each kind of variable becomes a value: django-environ reads it, strictly.

What django-environ 0.14 does by itself, and why each of it is refused here, is in docs/configuration.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from environ import Env

from todo_project.config import origins, urls
from todo_project.config.findings import BadValueError, read_each, shown
from todo_project.config.variable import Variable


def boolean(env: Env, row: Variable) -> bool:
    # django-environ takes every other word for False.
    text = env.str(row.name)
    if text.lower() not in {"true", "yes", "on", "1", "false", "no", "off", "0"}:
        raise BadValueError(f"is {shown(text)}, which is neither true nor false", "write True or False")
    return bool(env.bool(row.name))


def integer(env: Env, row: Variable) -> int:
    limits = f"write a whole number from {row.minimum} to {row.maximum}"
    text = env.str(row.name)
    if not re.fullmatch(r"-?[0-9]{1,40}", text):
        raise BadValueError(f"is {shown(text)}, which is not a whole number", limits)
    value: int = env.int(row.name)
    if (row.minimum is not None and value < row.minimum) or (row.maximum is not None and value > row.maximum):
        raise BadValueError(f"is {value}, which is out of range", limits, code="range")
    return value


def fraction(env: Env, row: Variable) -> float:
    # django-environ takes `0.25abc` for 0.25.
    text = env.str(row.name)
    if not re.fullmatch(r"0(?:\.[0-9]{1,6})?|1(?:\.0{1,6})?", text):
        raise BadValueError(f"is {shown(text)}, which is not a number from 0 to 1", "write, for example, 0.25")
    return float(env.float(row.name))


def choice(env: Env, row: Variable) -> str:
    text: str = env.str(row.name)
    if text not in row.choices:
        raise BadValueError(f"is {shown(text)}, which is not allowed", f"write one of {', '.join(row.choices)}")
    return text


def text(env: Env, row: Variable) -> str:
    return str(env.str(row.name))


def items(env: Env, row: Variable) -> list[str]:
    # django-environ keeps the spaces of `a, b`.
    found = [item.strip() for item in env.list(row.name) if item.strip()]
    if not found:
        raise BadValueError("is a list without items", "name at least one or remove the line", code="empty")
    return found


def database(env: Env, row: Variable) -> dict[str, Any]:
    urls.check_database(env.str(row.name))
    return urls.finish_database(env.db_url(row.name))


def email(env: Env, row: Variable) -> dict[str, Any]:
    urls.check_email(env.str(row.name))
    return urls.finish_email(env.email_url(row.name))


def pattern(env: Env, row: Variable) -> str:
    expected, what, instead = PATTERNS[row.kind]
    value: str = env.str(row.name)
    if not re.fullmatch(expected, value):
        told = "is" if row.secret else f"is {shown(value)}, which is"
        raise BadValueError(f"{told} not {what}", instead)
    return value


# A table.
# fmt: off
PATTERNS: Final = {
    "sentry_dsn": (
        r"https?://[^@/\s:]+(?::[^@/\s]*)?@[^@/\s]+/(?:[^\s?#]*/)?[0-9]+",
        "a Sentry DSN", "copy it from Sentry: https://key@host/project-number"),
    "mail_address": (
        r"{0}@{1}|[^<>\r\n]*<{0}@{1}>".format(r"[^\s@<>]+", r"(?:[\w.-]+|\[IPv6:[0-9a-f:.]+\])"),
        "a mail address", "write todo@example.org or To-do <todo@example.org>"),
    "compose_files": (
        r"(?:[^:;]*/)?docker-compose\.yml[:;](?:[^:;]*/)?docker-compose\.prod\.yml(?:[:;][^:;]+)*",
        "the files of production", "write COMPOSE_FILE=docker-compose.yml:docker-compose.prod.yml"),
    "path": (r"[^\s:]+", "a path", "write the path of this file, such as envs/prod.env"),
    "project_name": (
        r"[a-z0-9][a-z0-9_-]*",
        "a Compose project name", "write lower-case letters, digits, - and _, beginning with a letter or digit"),
    "image_tag": (r"\w[\w.-]{0,127}", "an image tag", "write, for example, local, 1.4.2 or a commit id"),
    "memory": (r"[1-9][0-9]{0,6}[mg]", "an amount of memory", "write, for example, 512m or 2g"),
    "address": (
        r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*",
        "an address of this machine", "write, for example, 127.0.0.1 or ::1"),
    "clock": (r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", "a time of day", "write, for example, 03:15"),
    "age_recipient": (
        r"age1[ac-hj-np-z02-9]{58}", "a public key of age", "copy it from the output of age-keygen: age1…"),
    "base64": (r"[A-Za-z0-9+/]{40,}={0,2}", "base64 in one line", "write it as `base64 -w0` prints it"),
    "bucket": (
        r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9._/-]*)?",
        "the address of a bucket", "write s3://bucket or s3://bucket/prefix"),
    "endpoint": (
        r"https?://(?:[A-Za-z0-9_.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?/?",
        "the address of a server", "write, for example, https://s3.example.org"),
    "word": (r"[A-Za-z0-9._/+=-]{1,256}", "one word", "write letters, digits and . _ - only"),
    "site_address": (
        r"(?:https?://)?(?:[A-Za-z0-9_*.-]+|\[[0-9a-f:.]+\])?(?::[0-9]{1,5})?",
        "an address that the proxy can serve", "write a host name, localhost, or :80 behind another proxy's TLS"),
}
# fmt: on
KINDS: Final[Mapping[str, Callable[[Env, Variable], Any]]] = dict.fromkeys(PATTERNS, pattern) | {
    "boolean": boolean,
    "integer": integer,
    "fraction": fraction,
    "choice": choice,
    "secret_key": text,
    "secret_keys": items,
    "password": text,
    "hosts": lambda env, row: read_each(items(env, row), origins.host),
    "origins": lambda env, row: read_each(items(env, row), origins.origin),
    "trusted_origins": lambda env, row: read_each(items(env, row), origins.trusted_origin),
    "origin_patterns": lambda env, row: read_each(items(env, row), origins.pattern),
    "origin": lambda env, row: origins.web_origin(env.str(row.name)),
    "database_url": database,
    "mail_url": email,
}


def parse(row: Variable, text: str) -> Any:
    """Return the value of a variable's text, or raise BadValueError."""
    text = text.strip()
    if not text:
        raise BadValueError("is empty", "give it a value or remove the line", code="empty")
    if text.startswith("$"):
        problem = "starts with `$`, which is a reference to another variable that was not replaced"
        raise BadValueError(problem, "write the value itself; a secret must not start with `$`", code="dollar")
    env = Env()
    env.ENVIRON = {row.name: text}  # instead of the process environment
    try:
        return KINDS[row.kind](env, row)
    except ValueError:
        # django-environ's own errors do not name the variable and may show a secret.
        raise BadValueError("cannot be read", "see its row in docs/configuration.md") from None
