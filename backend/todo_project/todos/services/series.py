"""Finds the next occurrence of a recurring task."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from todo_project.todos.services import moments, occurrences, recurrence
from todo_project.todos.services.moments import Moment
from todo_project.todos.services.occurrences import Rule


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """The occurrence of a series that is being completed.

    `start` is what the rule counts from (RFC 5545, section 3.8.5.3) and `end` is the due date; if the task has only
    one of them, they are equal. `start_wall` and `end_wall` are their wall times in the series. `zone` is the zone
    of moments without one. `excluded` are the days, in the zone of `start`, that the series skips.
    """

    start: Moment
    start_wall: dt.datetime
    end: Moment
    end_wall: dt.datetime
    zone: str
    excluded: Collection[dt.date] = ()


@dataclass(frozen=True, kw_only=True)
class Next:
    """How the series continues: the shift of its wall times, and the rule with what is left of its COUNT."""

    shift: dt.timedelta
    rule: str


def next_of(rule: Rule, occurrence: Occurrence, *, mode: str, now: dt.datetime) -> Next | None:
    """Return how the series continues after this occurrence, which is completed now; None if the series is over.

    In the mode `schedule`, the next occurrence is the first one that has not ended yet; one that is due on a day
    ends with the day. In the mode `completion`, it is the first one that the rule gives from today.
    """
    try:
        return _next_of(rule, occurrence, mode, now)
    except (OverflowError, ValueError):  # outside the years 1 to 9999
        return None


def ends_at_once(rule: Rule, first: Moment, *, zone: str) -> bool:
    """Return whether the series that begins with `first` has no other occurrence until its UNTIL."""
    if rule.until is None:
        return False
    wall = moments.wall_time(first, default_zone=zone)
    occurrence = Occurrence(start=first, start_wall=wall, end=first, end_wall=wall, zone=zone)
    long_ago = dt.datetime.min.replace(tzinfo=dt.UTC)
    return next_of(rule, occurrence, mode=recurrence.SCHEDULE, now=long_ago) is None


def _next_of(rule: Rule, occurrence: Occurrence, mode: str, now: dt.datetime) -> Next | None:
    start = occurrence.start_wall
    if mode == recurrence.COMPLETION:
        first = earliest = _today(occurrence.start, now, occurrence.zone).date()
    else:
        first = start.date()
        earliest = max(first, _first_day_not_over(occurrence, now))
    # to count occurrences, none may be left out
    days = occurrences.after(rule, first, earliest=earliest if rule.count is None else first)
    for passed, day in enumerate(days, start=1):
        wall = dt.datetime.combine(day, start.time())
        if _is_over(rule, passed, wall, occurrence):
            return None
        if day >= earliest and day not in occurrence.excluded:
            return Next(shift=wall - start, rule=_remaining(rule, passed))
    return None


def _today(moment: Moment, now: dt.datetime, zone: str) -> dt.datetime:
    """Return the current wall time in the zone of the moment; midnight if the moment is a date."""
    here: Moment = {"at": now, "time_zone": moment.get("time_zone")}
    wall = moments.wall_time(here, default_zone=zone)
    return dt.datetime.combine(wall.date(), dt.time()) if "date" in moment else wall


def _first_day_not_over(occurrence: Occurrence, now: dt.datetime) -> dt.date:
    """Return the first day on which an occurrence can start without having ended already."""
    late = _today(occurrence.end, now, occurrence.zone) - occurrence.end_wall
    days_late = -(-late // dt.timedelta(days=1))
    return occurrence.start_wall.date() + dt.timedelta(days=max(0, days_late))


def _is_over(rule: Rule, passed: int, wall: dt.datetime, occurrence: Occurrence) -> bool:
    if rule.count is not None:
        return passed >= rule.count
    until = rule.until
    if until is None:
        return False
    if not isinstance(until, dt.datetime):
        return wall.date() > until
    if "date" in occurrence.start:
        return wall.date() > until.date()
    if until.tzinfo is None:
        return wall > until
    return moments.at_wall_time(occurrence.start, wall, default_zone=occurrence.zone)["at"] > until


def _remaining(rule: Rule, passed: int) -> str:
    return rule.text if rule.count is None else recurrence.with_count(rule.text, rule.count - passed)
