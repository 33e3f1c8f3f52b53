"""Of several alarms of a task, each that is lost says why."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.imports.calendars import alarm, calendar, todo
from todo_project.imports.services import zones
from todo_project.imports.services.components import parse
from todo_project.imports.services.ics import read_tasks
from todo_project.imports.services.report import ImportReport

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


def read(*triggers: str) -> tuple[list[dict[str, Any]], str]:
    """Read a task that is due and has these alarms; give its reminders, and what was said of the triggers."""
    lines = [line for trigger in triggers for line in alarm(f"TRIGGER:{trigger}")]
    report = ImportReport()
    data = calendar(todo("DUE:20260121T130000Z", *lines))
    (found,) = read_tasks(parse(data), floating=zones.Zone("UTC", dt.UTC), now=NOW, report=report)
    said = {each.property: each.detail for _, each in report.unsupported}
    assert len(said) == len(report.unsupported), "a property is named once"
    return found.task.values.reminders, said["TRIGGER"]


def test_an_alarm_without_a_trigger_is_named() -> None:
    reminders, said = read("")
    assert reminders == []
    assert "no trigger" in said


def test_each_says_why_also_beside_others() -> None:
    reminders, said = read("-PT1H", "whenever", "-P400D", "soon", "whenever")
    assert reminders == [{"offset_seconds": -3600, "relative_to": "due"}]
    assert [said.count(words) for words in ("its DUE", "whenever", "a year", "soon")] == [1, 1, 1, 1]


def test_a_thousand_reasons_are_a_few() -> None:
    _, said = read(*(f"when {number}" for number in range(1000)))
    assert "when 0 " in said
    assert len(said) < 1000
