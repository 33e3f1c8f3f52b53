"""Reads the start, the due date and the recurrence of a VTODO."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from todo_project.errors import InvalidInput
from todo_project.imports.services import rules, values, zones
from todo_project.imports.services.components import Line
from todo_project.imports.services.properties import Properties
from todo_project.todos.models import RULE_LENGTH
from todo_project.todos.services import moments, recurrence
from todo_project.todos.services.moments import Moment

_LOCAL_TIME = re.compile(r"[0-9]{8}T[0-9]{6}")
_COUNT = re.compile(r"COUNT=(-?[0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """The dates of a task, its rule, which counts from `start` or else from `due`, and the days that it skips."""

    start: Moment | None
    due: Moment | None
    recurrence_rule: str
    excluded_dates: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anchor:
    """The date that a rule counts from, and the line that it was read from."""

    moment: Moment
    line: Line


def read_dates(todo: Properties, clock: values.Clock) -> Dates:
    """Take the dates and the recurrence from a VTODO."""
    start_line, due_line = todo.peek("DTSTART"), todo.peek("DUE")
    start, due = _moment(todo, "DTSTART", clock), _moment(todo, "DUE", clock)
    first, line = (start, start_line) if start else (due, due_line)
    anchor = None
    if first and line and todo.peek("RRULE"):
        zone = first.get("time_zone") or ("UTC" if _is_utc(line) else None)
        start, due = _in_zone(start, start_line, zone), _in_zone(due, due_line, zone)
        anchor = _Anchor(moment=start or due or first, line=line)
    rule = _rule(todo, clock, anchor)
    return Dates(
        start=start,
        due=_due(todo, clock, start, due),
        recurrence_rule=rule,
        excluded_dates=_excluded_dates(todo, clock, anchor) if rule and anchor else (),
    )


def _moment(todo: Properties, name: str, clock: values.Clock) -> Moment | None:
    line = todo.take(name, parameters=("VALUE", "TZID"))
    if line is None:
        return None
    found = values.moment(line, clock)
    if found is None:
        todo.note(name, f"{line.value[:40]} is not a date or a time.")
    elif "at" in found and "TZID" in line.parameters:
        zone = clock.zones.get(line.parameters["TZID"])
        if zone is None:
            todo.note(f"{name};TZID", "The time zone is unknown; the account's time zone was used.")
        elif not zone.name:
            todo.note(f"{name};TZID", "The time is kept, but not its time zone, which has no IANA name.")
    return found


def _is_utc(line: Line) -> bool:
    return line.value.strip().upper().endswith("Z")


def _in_zone(moment: Moment | None, line: Line | None, zone: str | None) -> Moment | None:
    """Return a time of a series that is written in UTC with the zone in which the series keeps its wall time.

    Without a zone, it would keep its wall time in the account's zone.
    """
    if not moment or not line or "date" in moment or moment["time_zone"] or not _is_utc(line):
        return moment
    return {"at": moment["at"], "time_zone": zone}


def _due(todo: Properties, clock: values.Clock, start: Moment | None, due: Moment | None) -> Moment | None:
    """Return DUE, or DTSTART plus DURATION."""
    line = todo.take("DURATION")
    if line is None:
        return due
    length = values.duration(line.value)
    end = values.after(start, length, clock) if length and start and not due else None
    if end is None:
        todo.note("DURATION", f"{line.value[:40]} cannot be added to a DTSTART to give a due date.")
    return end or due


def _rule(todo: Properties, clock: values.Clock, anchor: _Anchor | None) -> str:
    line = todo.take("RRULE")
    if line is None:
        return ""
    rule = rules.without_time(line.value, anchor.line.value) if anchor else ""
    if anchor is None:
        why = "The task has no date to recur from."
    elif len(rule) > RULE_LENGTH:
        why = f"It is longer than {RULE_LENGTH} characters."
    else:
        try:
            parsed = recurrence.parse(_repaired(rule, todo, clock, anchor))
            first = moments.wall_time(anchor.moment, default_zone=clock.floating.name)
            recurrence.check_recurs(parsed, first.date())
        except InvalidInput as error:
            why = error.detail
        else:
            return parsed.text
    todo.note("RRULE", f"{line.value[:60]} is not supported. {why}")
    return ""


def _repaired(rule: str, todo: Properties, clock: values.Clock, anchor: _Anchor) -> str:
    """Return the rule with a usable UNTIL, and without a COUNT that some programs write for 'endless'."""
    parts = []
    for part in rule.split(";"):
        if _is_endless(part):
            todo.note("RRULE", f"{part[:40]} was ignored; the task recurs without an end.")
        elif part.startswith("UNTIL=") and _LOCAL_TIME.fullmatch(part[6:]):
            parts.append("UNTIL=" + _until(part[6:], clock, anchor))
        else:
            parts.append(part)
    return ";".join(parts)


def _is_endless(part: str) -> bool:
    """Return whether it is a COUNT of nothing, or of more than a series can count."""
    found = _COUNT.fullmatch(part)
    return found is not None and not 1 <= int(found[1]) <= recurrence.COUNT_MAX


def _until(local: str, clock: values.Clock, anchor: _Anchor) -> str:
    """Return an UNTIL in local time, which is in the zone of the anchor, as the rule of a task needs it.

    It stays in local time if the series recurs in that zone, becomes a day if the series has no time, and is
    converted to UTC if the zone is UTC or has no name.
    """
    if "date" in anchor.moment:
        return local[:8]
    if anchor.moment["time_zone"]:
        return f"{local}Z" if anchor.moment["time_zone"] == "UTC" else local
    at = values.instant(Line("UNTIL", anchor.line.parameters, local), clock)
    return local if at is None else at.strftime("%Y%m%dT%H%M%SZ")


def _excluded_dates(todo: Properties, clock: values.Clock, anchor: _Anchor) -> tuple[str, ...]:
    """Return the days of EXDATE in the zone that the series recurs in. A rule has one occurrence a day."""
    zone = zones.named(anchor.moment.get("time_zone") or "") or clock.floating
    written = (
        Line(line.name, line.parameters, value)
        for line in todo.take_all("EXDATE", parameters=("VALUE", "TZID"))
        for value in line.value.split(",")
    )
    found: dict[str, None] = {}
    for count, line in enumerate(written):
        if count >= recurrence.EXCLUDED_DATES_MAX:
            todo.note(
                "EXDATE", f"There are more than {recurrence.EXCLUDED_DATES_MAX} days; only the first are kept."
            )
            break
        moment = values.moment(line, clock)
        if moment is None:
            todo.note("EXDATE", "One of its values is not a date or a time.")
        elif (day := _excluded_day(moment, anchor, zone)) is None:
            todo.note("EXDATE", f"{line.value[:40]} is no time of the series, so it excludes nothing.")
        else:
            found[day.isoformat()] = None
    return tuple(found)


def _excluded_day(moment: Moment, anchor: _Anchor, zone: zones.Zone) -> dt.date | None:
    """Return the day on which the series has an occurrence at this moment, or None if it has another time of day.

    RFC 5545, section 3.8.5.1. A date excludes its day, whatever the time of the series.
    """
    if "date" in moment:
        return moment["date"]
    first = anchor.moment
    try:
        day = moment["at"].astimezone(zone.tz).date()
        if not first.get("time_zone"):  # a series of days, or one whose zone has no name
            return day
        time = moments.wall_time(first, default_zone=zone.name, meant=first.get("meant")).time()
        there = moments.at_wall_time(first, dt.datetime.combine(day, time), default_zone=zone.name)
    except OverflowError:  # outside the years 1 to 9999 in this zone
        return None
    return day if there["at"] == moment["at"] else None
