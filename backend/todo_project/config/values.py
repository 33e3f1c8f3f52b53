"""This will turn the text of a variable into its value: django-environ with its loose ends closed.

What django-environ 0.14 does by itself, and why each is refused here, is in docs/configuration.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import environ

from todo_project.config import urls
from todo_project.config.problems import BadValueError, noted, together
from todo_project.config.variable import Variable

TRUE = ("true", "yes", "on", "1")
FALSE = ("false", "no", "off", "0")

_HOST_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?:{_HOST_LABEL}(?:\.{_HOST_LABEL})*\.?|\[[0-9a-f:.]+\])", re.IGNORECASE)
_SEPARATORS = re.compile(r"[;\s]+")
_INTEGER = re.compile(r"-?[0-9]{1,40}")
_FRACTION = re.compile(r"(?:0(?:\.[0-9]{1,6})?|1(?:\.0{1,6})?)")


class StrictEnv(environ.Env):  # type: ignore[misc] # has no type marker
    """django-environ over one mapping, without defaults, without following `$` to other variables."""

    ENVIRON: Any

    def __init__(self, values: MutableMapping[str, str]) -> None:
        super().__init__()
        self.ENVIRON = values  # an own mapping: the process environment is never written to

    def get_value(
        self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        """This will return one value, or raise BadValueError (also where django-environ is silent)."""
        text = self.ENVIRON.get(var)
        if text is None or not text.strip():
            raise BadValueError("is empty", "give it a value or remove the line", code="empty")
        if text.startswith("$"):
            raise BadValueError(
                "starts with `$`, which is an unexpanded reference to another variable or becomes one",
                "write the value itself; a secret must not start with `$`",
                code="dollar",
            )
        if "\0" in text:
            raise BadValueError("holds a NUL byte", "remove it", code="nul")
        return super().get_value(var, cast=cast, default=default, parse_default=parse_default)

    def text(self, name: str) -> str:
        """This will return a variable's text without the white space around it."""
        value: str = self.get_value(name, cast=str)
        return value.strip()


def shown(text: str) -> str:
    """This will quote a value that is no secret: one line, short, without credentials in a URL."""
    text = re.sub(r"//[^/@\s]*@", "//****@", text)
    # A line that was joined to the next one has that one's value, perhaps a secret, behind an `=`.
    text = re.sub(r"[=\x00-\x1f\x7f\x85\u2028\u2029].*", "…", text, flags=re.DOTALL)
    return repr(text if len(text) <= 60 else f"{text[:57]}…")


def boolean(env: StrictEnv, variable: Variable) -> bool:
    """This will read true or false; anything else, which django-environ takes for false, is refused."""
    word = env.text(variable.name).lower()
    if word not in TRUE + FALSE:
        raise BadValueError(f"is {shown(word)}, which is neither true nor false", "write True or False")
    return bool(env.bool(variable.name))


def integer(env: StrictEnv, variable: Variable) -> int:
    """This will read a whole number within the variable's range."""
    text = env.text(variable.name)
    if not _INTEGER.fullmatch(text):
        raise BadValueError(f"is {shown(text)}, which is not a whole number", f"write {_range(variable)}")
    value: int = env.int(variable.name)
    low, high = variable.minimum, variable.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise BadValueError(f"is {value}, out of range", f"write {_range(variable)}", code="range")
    return value


def _range(variable: Variable) -> str:
    return f"a whole number from {variable.minimum} to {variable.maximum}"


def fraction(env: StrictEnv, variable: Variable) -> float:
    """This will read a share from 0 to 1 (django-environ's float takes `0.25abc` for 0.25)."""
    text = env.text(variable.name)
    if not _FRACTION.fullmatch(text):
        raise BadValueError(f"is {shown(text)}, which is not a number from 0 to 1", "write for example 0.25")
    return float(text)


def choice(env: StrictEnv, variable: Variable) -> str:
    """This will read one of the variable's words, exactly as written there."""
    text = env.text(variable.name)
    if text not in variable.choices:
        raise BadValueError(
            f"is {shown(text)}, which is none of its values", f"write one of {', '.join(variable.choices)}"
        )
    return text


def items(env: StrictEnv, variable: Variable) -> list[str]:
    """This will read a comma-separated list, its items trimmed (django-environ keeps the spaces)."""
    found = [item.strip() for item in env.list(variable.name)]
    found = [item for item in found if item]
    if not found:
        raise BadValueError("is a list without an item", "name at least one or remove the line", code="empty")
    return found


def _each(found: list[str], read: Callable[[str], str]) -> list[str]:
    """Read every item and raise once for all that are bad."""
    good: list[str] = []
    bad: list[BadValueError] = []
    for item in found:
        with noted(bad):
            good.append(read(item))
    if bad:
        raise together(bad)
    return good


def hosts(env: StrictEnv, variable: Variable) -> list[str]:
    """This will read host names as Django's ALLOWED_HOSTS takes them: no scheme, port or path."""
    found = items(env, variable)
    try:
        return _each(found, _host)
    except BadValueError as bad:
        bad.meant = [_bare_host(name) for item in found for name in _SEPARATORS.split(item)]
        raise


def _host(text: str) -> str:
    if _SEPARATORS.search(text):
        raise BadValueError(f"holds {shown(text)}, which is not one host name", "separate names by commas")
    if text != "*" and not _HOST.fullmatch(text.removeprefix(".")):
        raise BadValueError(
            f"holds {shown(text)}, which is not a host name",
            f"write only the name, without scheme, port or path: {_bare_host(text)}",
        )
    return text


def _bare_host(text: str) -> str:
    name = re.sub(r"^[a-z+]*:/*|[/:?#].*$", "", text.strip("\"'[] "))
    if name.startswith("*.") and _HOST.fullmatch(name[2:]):
        return name[1:]  # Django's way to say all names below
    return name if _HOST.fullmatch(name) else "todo.example.org"


def origins(env: StrictEnv, variable: Variable) -> list[str]:
    """This will read origins, scheme://host[:port] each, lower-case as browsers send them."""
    return _each(items(env, variable), _listed_origin)


def _listed_origin(text: str) -> str:
    if _SEPARATORS.search(text):
        raise BadValueError(f"holds {shown(text)}, which is not one origin", "separate origins by commas")
    return origin(text)


def origin(text: str) -> str:
    """This will return an origin or say which part is missing or too much."""
    like = "write scheme and host only, such as https://todo.example.org"
    if text == "*":
        raise BadValueError("holds `*`, which lets every site in", "name the origins one by one", code="insecure")
    if "://" not in text:
        raise BadValueError(f"holds {shown(text)}, which lacks its scheme", like)
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise BadValueError(f"holds {shown(text)}, which is not a URL", like) from None
    if parts.scheme not in {"http", "https"}:
        raise BadValueError(f"holds {shown(text)}, which is neither http nor https", like)
    if "@" in parts.netloc:
        raise BadValueError("holds a user name or password", like)
    if parts.path or parts.query or parts.fragment or text.endswith(("?", "#")):
        what = "a trailing slash" if parts.path == "/" and text.endswith("/") else "a path"
        raise BadValueError(f"holds {shown(text)}, which has {what}", f"write {parts.scheme}://{parts.netloc}")
    if not _HOST.fullmatch(re.sub(r":[0-9]*$", "", parts.netloc)) or parts.netloc.endswith(":"):
        raise BadValueError(f"holds {shown(text)}, whose host is not a host name", like)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def site(env: StrictEnv, variable: Variable) -> str:
    """This will read the address of the site, an origin."""
    try:
        return origin(env.text(variable.name))
    except BadValueError as bad:
        raise BadValueError(bad.problem.replace("holds '", "is '", 1), bad.instead, code=bad.code) from None


def text(env: StrictEnv, variable: Variable) -> str:
    """This will read a text without the white space around it."""
    return env.text(variable.name)


def secret_list(env: StrictEnv, variable: Variable) -> list[str]:
    """This will read a comma-separated list of secrets."""
    return items(env, variable)


def database(env: StrictEnv, variable: Variable) -> dict[str, Any]:
    """This will read a database URL into Django's DATABASES entry."""
    return urls.database(env.text(variable.name))


def email(env: StrictEnv, variable: Variable) -> dict[str, Any]:
    """This will read a mail URL into Django's EMAIL_* settings."""
    return urls.email(env.text(variable.name))


def dsn(env: StrictEnv, variable: Variable) -> str:
    """This will read a Sentry DSN, https://key@host/project."""
    text = env.text(variable.name)
    if not re.fullmatch(r"https?://[^@/\s:]+(?::[^@/\s]*)?@[^@/\s]+/(?:[^\s?#]*/)?[0-9]+", text):
        raise BadValueError("is not a Sentry DSN", "copy it from Sentry: https://key@host/project-number")
    return text


def matching(pattern: str, what: str, instead: str) -> Callable[[StrictEnv, Variable], str]:
    """This will make a reader of texts that match a pattern."""

    def read(env: StrictEnv, variable: Variable) -> str:
        text = env.text(variable.name)
        if not re.fullmatch(pattern, text):
            raise BadValueError(f"is {shown(text)}, which is not {what}", instead)
        return text

    return read


KINDS: Mapping[str, Callable[[StrictEnv, Variable], Any]] = {
    "boolean": boolean,
    "integer": integer,
    "fraction": fraction,
    "choice": choice,
    "hosts": hosts,
    "origins": origins,
    "site": site,
    "secret_key": text,
    "password": text,
    "secret_list": secret_list,
    "database": database,
    "email": email,
    "dsn": dsn,
    "mail_address": matching(
        r"{0}@{1}|[^<>\r\n]*<{0}@{1}>".format(r"[^\s@<>]+", r"(?:[\w.-]+|\[IPv6:[0-9a-f:.]+\])"),
        "a mail address",
        "write todo@example.org or To-do <todo@example.org>",
    ),
    "project_name": matching(
        r"[a-z0-9][a-z0-9_-]*",
        "a Compose project name",
        "write lower-case letters, digits, - and _, beginning with a letter or digit",
    ),
    "image_tag": matching(
        r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", "an image tag", "write for example local, 1.4.2 or a commit id"
    ),
    "clock": matching(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", "a time of day", "write for example 03:15"),
    "age_recipient": matching(
        r"age1[ac-hj-np-z02-9]{58}", "a public key of age", "copy it from the output of age-keygen: age1…"
    ),
    "base64": matching(r"[A-Za-z0-9+/]{40,}={0,2}", "base64 in one line", "write it as `base64 -w0` prints it"),
    "bucket": matching(
        r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9._/-]*)?",
        "the address of a bucket",
        "write s3://bucket or s3://bucket/prefix",
    ),
    "endpoint": matching(
        r"https?://(?:[A-Za-z0-9_.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?/?",
        "the address of a server",
        "write for example https://s3.example.org",
    ),
    "word": matching(r"[A-Za-z0-9._/+=-]{1,256}", "one word", "write letters, digits and . _ - only"),
    "ip_address": matching(
        r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9a-f:]*:[0-9a-f:.]*", "an IP address", "write for example 127.0.0.1"
    ),
    "memory": matching(r"[1-9][0-9]*[kmg]", "an amount of memory", "write for example 512m or 2g"),
    "site_address": matching(
        r"(?:https?://)?(?:[A-Za-z0-9_*.-]+|\[[0-9a-f:.]+\])?(?::[0-9]{1,5})?",
        "an address that the proxy can serve",
        "write a host name, localhost, or :80 behind somebody else's TLS",
    ),
}


def parse(variable: Variable, text: str) -> Any:
    """This will return the typed value of a variable's text, or raise BadValueError."""
    try:
        return KINDS[variable.kind](StrictEnv({variable.name: text}), variable)
    except ValueError:
        # django-environ's own errors name no variable and may show a secret.
        raise BadValueError("cannot be read", "see its row in docs/configuration.md") from None
