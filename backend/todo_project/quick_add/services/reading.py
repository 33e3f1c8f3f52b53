"""Reads one line of text as a task. It depends on nothing but its arguments."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from todo_project.quick_add.services.languages import languages
from todo_project.quick_add.services.marks import KnownNames, Marks, find_marks
from todo_project.quick_add.services.notation import notation_of
from todo_project.quick_add.services.resolving import NotPossible, resolve
from todo_project.quick_add.services.schedule import find_schedule
from todo_project.quick_add.services.text import Span, fold, tidied, without
from todo_project.todos.services.fields import Recurrence
from todo_project.todos.services.moments import Moment


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a text says. The spans are sorted, and do not overlap; without them, the text is the title."""

    title: str
    marks: Marks
    due: Moment | None
    recurrence: Recurrence | None
    spans: list[Span]


def read(text: str, *, names: KnownNames, now: dt.datetime, zone: str) -> Reading:
    """Return what the text says at this time, in this time zone."""
    folded = fold(text)
    marks = find_marks(text, folded, names)
    spoken = (*languages(), notation_of(folded, zone))
    schedule = find_schedule(folded, [*marks.spans, *marks.protected], spoken)
    try:
        due, recurrence = resolve(schedule, now=now, zone=zone)
    except NotPossible:
        due, recurrence, schedule.spans = None, None, []
    spans = tidied(folded, [*marks.spans, *schedule.spans])
    return Reading(title=without(text, spans), marks=marks, due=due, recurrence=recurrence, spans=spans)
