"""Finds the time zone of a TZID: IANA and Windows names, definitions in the file (VTIMEZONE), and UTC offsets.

A definition is converted once per calendar to a sorted list of transitions, so each look-up is a binary search. The
lists of a file have a limited length together.
"""

from __future__ import annotations

import bisect
import datetime as dt
import functools
import itertools
import re
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass, field

from todo_project.db import time_zones
from todo_project.errors import InvalidInput
from todo_project.imports.services import rules
from todo_project.imports.services.components import Component, unescaped
from todo_project.imports.services.windows_zones import IANA_NAMES
from todo_project.todos.services import occurrences, recurrence

MAX_DEFINITIONS = 50
MAX_TRANSITIONS = 20_000
MAX_TRANSITIONS_OF_FILE = 50_000
_TZID_LENGTH = 255
# what the rule of a definition counts for, because parsing it takes longer than reading a transition
TRANSITIONS_FOR_RULE = 100
_FIRST_DAY, _LAST_DAY = dt.date(1900, 1, 1), dt.date(2200, 12, 31)
_SEASONS = (dt.datetime(2020, 1, 15), dt.datetime(2020, 7, 15))  # noqa: DTZ001 - local on purpose
_OFFSET = re.compile(r"([+-])([0-9]{2})([0-9]{2})([0-9]{2})?")
# `UTC-3`, `GMT+05:30`, `+0530`, and `(UTC+01:00) Amsterdam, Berlin` as in Outlook
_OFFSET_NAME = re.compile(
    r"(?:\(?(?:UTC|GMT) ?([+-])([0-9]{1,2})(?:[:.]?([0-9]{2}))?(?:\).*)?|([+-])([0-9]{2}):?([0-9]{2}))",
    re.IGNORECASE,
)
_LOCAL = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2}))?")


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone and its IANA name, which is empty if it has none."""

    name: str
    tz: dt.tzinfo


@functools.cache
def _names() -> dict[str, str]:
    windows = {name.lower(): iana for name, iana in IANA_NAMES.items()}
    return windows | {name.lower(): name for name in time_zones.names()} | {"z": "UTC"}


def named(tzid: str) -> Zone | None:
    """Return a zone by its name: `Europe/Berlin`, `W. Europe Standard Time` or `/x.org/…/Europe/Berlin`."""
    if len(tzid) > _TZID_LENGTH:
        return None
    parts = tzid.strip().strip('"').lower().strip("/").split("/")
    for start in range(max(len(parts) - 3, 0), len(parts)):
        name = _names().get("/".join(parts[start:]))
        # the name may have a prefix with slashes, but `Havana/Cuba` does not mean the zone `Cuba`
        if name is not None and (start == 0 or "/" in name or name == "UTC"):
            return Zone(name, zoneinfo.ZoneInfo(name))
    return None


def _at_offset(tzid: str) -> Zone | None:
    """Return the zone of a TZID that is an offset. Whole hours have IANA names, with the opposite sign."""
    found = _OFFSET_NAME.fullmatch(tzid.strip().strip('"')[:_TZID_LENGTH])
    if found is None:
        return None
    sign, hours, minutes = (found[1], found[2], found[3] or "0") if found[1] else found.group(4, 5, 6)
    offset = dt.timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    if not -dt.timedelta(hours=12) <= offset <= dt.timedelta(hours=14) or int(minutes) > 59:
        return None
    if not offset:
        return named("UTC")
    if tzid.strip('" ').startswith("("):  # the offset of a place in winter, so it is no zone to recur in
        return Zone("", dt.timezone(offset))
    whole = named(f"Etc/GMT{'+' if sign == '-' else '-'}{int(hours)}") if int(minutes) == 0 else None
    return whole or Zone("", dt.timezone(offset))


@dataclass(slots=True)
class Allowance:
    """How many transitions the zones of all calendars of a file may still have."""

    left: int = field(default_factory=lambda: MAX_TRANSITIONS_OF_FILE)


class Zones:
    """The zones of one calendar, which resolves each TZID once."""

    def __init__(self, allowance: Allowance | None = None) -> None:
        self._allowance = allowance or Allowance()
        self._definitions: dict[str, Component] = {}
        self._found: dict[str, Zone | None] = {}

    def define(self, tzid: str, definition: Component) -> bool:
        """Add a VTIMEZONE; return False if the calendar has too many.

        Its TZID is a TEXT with escaped commas; that of a date is a parameter without them.
        """
        if len(self._definitions) >= MAX_DEFINITIONS:
            return False
        self._definitions.setdefault(unescaped(tzid), definition)
        return True

    def get(self, tzid: str) -> Zone | None:
        """Return the zone of a TZID, or None if it is unknown."""
        if tzid not in self._found:
            self._found[tzid] = self._contradicted(tzid) or named(tzid) or self._defined(tzid) or _at_offset(tzid)
        return self._found[tzid]

    def _contradicted(self, tzid: str) -> Zone | None:
        """Return the definition of a zone such as `EST` in the file, if it means another zone than the IANA name.

        RFC 5545, section 3.2.19. Names of places, such as `Europe/Berlin`, and those of Windows are unambiguous.
        """
        known = named(tzid)
        if known is None or "/" in tzid or known.name.lower() != tzid.lower():
            return None
        defined = self._defined(tzid)
        if defined is None:
            return None
        return None if all(known.tz.utcoffset(day) == defined.tz.utcoffset(day) for day in _SEASONS) else defined

    def _defined(self, tzid: str) -> Zone | None:
        definition = self._definitions.get(unescaped(tzid))
        if definition is None:
            return None
        for line in definition.lines:
            if line.name == "X-LIC-LOCATION" and (zone := named(line.value)):
                return zone
        every = itertools.chain.from_iterable(_transitions(child) for child in definition.children)
        count = sum(line.name == "RRULE" for child in definition.children for line in child.lines)
        self._allowance.left -= min(TRANSITIONS_FOR_RULE * count, self._allowance.left)
        limit = min(MAX_TRANSITIONS, self._allowance.left)
        changes = list(itertools.islice(every, limit + 1)) if limit else []
        self._allowance.left -= min(len(changes), limit)
        return Zone("", _DefinedZone(changes)) if 1 <= len(changes) <= limit else None


@dataclass(frozen=True, order=True, slots=True)
class _Transition:
    """A transition to another offset at a local time."""

    at: dt.datetime
    offset: dt.timedelta
    before: dt.timedelta


class _DefinedZone(dt.tzinfo):
    """A zone that a VTIMEZONE defines."""

    def __init__(self, changes: list[_Transition]) -> None:
        self._changes = sorted(changes)
        self._moments = [change.at for change in self._changes]

    def utcoffset(self, moment: dt.datetime | None) -> dt.timedelta:
        """Return the offset at a local time; for a time that a change skips, the one before the change.

        RFC 5545, section 3.3.5.
        """
        if moment is None:
            return self._changes[-1].offset
        local = moment.replace(tzinfo=None)
        count = bisect.bisect_right(self._moments, local)
        if count == 0:
            return self._changes[0].before
        last = self._changes[count - 1]
        return last.before if local - last.at < last.offset - last.before else last.offset

    def dst(self, moment: dt.datetime | None) -> None:
        """Return None, because only the offset is used."""

    def tzname(self, moment: dt.datetime | None) -> None:
        """Return None, because the zone has no name outside its file."""


def _transitions(child: Component) -> Iterator[_Transition]:
    """Yield the transitions of a STANDARD or DAYLIGHT component."""
    values = {line.name: line.value for line in child.lines if line.name in {"DTSTART", "RRULE"}}
    offsets = {line.name: _offset(line.value) for line in child.lines if line.name.startswith("TZOFFSET")}
    offset = offsets.get("TZOFFSETTO")
    start = _local(values["DTSTART"]) if "DTSTART" in values else None
    if offset is None or start is None:
        return
    before = offsets.get("TZOFFSETFROM")
    if before is None:
        before = offset
    rule = rules.without_time(values["RRULE"], values["DTSTART"]) if "RRULE" in values else None
    dates = (value for line in child.lines if line.name == "RDATE" for value in line.value.split(","))
    repeated = _repeated(rule, start, before) if rule else iter(())
    for at in itertools.chain([start], map(_local, dates), repeated):
        if at is not None:
            yield _Transition(at, offset, before)


def _repeated(text: str, start: dt.datetime, offset: dt.timedelta) -> Iterator[dt.datetime]:
    """Yield the later occurrences of a rule until _LAST_DAY, of an unsupported rule none.

    `offset` is that of the local time of an UNTIL in UTC.
    """
    try:
        rule = recurrence.parse(text)
    except InvalidInput:
        return
    first = start.date()
    # definitions often begin in 1601, but the IANA rules begin in the 20th century
    days = occurrences.after(rule, first, earliest=first if rule.count else max(first, _FIRST_DAY))
    for day in itertools.islice(days, rule.count and rule.count - 1):
        at = dt.datetime.combine(day, start.time())
        if day > _LAST_DAY or _is_over(rule.until, at, offset):
            return
        yield at


def _is_over(until: dt.date | dt.datetime | None, at: dt.datetime, offset: dt.timedelta) -> bool:
    if not isinstance(until, dt.datetime):
        return until is not None and at.date() > until
    return at > until if until.tzinfo is None else (at - offset).replace(tzinfo=dt.UTC) > until


def _offset(value: str) -> dt.timedelta | None:
    found = _OFFSET.fullmatch(value.strip())
    if not found:
        return None
    size = dt.timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    # Python does not support offsets of a day or more
    return None if size >= dt.timedelta(days=1) else -size if found[1] == "-" else size


def _local(value: str) -> dt.datetime | None:
    """Parse a local DATE-TIME, a DATE as midnight, or the start of a PERIOD."""
    found = _LOCAL.match(value.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return dt.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - local on purpose
    except ValueError:
        return None
