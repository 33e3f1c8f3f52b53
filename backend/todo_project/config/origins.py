"""Hosts and origins: scheme://host[:port], as a browser sends them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from todo_project.config.findings import BadValueError, shown

_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST: Final = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9a-f:.]+\])", re.IGNORECASE)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)
# The domain at the end is literal, so that nobody can register a name that matches.
_PATTERN: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://(?:localhost|127\\\.0\\\.0\\\.1|[^|/]*?[a-z0-9-]+\\\.[a-z]{2,})(?::[^|/.]+)?"
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LIKE: Final = "write scheme and host only, such as https://todo.example.org"
_LIKE_PATTERN: Final = (
    r"write scheme and domain literally, with \. for a dot and no | or comma: https://pr-[0-9]+\.example\.org"
)


def host_of(url: str | None) -> str:
    """Return a URL's host, an IPv6 address in its brackets; an empty text if there is none."""
    host = urlsplit(url or "").hostname or ""
    return f"[{host}]" if ":" in host else host


def host(text: str) -> str:
    """Return a host name as Django's ALLOWED_HOSTS takes it; raise BadValueError for anything else."""
    if re.search(r"[;\s]", text):
        raise BadValueError(f"has {shown(text)}, which is not one host name", "separate names with commas")
    if text != "*" and not _HOST.fullmatch(text.removeprefix(".")):
        example = "without scheme, port or path: todo.example.org, or .example.org for all below"
        raise BadValueError(f"has {shown(text)}, which is not a host name", f"write only the name, {example}")
    return text


def origin(text: str) -> str:
    """Return an origin in lower case and without a default port, or say which part is missing or too much."""
    if text == "*":
        raise BadValueError("has `*`, which allows every site", "name the origins one by one", code="insecure")
    if re.search(r"[;\s]", text):
        raise BadValueError(f"has {shown(text)}, which is not one origin", "separate origins with commas")
    if "://" not in text:
        raise BadValueError(f"has {shown(text)}, which lacks its scheme", _LIKE)
    parts, port = _split(text)
    if "@" in parts.netloc:
        raise BadValueError("has a user name or password", _LIKE)
    if parts.path or parts.query or parts.fragment or text.endswith(("?", "#")):
        what = "a trailing slash" if parts.path == "/" and text.endswith("/") else "a path"
        raise BadValueError(f"has {shown(text)}, which has {what}", f"write {parts.scheme}://{parts.netloc}")
    name = re.sub(r":[0-9]*$", "", parts.netloc).lower()
    if name.startswith("*."):
        raise BadValueError(
            f"has {shown(text)}, but only CSRF_TRUSTED_ORIGINS takes `*.`",
            r"name each origin, or write a pattern into CORS_ALLOWED_ORIGIN_REGEXES: https://.*\.example\.org",
        )
    if not _HOST.fullmatch(name) or not _SCHEME.fullmatch(parts.scheme) or parts.netloc.endswith(":"):
        raise BadValueError(f"has {shown(text)}, whose host is not a host name", _LIKE)
    return f"{parts.scheme}://{name}" + (f":{port}" if port not in {None, _DEFAULT_PORTS.get(parts.scheme)} else "")


def _split(text: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        return parts, parts.port
    except ValueError:
        raise BadValueError(f"has {shown(text)}, which is not a URL", _LIKE) from None


def trusted_origin(text: str) -> str:
    """Return an origin; https://*.example.org stands for every subdomain of at least two labels."""
    match = re.fullmatch(r"([a-z]+://)\*\.([^.]+\..+)", text, re.IGNORECASE)
    if not match:
        return origin(text)
    scheme, _, rest = origin(f"{match[1]}{match[2]}").partition("://")
    return f"{scheme}://*.{rest}"


def web_origin(text: str) -> str:
    """Return the address of a site, an http or https origin."""
    try:
        found = origin(text)
    except BadValueError as bad:
        raise BadValueError(bad.problem.replace("has '", "is '", 1), bad.instead, code=bad.code) from None
    if not found.startswith(("http://", "https://")):
        raise BadValueError(f"is {shown(text)}, which is neither http nor https", _LIKE)
    return found


def pattern(text: str) -> str:
    r"""Return a pattern anchored at both ends; django-cors-headers anchors the beginning only."""
    text = text.removeprefix("^").removesuffix("$")
    try:
        re.compile(text)
    except re.error:
        raise BadValueError(f"has {shown(text)}, which is not a regular expression", _LIKE_PATTERN) from None
    if not _PATTERN.fullmatch(text):
        raise BadValueError(f"has {shown(text)}, which can match origins of other people", _LIKE_PATTERN)
    return rf"\A(?:{text})\Z"
