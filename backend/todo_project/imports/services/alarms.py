"""Converts alarms (VALARM; RFC 5545, section 3.6.6) to reminders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from todo_project.imports.services import values
from todo_project.imports.services.components import Component, Line
from todo_project.imports.services.properties import Properties, note_component
from todo_project.imports.services.report import UnsupportedProperties
from todo_project.todos.services.fields import OFFSET_MAX_SECONDS, REMINDERS_MAX

MAX_READ = 100
# What Apple writes for an alarm without a time, such as one for a location.
_APPLE_NEVER = "19760401T005545Z"


@dataclass(frozen=True, slots=True)
class Anchors:
    """Whether the task has the dates that a relative alarm can refer to."""

    has_start: bool
    has_due: bool


def reminders(
    alarms: list[Component], *, anchors: Anchors, notes: UnsupportedProperties, clock: values.Clock
) -> list[dict[str, Any]]:
    """Return the alarms of a task as reminders; add to `notes` what is lost."""
    if len(alarms) > MAX_READ:
        notes.add("VALARM", "VALARM", f"It has {len(alarms)} alarms; only the first {MAX_READ} are read.")
    kept: list[dict[str, Any]] = []
    for alarm in alarms[:MAX_READ]:
        found = _reminder(alarm, anchors, notes, clock)
        if found is not None and found not in kept:
            kept.append(found)
    if len(kept) > REMINDERS_MAX:
        notes.add("VALARM", "VALARM", f"It has {len(kept)} reminders; the first {REMINDERS_MAX} are kept.")
    return kept[:REMINDERS_MAX]


def _reminder(
    alarm: Component, anchors: Anchors, notes: UnsupportedProperties, clock: values.Clock
) -> dict[str, Any] | None:
    """Return the alarm as a reminder, or None if that is not possible."""
    properties = Properties(alarm, notes)
    action = properties.take("ACTION")
    if action is not None and action.value.strip().upper() != "DISPLAY":
        properties.note("ACTION", f"{action.value.strip()[:40]} was imported as a plain reminder.")
    trigger = properties.take("TRIGGER", parameters=("VALUE", "RELATED", "TZID"))
    if trigger is None:
        properties.note("TRIGGER", "An alarm has no trigger, so it has no time.")
    found = None if trigger is None else _trigger(trigger, properties, anchors, clock)
    properties.note_rest()
    for child in alarm.children:
        note_component(child, notes)
    return found


def _trigger(trigger: Line, properties: Properties, anchors: Anchors, clock: values.Clock) -> dict[str, Any] | None:
    value = trigger.value.strip()
    if properties.peek("X-APPLE-PROXIMITY") or value == _APPLE_NEVER:
        properties.note("TRIGGER", "The alarm is for a location, or has no time.")
        return None
    length = values.duration(value)
    if length is not None:
        return _relative(length, trigger, properties, anchors)
    moment = values.instant(trigger, clock)
    if moment is None:
        properties.note("TRIGGER", f"{value[:40]} is neither a duration nor a time.")
        return None
    if "TZID" in trigger.parameters and clock.zones.get(trigger.parameters["TZID"]) is None:
        properties.note("TRIGGER;TZID", "The time zone is unknown; the account's time zone was used.")
    return {"at": moment.isoformat().replace("+00:00", "Z")}


def _relative(
    length: tuple[int, int], trigger: Line, properties: Properties, anchors: Anchors
) -> dict[str, Any] | None:
    related = trigger.parameters.get("RELATED", "START").upper()
    anchor = "due" if related == "END" else "start"
    if anchor == "start" and not anchors.has_start and anchors.has_due:
        # not in the RFC, but what programs that write no DTSTART mean
        anchor = "due"
        properties.note("TRIGGER", "The task has no DTSTART; the reminder is relative to its DUE.")
    if not (anchors.has_start if anchor == "start" else anchors.has_due):
        properties.note("TRIGGER", f"It is relative to the task's {anchor}, which is not set.")
        return None
    seconds = length[0] * 86400 + length[1]
    if abs(seconds) > OFFSET_MAX_SECONDS:
        properties.note("TRIGGER", "It is more than a year before or after the task's date.")
        return None
    return {"offset_seconds": seconds, "relative_to": anchor}
