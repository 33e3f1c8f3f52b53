"""Reads one VTODO as somebody in Shanghai would have it read."""

from __future__ import annotations

import datetime as dt

from tests.imports.calendars import calendar
from todo_project.imports.services import zones
from todo_project.imports.services.components import parse
from todo_project.imports.services.ics import read_tasks
from todo_project.imports.services.report import ImportReport
from todo_project.imports.services.vtodo import ImportedTask

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


def read(*components: str) -> tuple[ImportedTask, dict[str, str]]:
    """Read the one task of a file for somebody in Shanghai; give it and what was named, with the details."""
    report = ImportReport()
    (found,) = read_tasks(parse(calendar(*components)), floating=shanghai(), now=NOW, report=report)
    assert report.skipped == []
    return found.task, {each.property: each.detail for _, each in report.unsupported}


def skipped(*components: str) -> list[tuple[str | None, str]]:
    """Give the id of each that is left out, and why."""
    report = ImportReport()
    read_tasks(parse(calendar(*components)), floating=shanghai(), now=NOW, report=report)
    return [(each.uid, each.reason) for each in report.skipped]


def shanghai() -> zones.Zone:
    """Give the zone of a person who lives there."""
    zone = zones.named("Asia/Shanghai")
    assert zone is not None
    return zone


def utc(*parts: int) -> dt.datetime:
    """Give a moment."""
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]
