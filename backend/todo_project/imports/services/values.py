"""Parses the value types of iCalendar (RFC 5545, section 3.3). Invalid values become None."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from todo_project.imports.services.components import Line, unescaped
from todo_project.imports.services.zones import Zone, Zones
from todo_project.todos.services import moments
from todo_project.todos.services.moments import Moment

_MOMENT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z?))?", re.IGNORECASE)
_LIST_ITEM = re.compile(r"(?:[^\\,]++|\\.?)++")
# Eight digits are enough for any duration that ends before the year 10000.
_DURATION = re.compile(
    r"([+-]?)P(?:([0-9]{1,8})W)?(?:([0-9]{1,8})D)?"
    r"(?:T(?:([0-9]{1,8})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,12})S)?)?",
    re.IGNORECASE,
)
_NOON = dt.time(12)


@dataclass(frozen=True, slots=True)
class Clock:
    """What times are interpreted with: the file's zones, the zone for floating times, and the current time."""

    zones: Zones
    floating: Zone
    now: dt.datetime


def texts(value: str) -> Iterator[str]:
    """Yield the items of a list of TEXT values, such as CATEGORIES, except empty ones."""
    return (unescaped(found[0]) for found in _LIST_ITEM.finditer(value))


def integer(value: str) -> int | None:
    """Parse an INTEGER of at most nine digits."""
    value = value.strip()
    return int(value) if re.fullmatch(r"[+-]?[0-9]{1,9}", value) else None


def duration(value: str) -> tuple[int, int] | None:
    """Parse a DURATION as (days, seconds): days are calendar days, seconds are elapsed time."""
    found = _DURATION.fullmatch(value.strip())
    if not found or value.strip()[-1].upper() in "PT":
        return None
    weeks, days, hours, minutes, seconds = (int(number or 0) for number in found.groups()[1:])
    sign = -1 if found[1] == "-" else 1
    return sign * (weeks * 7 + days), sign * (hours * 3600 + minutes * 60 + seconds)


def moment(line: Line, clock: Clock) -> Moment | None:
    """Parse a DATE or DATE-TIME property. A time in an unknown zone is treated as a floating one."""
    found = _MOMENT.fullmatch(line.value.strip())
    if found is None:
        return None
    try:
        day = dt.date(int(found[1]), int(found[2]), int(found[3]))
        is_date = line.parameters.get("VALUE", "").upper() == "DATE"
        if found[4] is None or (is_date and found.group(4, 5, 6) == ("00", "00", "00")):
            return {"date": day}
        # datetime does not support leap seconds (second 60)
        second = min(int(found[6]), 59) if found[6] == "60" else int(found[6])
        clock_time = dt.time(int(found[4]), int(found[5]), second)
        return _at(dt.datetime.combine(day, clock_time), line, clock, is_utc=bool(found[7]))
    except (ValueError, OverflowError):
        return None


def _at(local: dt.datetime, line: Line, clock: Clock, *, is_utc: bool) -> Moment:
    tzid = line.parameters.get("TZID")
    zone = clock.floating if tzid is None else clock.zones.get(tzid) or clock.floating
    if is_utc:
        return {"at": local.replace(tzinfo=dt.UTC), "time_zone": None if tzid is None else zone.name or None}
    found: Moment = {"at": local.replace(tzinfo=zone.tz).astimezone(dt.UTC), "time_zone": zone.name or None}
    return moments.with_meant(found, local, default_zone=zone.name) if zone.name else found


def instant(line: Line, clock: Clock) -> dt.datetime | None:
    """Parse a DATE-TIME property as a time in UTC."""
    found = moment(line, clock)
    return None if found is None or "date" in found else found["at"]


def instant_or_noon(line: Line, clock: Clock) -> dt.datetime | None:
    """Parse a DATE-TIME as a time in UTC, or a DATE as noon in the zone for floating times."""
    found = moment(line, clock)
    if found is not None and "date" in found:
        return dt.datetime.combine(found["date"], _NOON, clock.floating.tz).astimezone(dt.UTC)
    return found["at"] if found else None


def after(start: Moment, length: tuple[int, int], clock: Clock) -> Moment | None:
    """Return the moment that is a DURATION after another; None for a date plus a part of a day."""
    days, seconds = length
    try:
        if "date" in start:
            day: Moment = {"date": start["date"] + dt.timedelta(days=days)}
            return None if seconds else day
        zone = clock.zones.get(start["time_zone"]) if start["time_zone"] else None
        local = start["at"].astimezone(zone.tz if zone else dt.UTC) + dt.timedelta(days=days)
        return {"at": local.astimezone(dt.UTC) + dt.timedelta(seconds=seconds), "time_zone": start["time_zone"]}
    except OverflowError:
        return None
