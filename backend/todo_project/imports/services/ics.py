"""VTODO: one component as the values of a task (RFC 5545, section 3.6.2). Pure: reads no table, writes nothing.

docs/imports.md says which property becomes which field.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from todo_project.errors import InvalidInput
from todo_project.imports.services import alarms, content, values
from todo_project.imports.services.content import Component, Line, UnusableComponent
from todo_project.imports.services.taking import Findings, Taker, Unsupported, name_whole
from todo_project.todos.services import recurrence
from todo_project.todos.services.moments import Moment

NO_TITLE = "(no title)"
UID_LENGTH = 255
RULE_LENGTH = 500
LABEL_LENGTH = 100
LABELS_MAX = 100
REMINDERS_MAX = 20
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LOCAL_UNTIL = re.compile(r"(?<=;)UNTIL=([0-9]{8}T[0-9]{6})(?=;|\Z)")
_PRIORITIES = (0, 4, 3, 3, 3, 2, 1, 1, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskValues:
    """What a VTODO says of a task, in the terms of the task."""

    title: str
    description: str
    priority: int
    due: Moment | None
    start: Moment | None
    recurrence_rule: str
    reminders: list[dict[str, Any]]
    completed_at: dt.datetime | None
    labels: tuple[str, ...]
    parent_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTask:
    """A VTODO that can be imported: who it is, what it says, and what of it no field holds."""

    uid: str
    is_uid_made: bool
    values: TaskValues
    created_at: dt.datetime | None
    revision: tuple[int, dt.datetime, dt.datetime]
    unsupported: tuple[Unsupported, ...]


def read_task(raw: bytes, *, clock: values.Clock) -> ImportedTask:
    """Read one VTODO; raises UnusableComponent with the reason when there can be no task of it."""
    component = content.component(raw)
    findings = Findings()
    taker = Taker(component, findings)
    if taker.look("RECURRENCE-ID"):
        raise UnusableComponent("It changes one occurrence of a repeated task; only whole tasks are kept.")
    has_uid = taker.look("UID") is not None
    uid = _uid(taker, component)
    title, description = _texts(taker)
    due, start = _dates(taker, clock)
    revision = _revision(taker, clock)
    created_at = _created(taker, clock)
    task = TaskValues(
        title=title,
        description=description,
        priority=_priority(taker),
        due=due,
        start=start,
        recurrence_rule=_rule(taker, clock, has_date=bool(due or start)),
        reminders=_reminders(taker, clock, alarms.Anchors(has_start=bool(start), has_due=bool(due))),
        completed_at=_completed(taker, clock),
        labels=_labels(taker),
        parent_uid=_parent(taker, uid),
    )
    taker.name_rest()
    return ImportedTask(
        uid=uid,
        is_uid_made=not has_uid,
        values=task,
        created_at=created_at,
        revision=revision,
        unsupported=findings.all(),
    )


def known_uid(uid: str) -> str:
    """Give the UID as it is stored: one that is too long as its digest."""
    uid = uid.strip()
    return uid if len(uid) <= UID_LENGTH else "sha256:" + hashlib.sha256(uid.encode("utf-8", "replace")).hexdigest()


def signature(component: Component) -> tuple[Any, ...]:
    """Give what makes two components without a UID the same: all but DTSTAMP, in any order."""
    lines = sorted((line.name, line.value, sorted(line.parameters.items())) for line in component.lines)
    kept = tuple((name, value, tuple(rest)) for name, value, rest in lines if name != "DTSTAMP")
    return component.name, kept, tuple(signature(child) for child in component.children)


def _uid(taker: Taker, component: Component) -> str:
    line = taker.take("UID")
    if line is None:
        digest = hashlib.sha256(repr(signature(component)).encode("utf-8", "replace")).hexdigest()
        taker.name("UID", "It has none; one was made of its content.")
        return f"content:{digest[:40]}"
    if len(line.value.strip()) > UID_LENGTH:
        taker.name("UID", f"It is longer than {UID_LENGTH} characters and kept as its digest.")
    return known_uid(line.value)


def _texts(taker: Taker) -> tuple[str, str]:
    """Give title and description; what a title cannot hold stands at the head of the description."""
    summary, notes = taker.take("SUMMARY"), taker.take("DESCRIPTION")
    title = values.text(summary.value).strip() if summary else ""
    description = values.text(notes.value) if notes else ""
    limit = settings.TASK_TITLE_MAX_LENGTH
    if not title:
        title = NO_TITLE
        taker.name("SUMMARY", f"It has none; the title is {NO_TITLE}.")
    elif len(title) > limit:
        description = f"{title}\n\n{description}" if description else title
        title = title[: limit - 1] + "…"
        taker.name("SUMMARY", f"It is longer than {limit} characters; all of it begins the description.")
    if len(description) > settings.TASK_DESCRIPTION_MAX_LENGTH:
        raise UnusableComponent(
            f"Its description has {len(description)} characters, {settings.TASK_DESCRIPTION_MAX_LENGTH} are kept "
            "here (TASK_DESCRIPTION_MAX_LENGTH)."
        )
    return title, description


def _priority(taker: Taker) -> int:
    line = taker.take("PRIORITY")
    if line is None:
        return 0
    priority = values.integer(line.value)
    if priority is None or not 0 <= priority < len(_PRIORITIES):
        taker.name("PRIORITY", f"{line.value[:40]} is not between 0 and 9.")
        return 0
    return _PRIORITIES[priority]


def _moment(taker: Taker, name: str, clock: values.Clock) -> Moment | None:
    line = taker.take(name, parameters=("VALUE", "TZID"))
    if line is None:
        return None
    found = values.moment(line, clock)
    if found is None:
        taker.name(name, f"{line.value[:40]} is no date and no time.")
    elif "at" in found and "TZID" in line.parameters:
        zone = clock.zones.get(line.parameters["TZID"])
        if zone is None:
            taker.name(f"{name};TZID", "The zone is unknown; the time was read in the account's zone.")
        elif not zone.name:
            taker.name(f"{name};TZID", "The time was read as the file defines the zone, which has no other name.")
    return found


def _take_instant(taker: Taker, name: str) -> Line | None:
    """Take a DATE-TIME whose zone is not kept: the instant is all there is to it."""
    return taker.take(name, parameters=("VALUE", "TZID"))


def _dates(taker: Taker, clock: values.Clock) -> tuple[Moment | None, Moment | None]:
    """Give due and start; DTSTART and DURATION together say when it is due."""
    start, due = _moment(taker, "DTSTART", clock), _moment(taker, "DUE", clock)
    line = taker.take("DURATION")
    if line is None:
        return due, start
    length = values.duration(line.value)
    end = values.after(start, length, clock) if length and start and not due else None
    if end is None:
        taker.name("DURATION", f"{line.value[:40]} cannot be added to a DTSTART to give a due date.")
        return due, start
    return end, start


def _until_in_utc(local: str, clock: values.Clock) -> str:
    """Give an UNTIL without a zone, which goes with a floating DTSTART, as the UTC that others have."""
    at = values.instant(Line("UNTIL", {}, local), clock)
    return f"UNTIL={local if at is None else at.strftime('%Y%m%dT%H%M%SZ')}"


def _rule(taker: Taker, clock: values.Clock, *, has_date: bool) -> str:
    line = taker.take("RRULE")
    if line is None:
        return ""
    rule = _LOCAL_UNTIL.sub(lambda found: _until_in_utc(found[1], clock), line.value.strip().rstrip(";").upper())
    if not has_date:
        why = "The task has no date to repeat from."
    elif len(rule) > RULE_LENGTH:
        why = f"It is longer than {RULE_LENGTH} characters."
    else:
        try:
            return recurrence.parse(rule).text
        except InvalidInput as error:
            why = error.detail
    taker.name("RRULE", f"{line.value[:60]} is not supported. {why}")
    return ""


def _completed(taker: Taker, clock: values.Clock) -> dt.datetime | None:
    """Give when the task was done. STATUS decides; without one, COMPLETED or PERCENT-COMPLETE:100 does."""
    done, share, status = _take_instant(taker, "COMPLETED"), taker.take("PERCENT-COMPLETE"), taker.take("STATUS")
    percent = values.integer(share.value) if share else None
    state = status.value.strip().upper() if status else ""
    if state not in {"", "NEEDS-ACTION", "COMPLETED"}:
        taker.name("STATUS", f"{state[:40]} has no counterpart here; the task is open.")
    is_done = state == "COMPLETED" or (not state and (done is not None or percent == 100))
    if share and percent != (100 if is_done else 0):
        taker.name("PERCENT-COMPLETE", f"{share.value[:20]} has no field here; the task is {_state(is_done)}.")
    if not is_done:
        if done:
            taker.name("COMPLETED", "STATUS says that the task is open.")
        return None
    at = values.instant(done, clock) if done else None
    if done and at is None:
        taker.name("COMPLETED", f"{done.value[:40]} is no time.")
    return at or _last_change(taker, clock) or clock.now


def _state(is_done: bool) -> str:
    return "done" if is_done else "open"


def _last_change(taker: Taker, clock: values.Clock) -> dt.datetime | None:
    """Give the last change that the component knows of: when else would it have been done."""
    for name in ("LAST-MODIFIED", "LAST-MOD", "DTSTAMP"):
        line = taker.look(name)
        if line and (found := values.instant(line, clock)) and found <= clock.now:
            return found
    return None


def _revision(taker: Taker, clock: values.Clock) -> tuple[int, dt.datetime, dt.datetime]:
    """Give what orders two versions of one task; the properties themselves have no field here."""
    sequence, modified, stamp = (taker.look(name) for name in ("SEQUENCE", "LAST-MODIFIED", "DTSTAMP"))
    return (
        (values.integer(sequence.value) or 0) if sequence else 0,
        (values.instant(modified, clock) or _EPOCH) if modified else _EPOCH,
        (values.instant(stamp, clock) or _EPOCH) if stamp else _EPOCH,
    )


def _created(taker: Taker, clock: values.Clock) -> dt.datetime | None:
    line = _take_instant(taker, "CREATED")
    found = values.instant(line, clock) if line else None
    if line and (found is None or not _EPOCH <= found <= clock.now):
        taker.name("CREATED", f"{line.value[:40]} is no time between 1970 and now.")
        return None
    return found


def _labels(taker: Taker) -> tuple[str, ...]:
    names: dict[str, str] = {}
    written = (name for line in taker.take_all("CATEGORIES") for name in values.texts(line.value))
    for count, name in enumerate(" ".join(each.split()) for each in written):
        if len(names) >= LABELS_MAX or count >= 10 * LABELS_MAX:
            taker.name("CATEGORIES", f"A task has at most {LABELS_MAX} labels here.")
            break
        if len(name) > LABEL_LENGTH:
            taker.name("CATEGORIES", f"{name[:40]}… is too long for a label.")
        elif name:
            names.setdefault(name.lower(), name)
    return tuple(names.values())


def _parent(taker: Taker, uid: str) -> str:
    parents = []
    for line in taker.take_all("RELATED-TO", parameters=("RELTYPE",)):
        kind = line.parameters.get("RELTYPE", "PARENT").upper()
        if kind == "PARENT" and known_uid(line.value) != uid:
            parents.append(known_uid(line.value))
        else:
            taker.name("RELATED-TO", f"Only another task as its parent is kept, not {kind[:40]}.")
    if len(parents) > 1:
        taker.name("RELATED-TO", "It has several parents; the first is kept.")
    return parents[0] if parents else ""


def _reminders(taker: Taker, clock: values.Clock, anchors: alarms.Anchors) -> list[dict[str, Any]]:
    reminders: list[dict[str, Any]] = []
    for child in taker.component.children:
        if child.name != "VALARM":
            name_whole(child, taker.findings)
            continue
        found = alarms.reminder(child, anchors=anchors, findings=taker.findings, clock=clock)
        if found is None or found in reminders:
            continue
        if len(reminders) < REMINDERS_MAX:
            reminders.append(found)
        else:
            taker.findings.name("VALARM", "VALARM", f"Only {REMINDERS_MAX} reminders are kept.")
    return reminders
