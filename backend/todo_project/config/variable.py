"""What a row of the schema is, and how django-environ reads the text of each kind, once its shape is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from environ import Env

from todo_project.config import urls
from todo_project.config.environments import ENVIRONMENTS
from todo_project.config.findings import BadValueError, shown

Reader = Literal["django", "gunicorn", "worker", "compose", "backup", "release", "make"]


@dataclass(frozen=True, slots=True)
class Derived:
    """A default that follows from other values; `text` says how. A computed text is parsed like any other."""

    text: str
    compute: Callable[[Mapping[str, Any]], Any]


Default = str | Derived | None


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    `default` is written as in an env file. Where there is none, the value is None, or an error if the variable
    is `required`; `missing` says what to write then. Each environment must have its `own` value: two that
    share it are refused. `example` is the placeholder in envs/*.env.example. Besides its `reader`, `compose`
    variables are read by Compose, which hands them to the proxy.
    """

    name: str
    kind: str
    default: Default
    doc: str
    required: bool = False
    secret: bool = False
    own: bool = False
    reader: Reader = "django"
    compose: bool = False
    minimum: int = 0
    maximum: int = 0
    choices: tuple[str, ...] = ()
    example: str = ""
    missing: str = ""

    @property
    def takes_file(self) -> bool:
        """Return whether NAME_FILE works; Compose hands on values, and opens files only for secrets."""
        return self.secret or not (self.compose or self.reader in {"compose", "make", "backup", "release"})

    def default_in(self, env: str) -> Default:
        return ENVIRONMENTS[env].defaults.get(self.name, self.default)


def number(name: str, minimum: int, maximum: int, default: Default, **more: Any) -> Variable:
    return Variable(name, "integer", default, minimum=minimum, maximum=maximum, **more)


# What a value looks like, and an example of one.
# fmt: off
SHAPES: Final = {
    # django-environ takes every other word for False, and `0.25abc` for 0.25.
    "boolean": (r"(?i:true|yes|on|1|false|no|off|0)", "True or False"),
    "integer": (r"-?[0-9]{1,40}", "4"),
    "fraction": (r"0(?:\.[0-9]{1,6})?|1(?:\.0{1,6})?", "0.25"),
    "sentry_dsn": (r"https?://[^@/\s:]+(?::[^@/\s]*)?@[^@/\s]+/(?:[^\s?#]*/)?[0-9]+", "https://key@host/project-number"),
    "mail_address": (
        r"{0}@{1}|[^<>\r\n]*<{0}@{1}>".format(r"[^\s@<>]+", r"(?:[\w.-]+|\[(?:IPv6:)?[0-9a-f:.]+\])"),
        "todo@example.org or To-do <todo@example.org>"),
    "page": (
        r"https?://(?:[A-Za-z0-9_.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*/?",
        "https://todo.example.org/app"),
    "compose_files": (
        r"(?:[^:;]*/)?docker-compose\.yml[:;](?:[^:;]*/)?docker-compose\.prod\.yml(?:[:;][^:;]+)*",
        "docker-compose.yml:docker-compose.prod.yml"),
    "path": (r"[^\s:]+", "envs/prod.env"),
    "project_name": (r"[a-z0-9][a-z0-9_-]*", "todo-prod"),
    "image_tag": (r"\w[\w.-]{0,127}", "local, 1.4.2 or a commit id"),
    "image_repository": (
        r"(?!.*/todo-(?:backend|proxy|backup)$)[a-z0-9.-]+(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*",
        "registry.example.org/team, the folder of todo-backend, todo-proxy and todo-backup"),
    "memory": (r"[1-9][0-9]{0,6}[mg]", "512m or 2g"),
    "address": (r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*", "127.0.0.1 or ::1"),
    "time": (r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", "03:15"),
    "repository": (
        r"(?:sftp|rest|s3|swift|b2|azure|gs|rclone):\S+|/\S+", "sftp:user@host:/path or rest:https://user:password@host/"),
    "bucket": (r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9._/-]*)?", "s3://bucket/prefix"),
    "endpoint": (r"https?://(?:[A-Za-z0-9_.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?/?", "https://s3.example.org"),
    "word": (r"[A-Za-z0-9._/+=-]{1,256}", "eu-central-1"),
    "site_address": (
        r"(?:https?://)?(?:[A-Za-z0-9_*.-]+|\[[0-9a-f:.]+\])?(?::[1-9][0-9]{0,4})?",
        "todo.example.org, localhost, or :80 behind another proxy that does TLS"),
}
# fmt: on
_NOUNS: Final = {"compose_files": "list of Compose files", "page": "URL of a page", "sentry_dsn": "Sentry DSN"}


def each(read: Callable[[str], str]) -> Callable[[Env, str], list[str]]:
    """Return the reader of a list; it reads every item and raises once for all that are bad."""

    def read_all(env: Env, name: str) -> list[str]:
        good: list[str] = []
        bad: list[BadValueError] = []
        # django-environ keeps the spaces of `a, b`.
        for item in filter(None, map(str.strip, env.list(name))):
            try:
                good.append(read(item))
            except BadValueError as error:
                bad.append(error)
        if not good and not bad:
            raise BadValueError("is a list without items", "name at least one or remove the line", code="empty")
        if bad:
            raise BadValueError(", and ".join(error.problem for error in bad), bad[0].instead, code=bad[0].code)
        return good

    return read_all


READERS: Final[dict[str, Callable[[Env, str], Any]]] = {  # the other kinds are texts
    "boolean": Env.bool,
    "integer": Env.int,
    "fraction": Env.float,
    "secret_keys": each(str),
    "hosts": each(urls.host),
    "origins": each(urls.origin),
    "trusted_origins": each(urls.trusted_origin),
    "origin_patterns": each(urls.pattern),
    "origin": lambda env, name: urls.origin(env.str(name), "https?"),
    "database_url": urls.database,
    "mail_url": urls.email,
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
        raise BadValueError(f"is {value}, which is out of range", _advice(row), code="range")
    return value


def _check(row: Variable, text: str) -> None:
    if not text:
        raise BadValueError("is empty", "give it a value or remove the line", code="empty")
    if text.startswith("$"):
        problem = "starts with `$`, which is a reference to another variable that was not replaced"
        raise BadValueError(problem, "write the value itself; a secret must not start with `$`", code="dollar")
    expected = "|".join(row.choices) or SHAPES.get(row.kind, ("(?s:.*)", ""))[0]
    if not re.fullmatch(expected, text):
        subject = "is" if row.secret else f"is {shown(text)}, which is"
        kind = _NOUNS.get(row.kind, row.kind.replace("_", " "))
        raise BadValueError(f"{subject} not a valid {kind}", _advice(row))


def _advice(row: Variable) -> str:
    if row.choices:
        return f"write one of {', '.join(row.choices)}"
    if row.kind == "integer":
        return f"write a whole number from {row.minimum} to {row.maximum}"
    return f"write, for example, {SHAPES[row.kind][1]}"
