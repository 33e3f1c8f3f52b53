"""Moments: a plain date, or a time with the zone it is meant in. `due`, `start` and `deadline` are one each."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any, TypedDict

from todo_project.db import time_zones
from todo_project.errors import InvalidInput
from todo_project.todos.models import Task

NAMES = ("due", "start", "deadline")


class Moment(TypedDict, total=False):
    """Either a whole day, or an instant with the zone whose clock time stays when it recurs.

    Of a change, `at` or `time_zone` alone: the other stays.
    """

    date: dt.date
    at: dt.datetime
    time_zone: str | None


def merged(old: Moment | None, new: Moment | None, *, pointer: str) -> Moment | None:
    """Give what becomes of a moment: a new time keeps the zone, a new zone keeps the time.

    Raises InvalidInput for a zone without a time, one that nobody knows, and a time that has no date there.
    """
    if new is None:
        return None
    if "date" in new:
        return {"date": new["date"]}
    before: Moment = old or {}
    at = new.get("at") or before.get("at")
    time_zone = new["time_zone"] if "time_zone" in new else before.get("time_zone")
    if at is None:
        raise InvalidInput("Give the time too.", pointer=f"{pointer}/at", code="required")
    _check(at, time_zone, pointer)
    return {"at": at, "time_zone": time_zone}


def _check(at: dt.datetime, time_zone: str | None, pointer: str) -> None:
    if not time_zone:
        return
    if time_zone not in time_zones.names():
        raise InvalidInput(
            "Give the name of an IANA time zone, such as Asia/Shanghai.",
            pointer=f"{pointer}/time_zone",
            code="unknown_time_zone",
        )
    try:
        at.astimezone(_zone(time_zone))
    except OverflowError as error:
        raise InvalidInput("This time is out of range in its zone.", pointer=f"{pointer}/at") from error


def columns(name: str, moment: Moment | None) -> dict[str, Any]:
    """Give the three columns of `due`, `start` or `deadline`."""
    date = at = None
    time_zone = ""
    if moment is not None and "date" in moment:
        date = moment["date"]
    elif moment is not None:
        at, time_zone = moment["at"], moment["time_zone"] or ""
    return {f"{name}_date": date, f"{name}_at": at, f"{name}_time_zone": time_zone}


def of(task: Task, name: str) -> Moment | None:
    """Give `due`, `start` or `deadline` of the task."""
    return from_columns(
        getattr(task, f"{name}_date"), getattr(task, f"{name}_at"), getattr(task, f"{name}_time_zone")
    )


def from_columns(date: dt.date | None, at: dt.datetime | None, time_zone: str) -> Moment | None:
    """Give the moment that three columns hold."""
    if date is not None:
        return {"date": date}
    if at is not None:
        return {"at": at, "time_zone": time_zone or None}
    return None


def local(moment: Moment, *, default_zone: str) -> dt.datetime:
    """Give what calendar and clock show at the moment, without a zone; a plain date is at midnight."""
    if "date" in moment:
        return dt.datetime.combine(moment["date"], dt.time())
    return moment["at"].astimezone(_zone(moment["time_zone"] or default_zone)).replace(tzinfo=None)


def at_local(moment: Moment, wall: dt.datetime, *, default_zone: str) -> Moment:
    """Give the same kind of moment where calendar and clock show `wall`.

    A clock time that a change to summer time skips becomes the one that the clocks show instead. Raises
    OverflowError outside the years 1 to 9999.
    """
    if "date" in moment:
        return {"date": wall.date()}
    at = wall.replace(tzinfo=_zone(moment["time_zone"] or default_zone)).astimezone(dt.UTC)
    return {"at": at, "time_zone": moment["time_zone"]}


def shifted(moment: Moment | None, shift: dt.timedelta, *, default_zone: str) -> Moment | None:
    """Give the moment moved by calendar and clock; what would leave the years 1 to 9999 stays."""
    if moment is None:
        return None
    try:
        return at_local(moment, local(moment, default_zone=default_zone) + shift, default_zone=default_zone)
    except (OverflowError, ValueError):
        return moment


def _zone(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name)
