"""This will read lines of an env file as each of its three readers does.

The files in envs/ are read by Compose (`--env-file` and `env_file:`), by django-environ (without
containers) and by `docker run --env-file`. Compose and docker are emulated after compose-go's and the
docker CLI's parsers; tests/e2e/test_env_parsers.py compares the emulations with the real programs.
django-environ is called itself.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import environ

# What Go's unicode.IsSpace accepts; Python's str.isspace() also takes \x1c to \x1f.
_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_BLANKS = "\t\v\f\r \x85\xa0"  # the parser's own isSpace: within a line
_KEY_END = re.compile(r"[=:\n]")
_KEY_CHARACTERS = re.compile(rf"(?:[{_BLANKS}_.\-\[\]]|[^\W_])*")
_EXPORT = re.compile(r"export[\t\n\v\f\r ]+")
_ESCAPE = re.compile(r"\\(?:[abcfnrtv$\"\\]|0\d{0,3})")
_ESCAPES = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True))
_DOLLAR = re.compile(r"\$(?:(\$)|([_a-zA-Z][_a-zA-Z0-9]*)|(\{))")
_BRACED = re.compile(r"([_a-zA-Z][_a-zA-Z0-9]*)(?:(:?[-?+])(.*))?", re.DOTALL)

Pairs = tuple[tuple[str, str | None], ...]


class Reading(NamedTuple):
    """What one reader makes of a stretch of lines: assignments (None: taken from its surroundings) or an error."""

    pairs: Pairs = ()
    error: str = ""


class Statement(NamedTuple):
    """What Compose makes of one statement, which may span lines."""

    first: int
    last: int
    reading: Reading
    expanded: bool = False


class RefusedError(Exception):
    """Compose refuses the whole file because of this statement."""


def django(line: str) -> Reading:
    """This will read one line with django-environ's own read_env."""
    logger = logging.getLogger("environ.environ")
    before, logger.disabled = logger.disabled, True  # it would log the line, secrets and all
    _Collector.ENVIRON = {}
    try:
        _Collector.read_env(io.StringIO(line))
    finally:
        logger.disabled = before
    return Reading(tuple(_Collector.ENVIRON.items()))


class _Collector(environ.Env):  # type: ignore[misc] # has no type marker
    ENVIRON: Any = {}


def docker_run(line: str) -> Reading:
    """This will read one line as `docker run --env-file` does: raw, nothing removed but white space in front."""
    line = line.removesuffix("\r").lstrip(_SPACES)
    if not line or line.startswith("#"):
        return Reading()
    name, equals, value = line.partition("=")
    if not name:
        return Reading(error="there is no name before the `=`")
    if any(char in name for char in " \t"):
        return Reading(error="there is white space in the name")
    return Reading(((name, value if equals else None),))


def compose(text: str, environment: Mapping[str, str]) -> Iterator[Statement]:
    """This will read a whole file as Compose does; after an error it goes on with the next line."""
    parser = _Compose(text.removeprefix("\ufeff").replace("\r\n", "\n"), environment)
    while parser.skip():
        yield parser.statement()


class _Compose:
    def __init__(self, text: str, environment: Mapping[str, str]) -> None:
        self.text = text
        self.position = 0
        self.values: dict[str, str] = {}
        self.environment = environment
        self.expanded = False

    def skip(self) -> bool:
        """Go to the next statement, past white space and comments."""
        while True:
            rest = self.text[self.position :].lstrip(_SPACES)
            self.position = len(self.text) - len(rest)
            if not rest.startswith("#"):
                return bool(rest)
            end = rest.find("\n")
            self.position = len(self.text) if end < 0 else self.position + end

    def statement(self) -> Statement:
        start = self.position
        self.expanded = False
        try:
            name, inherited = self._key()
            value = None if inherited else self._value()
            if value is not None:
                self.values[name] = value
            reading = Reading(((name, value),))
        except RefusedError as refused:
            end = self.text.find("\n", start)
            self.position = len(self.text) if end < 0 else end + 1
            reading = Reading(error=str(refused))
        last = max(start, min(self.position, len(self.text)) - 1)
        consumed = self.text[start : last + 1].rstrip("\n")
        first_line = self.text.count("\n", 0, start) + 1
        return Statement(first_line, first_line + consumed.count("\n"), reading, self.expanded)

    def _key(self) -> tuple[str, bool]:
        export = _EXPORT.match(self.text, self.position)
        if export:
            rest = self.text[self.position + len("export") :]
            self.position = len(self.text) - len(rest.lstrip(_BLANKS))
        end = _KEY_END.search(self.text, self.position)
        stop = end.start() if end else len(self.text)
        key = self.text[self.position : stop]
        allowed = _KEY_CHARACTERS.match(key)
        if allowed is None or allowed.end() != len(key):
            raise RefusedError("there is a character in the name that does not belong there")
        if not key and end is None:
            raise RefusedError("there is an `export` of nothing")
        if end is None:  # the last line, without `=` and newline: compose-go loses its name
            return "", False
        if " " in key.rstrip(_SPACES):
            raise RefusedError("there is a space in the name")
        rest = self.text[end.end() :]
        self.position = len(self.text) - len(rest.lstrip(_BLANKS))
        return key.rstrip(_SPACES), end.group() == "\n"

    def _value(self) -> str:
        quote = self.text[self.position : self.position + 1]
        if quote in {"'", '"'}:
            return self._quoted(quote)
        end = self.text.find("\n", self.position)
        end = len(self.text) if end < 0 else end
        value = self.text[self.position : end].partition(" #")[0].rstrip(_SPACES)
        self.position = end + 1
        return self._expand(value)

    def _quoted(self, quote: str) -> str:
        body = re.compile(rf"((?:[^\\{quote}]|\\.)*){quote}", re.DOTALL).match(self.text, self.position + 1)
        if body is None:
            raise RefusedError("the quoted value does not end")
        self.position = body.end()
        value = body[1].replace(f"\\{quote}", quote)
        return self._expand(_ESCAPE.sub(_unescape, value)) if quote == '"' else value

    def _expand(self, value: str) -> str:
        if "$" not in value:
            return value
        self.expanded = True
        return self._substitute(value)

    def _substitute(self, template: str) -> str:
        parts: list[str] = []
        position = 0
        while match := _DOLLAR.search(template, position):
            parts.append(template[position : match.start()])
            position = match.end()
            if match[1]:
                parts.append("$")
            elif match[2]:
                parts.append(self._lookup(match[2]) or "")
            else:
                end = _closing(template, position)
                parts.append(self._braced(template[position:end]))
                position = end + 1
        return "".join([*parts, template[position:]])

    def _braced(self, inner: str) -> str:
        match = _BRACED.fullmatch(inner)
        if match is None:
            raise RefusedError("there is a `${…}` that is no variable")
        value, operator = self._lookup(match[1]), match[2] or ""
        there = bool(value) if operator.startswith(":") else value is not None
        if operator.endswith("-"):
            return (value or "") if there else self._substitute(match[3])
        if operator.endswith("+"):
            return self._substitute(match[3]) if there else ""
        if operator.endswith("?") and not there:
            raise RefusedError("there is a `${…?…}` whose variable is not set")
        return value or ""

    def _lookup(self, name: str) -> str | None:
        return self.environment.get(name, self.values.get(name))


def _closing(template: str, position: int) -> int:
    depth = 1
    for index in range(position, len(template)):
        if template.startswith("${", index):
            depth += 1
        elif template[index] == "}":
            depth -= 1
            if not depth:
                return index
    raise RefusedError("there is a `${` without its `}`")


def _unescape(match: re.Match[str]) -> str:
    escape = match[0][1:]
    if escape == "$":
        return "$$"
    if escape.startswith("0"):
        octal = re.fullmatch("[0-3][0-7]{2}", escape[1:])
        return chr(int(octal[0], 8)) if octal else f"\\{escape[1:]}"
    return _ESCAPES.get(escape, match[0])
