"""VALARM: when to remind (RFC 5545, section 3.6.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from todo_project.imports.services import values
from todo_project.imports.services.content import Component, Line
from todo_project.imports.services.taking import Findings, Taker, name_whole

# What Apple writes where an alarm has no time: one that waits for a place, or none.
_APPLE_NEVER = "19760401T005545Z"
_OFFSET_MAX = 366 * 86400


@dataclass(frozen=True, slots=True)
class Anchors:
    """Whether the task has what a relative alarm counts from."""

    has_start: bool
    has_due: bool


def reminder(
    alarm: Component, *, anchors: Anchors, findings: Findings, clock: values.Clock
) -> dict[str, Any] | None:
    """Give the alarm as a reminder, or None when no reminder says the same; what is lost is named."""
    taker = Taker(alarm, findings)
    action = taker.take("ACTION")
    if action is not None and action.value.strip().upper() != "DISPLAY":
        taker.name("ACTION", f"{action.value.strip()[:40]}: a reminder here only reminds.")
    trigger = taker.take("TRIGGER", parameters=("VALUE", "RELATED", "TZID"))
    if trigger is None:
        taker.name("TRIGGER", "An alarm has none, so nobody knows when to remind.")
    found = None if trigger is None else _trigger(trigger, taker, anchors, clock)
    taker.name_rest()
    for child in alarm.children:
        name_whole(child, findings)
    return found


def _trigger(trigger: Line, taker: Taker, anchors: Anchors, clock: values.Clock) -> dict[str, Any] | None:
    value = trigger.value.strip()
    if taker.look("X-APPLE-PROXIMITY") or value == _APPLE_NEVER:
        taker.name("TRIGGER", "The alarm waits for a place, or for nothing, and not for a time.")
        return None
    length = values.duration(value)
    if length is not None:
        return _relative(length, trigger, taker, anchors)
    moment = values.instant(trigger, clock)
    if moment is None:
        taker.name("TRIGGER", f"{value[:40]} is neither a duration nor a time.")
        return None
    if "TZID" in trigger.parameters and clock.zones.get(trigger.parameters["TZID"]) is None:
        taker.name("TRIGGER;TZID", "The zone is unknown; the time was read in the account's zone.")
    return {"at": moment.isoformat().replace("+00:00", "Z")}


def _relative(length: tuple[int, int], trigger: Line, taker: Taker, anchors: Anchors) -> dict[str, Any] | None:
    related = trigger.parameters.get("RELATED", "START").upper()
    anchor = "due" if related == "END" else "start"
    if anchor == "start" and not anchors.has_start and anchors.has_due:
        # Not in the RFC, but what programs mean that write no DTSTART.
        anchor = "due"
        taker.name("TRIGGER", "The task has no DTSTART; the reminder counts from its DUE.")
    if not (anchors.has_start if anchor == "start" else anchors.has_due):
        taker.name("TRIGGER", f"It counts from the task's {anchor}, which is not set.")
        return None
    seconds = length[0] * 86400 + length[1]
    if abs(seconds) > _OFFSET_MAX:
        taker.name("TRIGGER", "It is more than a year away from what it counts from.")
        return None
    return {"offset_seconds": seconds, "relative_to": anchor}
