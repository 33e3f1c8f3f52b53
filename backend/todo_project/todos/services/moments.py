"""Moments: a date, or a time with a time zone. `due`, `start` and `deadline` are moments.

The wall time of a moment is its local date and time in its zone, as a datetime without a zone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypedDict

from todo_project.db import time_zones
from todo_project.errors import InvalidInput
from todo_project.todos.models import Task
from todo_project.todos.models.filtering.dates import day_start

NAMES = ("due", "start", "deadline")


class Moment(TypedDict, total=False):
    """Either a whole day, or a time with the zone in which a recurring task keeps its wall time.

    In a change, `at` or `time_zone` may be absent; it then keeps its value. `meant` is the wall time in a file or a
    text, if a DST change skips it, so that a series continues with it.
    """

    date: dt.date
    at: dt.datetime
    time_zone: str | None
    meant: dt.datetime


def merged(old: Moment | None, new: Moment | None, *, pointer: str) -> Moment | None:
    """Return the moment after a change: a new time keeps the zone, a new zone keeps the time.

    Raises InvalidInput for a zone without a time, an unknown zone, and a time that is out of range in its zone.
    """
    if new is None:
        return None
    if "date" in new:
        return {"date": new["date"]}
    before: Moment = old or {}
    at = new.get("at") or before.get("at")
    time_zone = new["time_zone"] if "time_zone" in new else before.get("time_zone")
    if at is None:
        raise InvalidInput("A time zone needs a time. Send `at` too.", pointer=f"{pointer}/at", code="required")
    _check(at, time_zone, pointer)
    return {"at": at, "time_zone": time_zone}


def _check(at: dt.datetime, time_zone: str | None, pointer: str) -> None:
    if not time_zone:
        return
    if time_zone not in time_zones.names():
        raise InvalidInput(
            "Use the name of an IANA time zone, such as Asia/Shanghai.",
            pointer=f"{pointer}/time_zone",
            code="unknown_time_zone",
        )
    try:
        at.astimezone(time_zones.zone(time_zone))
    except OverflowError as error:
        raise InvalidInput(
            "This time is out of range in its time zone. Use years 1 to 9999.", pointer=f"{pointer}/at"
        ) from error


def columns(name: str, moment: Moment | None) -> dict[str, Any]:
    """Return the values of the three columns of `due`, `start` or `deadline`."""
    date = at = None
    time_zone = ""
    if moment is not None and "date" in moment:
        date = moment["date"]
    elif moment is not None:
        at, time_zone = moment["at"], moment["time_zone"] or ""
    return {f"{name}_date": date, f"{name}_at": at, f"{name}_time_zone": time_zone}


def of(task: Task, name: str) -> Moment | None:
    """Return `due`, `start` or `deadline` of the task."""
    return from_columns(
        getattr(task, f"{name}_date"), getattr(task, f"{name}_at"), getattr(task, f"{name}_time_zone")
    )


def from_columns(date: dt.date | None, at: dt.datetime | None, time_zone: str) -> Moment | None:
    """Return the moment that is stored in three columns."""
    if date is not None:
        return {"date": date}
    if at is not None:
        return {"at": at, "time_zone": time_zone or None}
    return None


def check_reminders(task: Task) -> None:
    """Raise InvalidInput for the first reminder that is relative to a moment that the task does not have."""
    for index, reminder in enumerate(task.reminders):
        name = reminder.get("relative_to")
        if name is not None and of(task, name) is None:
            raise InvalidInput(
                f"This reminder is relative to `{name}`, which the task does not have. Set `{name}`, or change or "
                "remove the reminder.",
                pointer=f"/reminders/{index}/relative_to",
                code="no_date",
            )


def wall_time(moment: Moment, *, default_zone: str, meant: dt.datetime | None = None) -> dt.datetime:
    """Return the wall time of the moment; a date is midnight.

    `meant` is a wall time that a DST change may have skipped. It is returned if it resolves to this moment, so that
    one shifted occurrence does not shift the rest of the series. A time outside the years 1 to 9999 in its zone is
    converted to UTC instead.
    """
    if "date" in moment:
        return dt.datetime.combine(moment["date"], dt.time())
    try:
        if meant is not None and moment["at"] in _instants(moment, meant, default_zone):
            return meant
        return moment["at"].astimezone(time_zones.zone(moment["time_zone"] or default_zone)).replace(tzinfo=None)
    except OverflowError:
        return moment["at"].astimezone(dt.UTC).replace(tzinfo=None)


def start_of(moment: Moment, *, default_zone: str) -> dt.datetime:
    """Return the time of the moment; of a date, the start of the day, or the first possible time."""
    return day_start(moment["date"], time_zones.zone(default_zone)) if "date" in moment else moment["at"]


def at_wall_time(
    moment: Moment, wall: dt.datetime, *, default_zone: str, near: tuple[dt.datetime, dt.datetime] | None = None
) -> Moment:
    """Return a moment of the same kind, in the same zone, whose wall time is `wall`.

    As RFC 5545 (section 3.3.5) says, a wall time that a DST change skips uses the offset before the change, and one
    that occurs twice means the first. `near` is a time and its wall time: of the two possible times, the one whose
    distance to it is closer to the distance of the wall times is returned, so that half an hour before stays half
    an hour before. Raises OverflowError or ValueError outside the years 1 to 9999.
    """
    if "date" in moment:
        return {"date": wall.date()}
    at, second = _instants(moment, wall, default_zone)
    if near is not None:
        wanted = wall - near[1]
        at = min(at, second, key=lambda each: abs(each - near[0] - wanted))
    return with_meant({"at": at, "time_zone": moment["time_zone"]}, wall, default_zone=default_zone)


def with_meant(moment: Moment, wall: dt.datetime, *, default_zone: str) -> Moment:
    """Return the moment with the wall time that it stands for, if a DST change skips that."""
    return moment if wall_time(moment, default_zone=default_zone) == wall else {**moment, "meant": wall}


def skipped(moments: Mapping[str, Moment | None]) -> dict[str, str]:
    """Return the wall times of these moments that a DST change skips, as Task.skipped_wall_times has them."""
    return {name: moment["meant"].isoformat() for name, moment in moments.items() if moment and "meant" in moment}


def _instants(moment: Moment, wall: dt.datetime, default_zone: str) -> tuple[dt.datetime, dt.datetime]:
    """Return the two times that a wall time can mean; they are equal except around DST changes."""
    zone = time_zones.zone(moment["time_zone"] or default_zone)
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    return first, second
