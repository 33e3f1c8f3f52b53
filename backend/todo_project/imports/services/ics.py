"""Reads the tasks of an iCalendar file, and reports everything else in it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from todo_project.imports.services import values, vtodo, zones
from todo_project.imports.services.components import Component, Contents, UnusableComponent, UnusableFile
from todo_project.imports.services.report import ImportReport, Unsupported
from todo_project.todos.models import UID_LENGTH

MAX_TASKS = 10_000
MAX_LABELS = 1_000
MAX_LABELLINGS = 100_000
_PROGRESS_EVERY = 1_000
# Properties with these values (None: any value) describe the file and are not reported as unsupported.
_ABOUT_THE_FILE = {"PRODID": None, "VERSION": None, "CALSCALE": "GREGORIAN", "METHOD": "PUBLISH"}
_AN_OCCURRENCE = "A changed occurrence of this task is kept in the stored component, but not shown."
_NO_SERIES = "It changes one occurrence of a recurring task that is not in the file."


@dataclass(frozen=True, slots=True)
class FoundTask:
    """A task of the file, its iCalendar text, and the time zones of its calendar."""

    task: vtodo.ImportedTask
    text: str
    zones: zones.Zones


class _TaskReader:
    """Reads components one at a time and keeps the newest version of each task."""

    def __init__(self, floating: zones.Zone, now: dt.datetime, report: ImportReport) -> None:
        self._floating = floating
        self._now = now
        self._report = report
        self._zones: dict[int, zones.Zones] = {}
        self._allowance = zones.Allowance()
        self._newest: dict[str, FoundTask] = {}
        self._occurrences: dict[str, list[FoundTask]] = {}
        self._alike: Counter[str] = Counter()

    def define_zones(self, contents: Contents) -> None:
        """Collect the time zones of each calendar, which may come after the tasks that use them."""
        for calendar, component in contents.components:
            known = self._zones.setdefault(calendar, zones.Zones(self._allowance))
            if component.name != "VTIMEZONE":
                continue
            tzid = component.value_of("TZID") or ""
            if component.defect:
                self._report.skip(None, f"VTIMEZONE {tzid[:40]}: {component.defect}")
            elif not known.define(tzid, component):
                self._report.skip(None, f"VTIMEZONE {tzid[:40]}: the calendar defines too many zones.")

    def read(self, calendar: int, component: Component) -> None:
        """Read a component, or report it if it is not a usable task."""
        known = self._zones[calendar]
        try:
            if component.name != "VTODO":
                raise UnusableComponent(f"{component.name[:40]} is not a task. Only VTODO is imported.")
            task = vtodo.read_task(component, clock=values.Clock(known, self._floating, self._now))
        except UnusableComponent as reason:
            uid = component.value_of("UID")
            self._report.skip(uid and uid.replace("\x00", "�")[:UID_LENGTH], str(reason))
        else:
            self._keep(FoundTask(self._numbered(task), component.text, known))

    def tasks(self) -> list[FoundTask]:
        """Return each task once, in the order of the file; its text includes its changed occurrences."""
        for uid, found in self._occurrences.items():
            if uid in self._newest:
                series = self._newest[uid]
                text = series.text + "".join(occurrence.text for occurrence in found)
                self._newest[uid] = dataclasses.replace(series, text=text)
            for _ in found:
                if uid in self._newest:
                    self._report.add(uid, Unsupported("RECURRENCE-ID", "VTODO", _AN_OCCURRENCE))
                else:
                    self._report.skip(uid, _NO_SERIES)
        for found_task in self._newest.values():
            self._report.add(found_task.task.uid, *found_task.task.unsupported)
        return list(self._newest.values())

    def _numbered(self, task: vtodo.ImportedTask) -> vtodo.ImportedTask:
        """Number identical components without a UID, because they may be separate tasks."""
        if not task.is_uid_made:
            return task
        self._alike[task.uid] += 1
        count = self._alike[task.uid]
        return task if count == 1 else dataclasses.replace(task, uid=f"{task.uid}-{count}")

    def _keep(self, found: FoundTask) -> None:
        task = found.task
        if task.is_occurrence:
            self._occurrences.setdefault(task.uid, []).append(found)
            return
        if task.uid in self._newest:
            self._report.skip(task.uid, "The file has this task more than once. The newest version was imported.")
            if self._newest[task.uid].task.revision > task.revision:
                return
        self._newest[task.uid] = found
        if len(self._newest) > MAX_TASKS:
            raise UnusableFile(f"The file has more than {MAX_TASKS} tasks. Split it.")


def read_tasks(
    contents: Contents,
    *,
    floating: zones.Zone,
    now: dt.datetime,
    report: ImportReport,
    progress: Callable[[float], None] = lambda share: None,
) -> list[FoundTask]:
    """Return each task of a file once, in the order of the file; add to the report what is not imported.

    Empties the contents meanwhile. `progress` is called at intervals with the fraction that has been read. Raises
    UnusableFile if the file exceeds a limit.
    """
    _report_calendar(contents, report)
    reader = _TaskReader(floating, now, report)
    reader.define_zones(contents)
    left = deque(each for each in contents.components if each[1].name != "VTIMEZONE")
    contents.components.clear()
    total = len(left)
    while left:
        reader.read(*left.popleft())  # drops the component, so that only one is parsed at a time
        if len(left) % _PROGRESS_EVERY == 0:
            progress(1 - len(left) / total)
    tasks = reader.tasks()
    _check_labels(tasks)
    return tasks


def _check_labels(tasks: list[FoundTask]) -> None:
    if sum(len(found.task.values.labels) for found in tasks) > MAX_LABELLINGS:
        raise UnusableFile(f"The tasks have more than {MAX_LABELLINGS} labels in total. Split the file.")
    if len({name.lower() for found in tasks for name in found.task.values.labels}) > MAX_LABELS:
        raise UnusableFile(f"The file has more than {MAX_LABELS} different labels (CATEGORIES). Split it.")


def _report_calendar(contents: Contents, report: ImportReport) -> None:
    for defect in contents.defects:
        report.skip(None, defect)
    for name, value in contents.properties.items():
        expected = _ABOUT_THE_FILE.get(name, "")
        if value.strip() and expected is not None and value.strip().upper() != expected:
            report.add(None, Unsupported(name, "VCALENDAR"))
