"""Which time zone a TZID means: names of IANA and of Windows, and the definitions that files carry (VTIMEZONE)."""

from __future__ import annotations

import datetime as dt
import functools
import re
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from todo_project.db import time_zones
from todo_project.imports.services.content import Component, Line

_MAX_OBSERVANCES = 200
_WEEKDAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
# of local time, which is what a VTIMEZONE counts in
_BEGINNING = dt.datetime.combine(dt.date.min, dt.time())
_OFFSET = re.compile(r"([+-])([0-9]{2})([0-9]{2})([0-9]{2})?")
_LOCAL = re.compile(r"([0-9]{8})T([0-9]{6})")
_NTH_WEEKDAY = re.compile(r"([+-]?[1-5])(MO|TU|WE|TH|FR|SA|SU)")


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone and its IANA name; the name is empty for a zone that only its file defines."""

    name: str
    tz: dt.tzinfo


@functools.cache
def _names() -> dict[str, str]:
    windows = {name.lower(): iana for name, iana in WINDOWS_TO_OLSON.items()}
    return windows | {name.lower(): name for name in time_zones.names()} | {"z": "UTC"}


def named(tzid: str) -> Zone | None:
    """Find a zone by what programs write: `Europe/Berlin`, `W. Europe Standard Time`, `/x.org/…/Europe/Berlin`."""
    parts = tzid.strip().strip('"').lower().strip("/").split("/")
    for start in range(max(len(parts) - 3, 0), len(parts)):
        name = _names().get("/".join(parts[start:]))
        # what stands before the name is a path, or nothing: `Cuba` is a zone, `Havana/Cuba` is none
        if name is not None and (start == 0 or "/" in name or name == "UTC"):
            return Zone(name, zoneinfo.ZoneInfo(name))
    return None


class Zones:
    """The zones of one calendar: its definitions, looked at when a TZID has no name that is known."""

    def __init__(self) -> None:
        self._definitions: dict[str, Callable[[], Component]] = {}
        self._found: dict[str, Zone | None] = {}

    def define(self, tzid: str, definition: Callable[[], Component]) -> None:
        """Add a VTIMEZONE; it is read when it is needed."""
        self._definitions.setdefault(tzid, definition)

    def get(self, tzid: str) -> Zone | None:
        """Give the zone of a TZID, or None for one that nobody knows."""
        if tzid not in self._found:
            self._found[tzid] = named(tzid) or self._defined(tzid)
        return self._found[tzid]

    def _defined(self, tzid: str) -> Zone | None:
        if tzid not in self._definitions:
            return None
        definition = self._definitions[tzid]()
        for line in definition.lines:
            if line.name == "X-LIC-LOCATION" and (zone := named(line.value)):
                return zone
        observances = [found for child in definition.children if (found := _observance(child))]
        if not 1 <= len(observances) <= _MAX_OBSERVANCES:
            return None
        return Zone("", _DefinedZone(observances))


@dataclass(frozen=True, slots=True)
class _Observance:
    """From when on an offset holds: single moments of local time, or one moment in every year."""

    before: dt.timedelta
    offset: dt.timedelta
    onsets: tuple[dt.datetime, ...]
    yearly: Callable[[int], dt.datetime] | None
    last_year: int

    def latest_onset(self, local: dt.datetime) -> dt.datetime:
        """Give the last onset at or before the local time, or the beginning of time."""
        moments = [moment for moment in self.onsets if moment <= local]
        if self.yearly is not None and local >= self.onsets[0]:
            year = min(local.year, self.last_year)
            moments += [
                moment
                for moment in (self.yearly(year), self.yearly(max(year - 1, 1)))
                if self.onsets[0] <= moment <= local
            ]
        return max(moments, default=_BEGINNING)


class _DefinedZone(dt.tzinfo):
    """A zone as a VTIMEZONE defines it. Rules other than one weekday in every year count as single moments."""

    def __init__(self, observances: list[_Observance]) -> None:
        self._observances = observances

    def utcoffset(self, moment: dt.datetime | None) -> dt.timedelta:
        """Give the offset that holds at a local time."""
        local = _BEGINNING if moment is None else moment.replace(tzinfo=None)
        latest = max(self._observances, key=lambda observance: observance.latest_onset(local))
        if latest.latest_onset(local) == _BEGINNING:
            return min(self._observances, key=lambda observance: observance.onsets[0]).before
        return latest.offset

    def dst(self, moment: dt.datetime | None) -> None:
        """Tell nothing: who asks for the offset needs no more."""

    def tzname(self, moment: dt.datetime | None) -> None:
        """Tell nothing: the zone has no name that others would know."""


def _observance(child: Component) -> _Observance | None:
    values = {line.name: line for line in child.lines if line.name in {"DTSTART", "RRULE"}}
    offsets = {line.name: _offset(line.value) for line in child.lines if line.name.startswith("TZOFFSET")}
    before, offset = offsets.get("TZOFFSETFROM"), offsets.get("TZOFFSETTO")
    start = _local(values["DTSTART"].value) if "DTSTART" in values else None
    if offset is None or start is None:
        return None
    yearly, last_year = _yearly(values["RRULE"], start) if "RRULE" in values else (None, dt.MAXYEAR)
    return _Observance(
        before=offset if before is None else before,
        offset=offset,
        onsets=(start, *_dates(child.lines)),
        yearly=yearly,
        last_year=last_year,
    )


def _dates(lines: list[Line]) -> Iterator[dt.datetime]:
    values = [value for line in lines if line.name == "RDATE" for value in line.value.split(",")]
    return (found for value in values[:_MAX_OBSERVANCES] if (found := _local(value)))


def _yearly(rule: Line, start: dt.datetime) -> tuple[Callable[[int], dt.datetime] | None, int]:
    parts = dict(part.split("=", 1) for part in rule.value.upper().split(";") if "=" in part)
    until = parts.get("UNTIL", "")[:4]
    last_year = int(until) if re.fullmatch(r"[0-9]{4}", until) else dt.MAXYEAR
    found = _NTH_WEEKDAY.fullmatch(parts.get("BYDAY", ""))
    month = parts.get("BYMONTH", str(start.month))
    if parts.get("FREQ") != "YEARLY" or not found or not re.fullmatch(r"[1-9]|1[0-2]", month):
        return None, dt.MAXYEAR
    nth, weekday = int(found[1]), _WEEKDAYS[found[2]]
    return lambda year: _nth_weekday(start, (year, int(month)), nth, weekday), max(last_year, 1)


def _nth_weekday(start: dt.datetime, month: tuple[int, int], nth: int, weekday: int) -> dt.datetime:
    """Give the nth weekday of a month, counted from its end when negative, at the time of `start`."""
    first = start.replace(year=month[0], month=month[1], day=1)
    if nth > 0:
        return first + dt.timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
    next_month = (first + dt.timedelta(days=31)).replace(day=1)
    last = next_month - dt.timedelta(days=1)
    return last - dt.timedelta(days=(last.weekday() - weekday) % 7 + 7 * (-nth - 1))


def _offset(value: str) -> dt.timedelta | None:
    found = _OFFSET.fullmatch(value.strip())
    if not found:
        return None
    size = dt.timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    # a tzinfo may not be a day away
    return None if size >= dt.timedelta(days=1) else -size if found[1] == "-" else size


def _local(value: str) -> dt.datetime | None:
    found = _LOCAL.match(value.strip())
    try:
        return dt.datetime.strptime(found[0], "%Y%m%dT%H%M%S") if found else None  # noqa: DTZ007 - local on purpose
    except ValueError:
        return None
