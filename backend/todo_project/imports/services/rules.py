"""Reads the recurrence rules of files, before the domain parses them."""

from __future__ import annotations

import re

_START = re.compile(r"[0-9]{8}T([0-9]{2})([0-9]{2})([0-9]{2})")
_TIME = ("BYHOUR", "BYMINUTE", "BYSECOND")


def without_time(rule: str, start: str) -> str:
    """Return an RRULE in upper case, without the parts that only repeat the time of its DTSTART.

    A rule whose DTSTART is a date has no time, whatever it says (RFC 5545, section 3.3.10).
    """
    found = _START.match(start.strip().upper())
    time = found.groups() if found else None
    parts = rule.strip().rstrip(";").upper().split(";")
    return ";".join(part for part in parts if not _repeats(part, time))


def _repeats(part: str, time: tuple[str, ...] | None) -> bool:
    name, _, value = part.partition("=")
    return name in _TIME and (time is None or (bool(value) and value.zfill(2) == time[_TIME.index(name)]))
