"""The syntax of filters: parses a text to conditions, and formats conditions as text.

Parsing a formatted filter gives the same conditions again. The meaning of fields and values is in conditions.py.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import lark

from todo_project.errors import InvalidInput
from todo_project.todos.models.filtering import hints

LENGTH_MAX = 1000
CONDITIONS_MAX = 50
NESTED_MAX = 50
POINTER = "/filter"

# what an operator looks like if the keyboard is set to Chinese
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_WIDE_OPERATORS = "".join(chr(ord(each) + 0xFEE0) for each in "&|!():=<>")
_QUOTES = (('"', '"'), ("\uff02", "\uff02"), ("\u201c", "\u201d"))
_WORD = rf'[^\s&|!():=<>{_WIDE_OPERATORS}"\uff02\u201c\u201d]+'
_QUOTED = "(?:" + "|".join(rf"{begin}(?:[^{begin}{end}\\]|\\.)*{end}" for begin, end in _QUOTES) + ")"
_GRAMMAR = rf"""
start: _either
_either: either | _both
either: _both ("|" _both)+
_both: both | _one
both: _one ("&" _one)+
_one: "(" _either ")" | negation | condition
negation: "!" _one
condition: WORD OPERATOR (WORD | QUOTED)
    | WORD

OPERATOR: /<=|>=|!=|[:=<>]/
QUOTED: /{_QUOTED}/
WORD: /{_WORD}/
%ignore /\s+/
"""

_EXPECTED = {
    "WORD": "a word",
    "QUOTED": "words in quotes",
    "OPERATOR": "one of : = != < <= > >=",
    "VBAR": "|",
    "AMPERSAND": "&",
    "BANG": "!",
    "LPAR": "(",
    "RPAR": ")",
    "$END": "the end",
}


@dataclass(frozen=True)
class Condition:
    """One comparison, such as `priority>=3`, or a single word, such as `overdue`, without operator and value.

    `start` is the index of its first character in the text.
    """

    field: str
    operator: str = ""
    value: str = ""
    start: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True)
class Not:
    """The opposite of a filter."""

    filter: Filter


@dataclass(frozen=True)
class All:
    """Several filters, all of which must match."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True)
class AnyOf:
    """Several filters, one of which must match."""

    filters: tuple[Filter, ...]


Filter = Condition | Not | All | AnyOf


def _unquoted(token: lark.Token) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL) if token.type == "QUOTED" else str(token)


class _Filters(lark.Transformer[Any, Filter]):
    """Makes conditions of what the parser finds, while it parses, so that nothing recurses."""

    def start(self, found: list[Any]) -> Filter:
        return _only(found)

    def either(self, found: list[Any]) -> Filter:
        return AnyOf(tuple(found))

    def both(self, found: list[Any]) -> Filter:
        return All(tuple(found))

    def negation(self, found: list[Any]) -> Filter:
        return Not(_only(found))

    def condition(self, found: list[Any]) -> Filter:
        word, *rest = found
        operator, value = (str(rest[0]), _unquoted(rest[1])) if rest else ("", "")
        return Condition(word.lower(), operator, value, start=word.start_pos)


def _only(found: list[Any]) -> Filter:
    (one,) = found
    result: Filter = one
    return result


_parser = lark.Lark(_GRAMMAR, parser="lalr", transformer=_Filters())


@functools.lru_cache(maxsize=200)
def parse(text: str) -> Filter:
    """Return the conditions that the text describes; raise InvalidInput with the position of an error.

    A client sends the same few filters again and again. Parsing one takes a tenth of its request.
    """
    _check_length(text)
    text = re.sub(rf"{_QUOTED}|[{_WIDE_OPERATORS}]", _with_operators, text, flags=re.DOTALL)
    _check_size(text)
    try:
        parsed: Any = _parser.parse(text)
    except lark.UnexpectedCharacters as error:
        position = int(error.pos_in_stream or 0)
        raise _syntax_error(text, text[position:], position, error.allowed) from error
    except lark.UnexpectedToken as error:
        at_end = error.token.type == "$END"
        position = len(text) if at_end else int(error.token.start_pos or 0)
        found = "" if at_end else str(error.token)
        raise _syntax_error(text, found, position, error.accepts or error.expected) from error
    filter_: Filter = parsed
    return filter_


def _with_operators(found: re.Match[str]) -> str:
    """Return what is in quotes as it is, and an operator as the grammar has it."""
    return narrow(found[0]) if found[0] in _WIDE_OPERATORS else found[0]


def narrow(text: str) -> str:
    """Return the text with its full-width ASCII characters made narrow."""
    return text.translate(_WIDE)


def _syntax_error(text: str, found: str, position: int, expected: Iterable[str] | None) -> InvalidInput:
    """Return the error for a text that cannot be parsed because of what it has at a position, counted from 0."""
    expected = set(expected or ())
    what = f"there is {_shown(found)}" if found else "the filter ends"
    wanted = sorted(_EXPECTED[name] for name in expected if name in _EXPECTED)
    expectation = f" Expected {' or '.join(wanted)}." if wanted else ""
    hint = hints.for_syntax(_outside_quotes(text), position, expected)
    return invalid(f"At character {position + 1}, {what}.{expectation} {hint}", "syntax")


def invalid(detail: str, code: str) -> InvalidInput:
    """Return the error for a filter."""
    return InvalidInput(detail, pointer=POINTER, code=code)


def refused(condition: Condition, detail: str, code: str) -> InvalidInput:
    """Return the error for a condition, which says where it is."""
    return invalid(f"At character {condition.start + 1}, {detail}", code)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 20 else f"{text[:20]}…")


def _outside_quotes(text: str) -> str:
    """Return the text with spaces in place of what is in quotes."""
    return re.sub(_QUOTED, lambda quoted: " " * len(quoted[0]), text, flags=re.DOTALL)


def _check_length(text: str) -> None:
    if len(text) > LENGTH_MAX:
        raise invalid(f"A filter has at most {LENGTH_MAX} characters. Shorten it.", "max_length")


def _check_size(text: str) -> None:
    """Raise InvalidInput for a text that has too many conditions, or is nested too deeply."""
    outside = _outside_quotes(text).replace("!=", " =")
    for characters, most, limit in (
        ("&|", CONDITIONS_MAX - 1, f"{CONDITIONS_MAX} conditions"),
        ("(!", NESTED_MAX, f"{NESTED_MAX} parentheses and negations"),
    ):
        found = [position for position, character in enumerate(outside) if character in characters]
        if len(found) > most:
            raise invalid(
                f"At character {found[most] + 1}, the filter has more than {limit}. Remove some.", "too_complex"
            )


def format_filter(filter_: Filter) -> str:
    """Return the text of a filter; parsing it gives an equal filter."""
    return _FORMATS[type(filter_)](filter_)


def _format_condition(condition: Condition) -> str:
    if not condition.operator:
        return condition.field
    value = condition.value
    if not re.fullmatch(_WORD, value):
        value = '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
    return f"{condition.field}{condition.operator}{value}"


def _inside(filter_: Filter) -> str:
    text = format_filter(filter_)
    return f"({text})" if isinstance(filter_, All | AnyOf) else text


_FORMATS: dict[type, Callable[[Any], str]] = {
    Condition: _format_condition,
    Not: lambda negation: f"!{_inside(negation.filter)}",
    All: lambda every: " & ".join(_inside(each) for each in every.filters),
    AnyOf: lambda some: " | ".join(_inside(each) for each in some.filters),
}
