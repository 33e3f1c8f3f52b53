"""The text of a task while it is read: folded, with spans that are taken."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SPACES = {code: 0x20 for code in range(0x3001) if chr(code).isspace()}
_FOLDED = _WIDE | _SPACES
# letters and digits of scripts whose words have spaces between them
LETTER = r"a-z0-9_\u00c0-\u024f\u0370-\u052f"
# quotes that keep words in the title, each with its closing one
QUOTES = {'"': '"', "\u201c": "\u201d", "\u300c": "\u300d", "\u300e": "\u300f", "\u300a": "\u300b"}
# what stands beside one of these is quoted, although the other one is missing
OPENING, CLOSING = "".join(QUOTES), "".join(QUOTES.values())
_SEPARATORS = ",;:\u3001\u3002"
_PUNCTUATION = " .!?" + _SEPARATORS
_PARENTHESES = ("()", "[]", "\u3010\u3011")
_DASHES = (" -", " \u2013", " \u2014")
_SPACED_DASHES = tuple(f"{dash} " for dash in _DASHES)
_FIRST_SEPARATOR = re.compile(rf" *(?:[{_SEPARATORS}]+(?= |[^{LETTER}])|[-\u2013\u2014](?= ))")
# what follows a word without a space; ":)" does not
_CLOSING = re.compile(rf" *(?:[.!?{_SEPARATORS}]+(?: |\Z)|\))")


def fold(text: str) -> str:
    """Return the text in lower case and with full-width ASCII made narrow, each character in its place."""
    lower = "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
    return lower.translate(_FOLDED)


@dataclass(frozen=True, order=True)
class Span:
    """A part of the text that was understood, as `kind`; counted in code points."""

    start: int
    end: int
    kind: str


def is_blank(text: str) -> bool:
    """Return whether folded text has only spaces and punctuation."""
    return not text.strip(_PUNCTUATION + OPENING + CLOSING)


def without(text: str, spans: list[Span]) -> str:
    """Return the text without the spans, and with its spaces tidied."""
    rest, end = "", 0
    for span in [*spans, Span(len(text), len(text), "")]:
        chunk = text[end : span.start]
        rest = rest.rstrip() + chunk.lstrip() if rest and _CLOSING.match(fold(chunk)) else rest + chunk
        end = span.end
    return " ".join(rest.split())


def tidied(folded: str, spans: list[Span]) -> list[Span]:
    """Return the spans in order, with neighbours of a kind joined, and with the separators beside them."""
    joined: list[Span] = []
    for span in sorted(spans):
        last = joined[-1] if joined else None
        gap = folded[last.end : span.start] if last else ""
        if last and not (gap.strip(" " + _SEPARATORS) and gap not in _SPACED_DASHES):
            is_same = last.kind == span.kind
            joined[-1] = Span(last.start, span.end if is_same else last.end + len(gap.rstrip()), last.kind)
            joined += [] if is_same else [span]
        else:
            joined.append(span)
    joined = [_with_second_separator(folded, _with_parentheses(folded, span)) for span in joined]
    return _with_last_separator(folded, _with_first_separator(folded, joined))


def _with_parentheses(folded: str, span: Span) -> Span:
    if folded[max(0, span.start - 1) : span.start] + folded[span.end : span.end + 1] in _PARENTHESES:
        return Span(span.start - 1, span.end + 1, span.kind)
    return span


def _with_second_separator(folded: str, span: Span) -> Span:
    """Return the span with the comma behind it, if there is one before it as well."""
    before, behind = folded[: span.start].rstrip(" ")[-1:], folded[span.end : span.end + 1]
    return (
        Span(span.start, span.end + 1, span.kind) if behind and before == behind and behind in ",;\u3001" else span
    )


def _with_first_separator(folded: str, spans: list[Span]) -> list[Span]:
    end = 0
    for index, span in enumerate(spans):
        if folded[end : span.start].strip():
            break
        end = span.end
        is_last = index + 1 == len(spans) or folded[end : spans[index + 1].start].strip()
        separator = _FIRST_SEPARATOR.match(folded, end)
        if is_last and separator and span.kind != "escape":
            spans[index] = Span(span.start, separator.end(), span.kind)
    return spans


def _with_last_separator(folded: str, spans: list[Span]) -> list[Span]:
    begin = len(folded)
    for index in reversed(range(len(spans))):
        span = spans[index]
        if folded[span.end : begin].strip(_PUNCTUATION):
            break
        begin = span.start
        before = folded[spans[index - 1].end if index else 0 : begin]
        kept = before.rstrip(" " + _SEPARATORS)
        kept = kept[:-2].rstrip() if kept.endswith(_DASHES) else kept
        if kept and len(kept) < len(before.rstrip()) and span.kind != "escape":
            spans[index] = Span(span.start - len(before) + len(kept), span.end, span.kind)
    return spans


def group(match: re.Match[str], name: str) -> str | None:
    """Return what a group matched, or None if it did not or if the pattern has no such group."""
    return match.groupdict().get(name)
