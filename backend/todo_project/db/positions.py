"""Fractional indexes: strings that sort between two others, so that moving a row writes that row only.

A position is a sequence of numbers. The first character of each number says how many digits follow, so that a
longer number sorts after a shorter one: `i1`, `i2` … `iz`, `j01` … upwards, `hz`, `hy` … `h1`, `gzz` … downwards.
A row at the end of a list gets the next number, so lengths grow with the logarithm; a row between two neighbours
gets the position of the first with another number appended. No position ends in 0, so there is always room before
it. Any string of digits and lower-case letters that does not end in 0 is a valid position.
"""

from __future__ import annotations

import re

# \Z, as Python's $ also matches before a line break at the end; PostgreSQL knows both
PATTERN = r"^[0-9a-z]*[1-9a-z]\Z"
MAX_LENGTH = 100
# what people may choose; the rest is for positions between and after those
CHOSEN_MAX_LENGTH = 50
FIRST = "i1"

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE = len(_DIGITS)
_UP = _DIGITS.index("i")  # from this head on, numbers count upwards from nothing
_DIGITS_MAX = 7
_LOWEST = _DIGITS[0] * (1 + _DIGITS_MAX)  # the lowest number; not counted to, as it ends in 0
_VALID = re.compile(PATTERN)


def between(before: str | None, after: str | None) -> str:
    """Return a position after `before` and before `after`; None stands for the start or the end of the list.

    Raises ValueError if either is not a position, or if they are not in order.
    """
    for given in (before, after):
        if given is not None and not _VALID.fullmatch(given):
            raise ValueError(f"{given!r} is not a position")
    if before is not None and after is not None and before >= after:
        raise ValueError(f"{before!r} does not come before {after!r}")
    return _between(before or "", after)


def spread(count: int, before: str | None = None, after: str | None = None) -> list[str]:
    """Return `count` positions in order, all after `before` and before `after`."""
    positions: list[str] = []
    for _ in range(count):
        before = between(before, after)
        positions.append(before)
    return positions


def evenly(count: int, before: str | None, after: str | None, *, length: int) -> list[str] | None:
    """Return `count` evenly spaced positions, as short as possible; None if `length` characters are not enough.

    Positions of one length are treated as integers to the base 36. The distance is at least 2, so that a number
    that ends in 0 can be replaced with the next one.
    """
    for width in range(1, length + 1):
        low = _whole(before or "", width)
        high = _BASE**width if after is None else _whole(after, width)
        step = (high - low) // (count + 1)
        if step >= 2:
            values = (low + step * number for number in range(1, count + 1))
            return [_text(value + (value % _BASE == 0), width) for value in values]
    return None


def _whole(position: str, width: int) -> int:
    return int(position[:width].ljust(width, "0"), _BASE)


def _between(before: str, after: str | None) -> str:
    if not before and after is None:
        return FIRST
    if not before:
        return _below(after or "")
    low, low_rest = _split(before)
    higher = _counted(low, 1)
    if after is None:
        return higher or low + _between(low_rest, None)
    high, high_rest = _split(after)
    if low == high:
        return low + _between(low_rest, high_rest)
    if higher is not None and (higher < high or (higher == high and high_rest)):
        return higher
    return low + _between(low_rest, None)


def _below(after: str) -> str:
    high, rest = _split(after)
    lower = _counted(high, -1)
    if lower is None and not rest:
        return _LOWEST + FIRST
    return lower or high + _between("", rest)


def _split(position: str) -> tuple[str, str]:
    """Split off the first number, padded with zeros to the length that its first character announces."""
    length = 1 + _digits_after(position[0])
    return position[:length].ljust(length, "0"), position[length:]


def _digits_after(head: str) -> int:
    value = _DIGITS.index(head)
    distance = value - _UP if value >= _UP else _UP - 1 - value
    return min(1 + distance, _DIGITS_MAX)


def _counted(number: str, step: int) -> str | None:
    """Return the next number up or down that does not end in 0, or None at the last."""
    head, digits = number[0], number[1:]
    value = int(digits, _BASE) + step
    if value % _BASE == 0:
        value += step
    if 0 < value < _BASE ** len(digits):
        return head + _text(value, len(digits))
    next_head = _DIGITS.index(head) + step
    if not 0 <= next_head < _BASE:
        return None
    head = _DIGITS[next_head]
    width = _digits_after(head)
    return head + _text(1 if step > 0 else _BASE**width - 1, width)


def _text(value: int, width: int) -> str:
    text = ""
    for _ in range(width):
        value, digit = divmod(value, _BASE)
        text = _DIGITS[digit] + text
    return text
