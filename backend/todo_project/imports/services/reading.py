"""One file: all tasks that can be imported, and a word for everything else in it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from todo_project.imports.services import content, ics, values, zones
from todo_project.imports.services.content import Block, UnusableComponent, UnusableFile
from todo_project.imports.services.taking import Unsupported

MAX_TASKS = 10_000
MAX_REPORTED = 200_000
# Says how the file is written, and that it is meant for publication: nothing that a task could keep.
_ABOUT_THE_FILE = {"PRODID": None, "VERSION": None, "CALSCALE": "GREGORIAN", "METHOD": "PUBLISH"}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A component that was not imported, and why. What has no UID has none here."""

    uid: str | None
    reason: str


@dataclass(slots=True)
class Report:
    """What became of a file, word for word; each unsupported property with the UID of its task."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    unsupported: list[tuple[str | None, Unsupported]] = field(default_factory=list)

    def skip(self, uid: str | None, reason: str) -> None:
        """Report a component that is not imported; raises UnusableFile when there is too much to report."""
        self.skipped.append(Skipped(uid, reason))
        self._check_size()

    def name(self, uid: str | None, found: tuple[Unsupported, ...]) -> None:
        """Report properties that no field holds."""
        self.unsupported += ((uid, unsupported) for unsupported in found)
        self._check_size()

    def as_values(self) -> dict[str, Any]:
        """Give the report in JSON's terms."""
        return {
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "skipped": [{"uid": each.uid, "reason": each.reason} for each in self.skipped],
            "unsupported": [
                {"uid": uid, "property": each.property, "component": each.component, "detail": each.detail}
                for uid, each in self.unsupported
            ],
        }

    def _check_size(self) -> None:
        if len(self.skipped) + len(self.unsupported) > MAX_REPORTED:
            raise UnusableFile(f"There are more than {MAX_REPORTED} things to report. Split the file.")


@dataclass(frozen=True, slots=True)
class Found:
    """A task of the file, the calendar it stands in, and its text as it came."""

    task: ics.ImportedTask
    zones: zones.Zones
    raw: memoryview

    @property
    def text(self) -> str:
        """The component as it came."""
        return content.text(bytes(self.raw))


def read_file(data: bytes, *, floating: zones.Zone, now: dt.datetime, report: Report) -> list[Found]:
    """Give each task of a file once, in the order of the file; the report gets what is not imported.

    Raises UnusableFile for what is no iCalendar file, or holds more than can be imported at once.
    """
    data = content.readable(data)
    outline = content.outline(data)
    _report_outline(outline, report)
    known = _zones(data, outline.blocks, report)
    newest: dict[str, Found] = {}
    alike: Counter[str] = Counter()
    for found in _tasks(memoryview(data), outline.blocks, known, (floating, now, report)):
        _keep_newest(newest, _distinct(found, alike), report)
        if len(newest) > MAX_TASKS:
            raise UnusableFile(f"The file holds more than {MAX_TASKS} tasks. Split it.")
    for found in newest.values():
        report.name(found.task.uid, found.task.unsupported)
    return list(newest.values())


def _tasks(
    data: memoryview,
    blocks: list[Block],
    known: dict[int, zones.Zones],
    context: tuple[zones.Zone, dt.datetime, Report],
) -> Iterator[Found]:
    floating, now, report = context
    clocks = {calendar: values.Clock(found, floating, now) for calendar, found in known.items()}
    for block in blocks:
        if block.name == "VTIMEZONE":
            continue
        raw = data[block.start : block.end]
        try:
            if block.name != "VTODO":
                raise UnusableComponent(f"{block.name[:40]} is not a task; only VTODO is imported.")
            if block.problem:
                raise UnusableComponent(block.problem)
            task = ics.read_task(bytes(raw), clock=clocks[block.calendar])
        except UnusableComponent as reason:
            report.skip(content.uid_of(bytes(raw[:100_000])), str(reason))
        else:
            yield Found(task, known[block.calendar], raw)


def _distinct(found: Found, alike: Counter[str]) -> Found:
    """Number the components that have no UID and are alike: they may still be meant as two."""
    uid = found.task.uid
    if not found.task.is_uid_made:
        return found
    alike[uid] += 1
    if alike[uid] == 1:
        return found
    return dataclasses.replace(found, task=dataclasses.replace(found.task, uid=f"{uid}-{alike[uid]}"))


def _keep_newest(newest: dict[str, Found], found: Found, report: Report) -> None:
    task = found.task
    if task.uid in newest:
        report.skip(task.uid, "The file holds this task more than once; the newest version was taken.")
        if newest[task.uid].task.revision > task.revision:
            return
    newest[task.uid] = found


def _zones(data: bytes, blocks: list[Block], report: Report) -> dict[int, zones.Zones]:
    known: dict[int, zones.Zones] = {block.calendar: zones.Zones() for block in blocks}
    for block in blocks:
        if block.name != "VTIMEZONE":
            continue
        try:
            if block.problem:
                raise UnusableComponent(block.problem)
            raw = data[block.start : block.end]
            definition = content.component(raw)
        except UnusableComponent as reason:
            report.skip(None, f"VTIMEZONE: {reason}")
            continue
        for line in definition.lines:
            if line.name == "TZID":
                known[block.calendar].define(line.value.strip(), functools.partial(content.component, raw))
    return known


def _report_outline(outline: content.Outline, report: Report) -> None:
    for problem in outline.problems:
        report.skip(None, problem)
    for name, value in outline.properties.items():
        expected = _ABOUT_THE_FILE.get(name, "")
        if value.strip() and expected is not None and value.strip().upper() != expected:
            report.name(None, (Unsupported(name, "VCALENDAR"),))
