"""Turns each condition of a filter into a `Q` over tasks."""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import functools
import operator
import re
import unicodedata
import uuid
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q

from todo_project.accounts.models import User
from todo_project.db import time_zones
from todo_project.errors import InvalidInput
from todo_project.todos.models import Membership, Project, TaskAssignee, TaskLabel
from todo_project.todos.models.filtering import dates, hints
from todo_project.todos.models.filtering.names import Names
from todo_project.todos.models.filtering.syntax import All, AnyOf, Condition, Filter, Not, narrow, refused

_EQUAL = (":", "=", "!=")
_COMPARE = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


def _itself(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Context:
    """Who filters, when, in which time zone, and which rows.

    `kinds` has the moments of which all these rows have the same kind of value: the column that has it, or None.
    `bind` takes every value that depends on who filters and when, and returns what stands for it (compiled.py).
    """

    user_id: uuid.UUID
    names: Names
    now: dt.datetime
    zone: zoneinfo.ZoneInfo
    kinds: Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    bind: Callable[[Any], Any] = _itself

    @classmethod
    def of(cls, user: User, *, now: dt.datetime) -> Context:
        """Return the context of this person, in the time zone of the account."""
        names = Names(user.pk, user.is_member)
        return cls(user_id=user.pk, names=names, now=now, zone=time_zones.zone(user.time_zone))

    def within(self, kinds: Mapping[str, str | None]) -> Context:
        """Return the context of rows with these kinds of values."""
        return dataclasses.replace(self, kinds=kinds)


def to_q(filter_: Filter, context: Context) -> Q:
    """Return the filter as a `Q` over tasks; raise InvalidInput for an unknown field, name or value."""
    match filter_:
        case Not():
            return ~to_q(filter_.filter, context)
        case All():
            return functools.reduce(operator.and_, (to_q(each, context) for each in filter_.filters))
        case AnyOf():
            return functools.reduce(operator.or_, (to_q(each, context) for each in filter_.filters))
        case Condition():
            return _condition(filter_, context)


def _condition(condition: Condition, context: Context) -> Q:
    if not condition.operator:
        if condition.field == "overdue":
            return _overdue(context)
        raise refused(
            condition,
            f"{condition.field!r} has no operator. Write a field and a value, such as "
            f"{hints.for_word(condition.field, _FIELDS, _STATES)}, or the word overdue.",
            "syntax",
        )
    _check_field(condition)
    found = _FIELDS[condition.field](condition, context)
    return ~found if condition.operator == "!=" else found


def _check_field(condition: Condition) -> None:
    """Raise InvalidInput for an unknown field, and for one without a value."""
    field = condition.field
    if field == "overdue":
        raise refused(
            condition,
            "'overdue' takes no operator and no value. Write overdue, or !overdue for its opposite.",
            "invalid_operator",
        )
    if field not in _FIELDS:
        raise _unknown("field", field, _FIELDS, at=condition, meant=hints.FIELDS)
    if not condition.value:
        hint = f"For tasks without one, write no:{field}" if field in _ABSENT else f"Write one after {field}:"
        raise refused(condition, f"{field!r} needs a value. {hint}.", "blank")


# --- dates and times


def _overdue(context: Context) -> Q:
    return Q(completed_at=None) & _moment("due", "<", context.now, context)


def _moment(name: str, comparison: str, value: dt.date | dt.datetime, context: Context) -> Q:
    """Compare a date, or a time, with a day or a time. A whole day is before a time if it ended before."""
    date, at = f"{name}_date", f"{name}_at"
    lookup, day = _COMPARE.get(comparison, "exact"), value
    if isinstance(value, dt.datetime):
        lookup, day = "lt" if comparison in ("<", "<=") else "gte", value.astimezone(context.zone).date()
    tests = {date: Q(**{f"{date}__{lookup}": context.bind(day)}), at: _instant(at, comparison, value, context)}
    if name not in context.kinds:
        return tests[date] | Q(**{date: None}) & tests[at]  # with the first column too, it is a range of the index
    # A condition on the only column that has a value is a range of its index; "or" would not be.
    return tests.get(context.kinds[name] or "", Q(pk__in=[]))


def _instant(column: str, comparison: str, value: dt.date | dt.datetime, context: Context) -> Q:
    if isinstance(value, dt.datetime):
        return Q(**{f"{column}__{_COMPARE[comparison]}": context.bind(value)})
    start, end = dates.day_start(value, context.zone), dates.day_end(value, context.zone)
    if comparison in _EQUAL:
        return Q(**{f"{column}__gte": context.bind(start), f"{column}__lt": context.bind(end)})
    if comparison in ("<", ">="):
        return Q(**{f"{column}__{_COMPARE[comparison]}": context.bind(start)})
    return Q(**{f"{column}__{'lt' if comparison == '<=' else 'gte'}": context.bind(end)})


def _date_field(compare: Callable[..., Q], name: str) -> Callable[[Condition, Context], Q]:
    def made(condition: Condition, context: Context) -> Q:
        value = dates.parse(condition, now=context.now, zone=context.zone)
        if isinstance(value, dt.datetime) and condition.operator in _EQUAL:
            raise refused(
                condition,
                f"{condition.field}{condition.operator}{condition.value} compares with a single instant. "
                f"Use <, <=, > or >=, or a day.",
                "invalid_operator",
            )
        return compare(name, condition.operator, value, context)

    return made


# --- names


def _alike(name: str) -> str:
    """Return what names have in common that differ in case, or in how their accents are encoded."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _named(kind: str, names: Iterable[tuple[uuid.UUID, str]], condition: Condition) -> list[uuid.UUID]:
    """Return the ids of all things with this name, as _alike compares it; raise InvalidInput if there is none."""
    _only_equal(condition)
    wanted, known = _alike(condition.value), list(names)
    found = [row_id for row_id, name in known if _alike(name) == wanted]
    if not found:
        raise _unknown(kind, condition.value, (name for _, name in known), at=condition)
    return found


def _project(condition: Condition, context: Context) -> Q:
    found = _named("project", ((row[0], row[1]) for row in context.names.projects), condition)
    return Q(project_id__in=context.bind(found))


def _in(condition: Condition, context: Context) -> Q:
    found = set(_named("project", ((row[0], row[1]) for row in context.names.projects), condition))
    before: set[uuid.UUID] = set()
    while found != before:
        before = set(found)
        found |= {row_id for row_id, _, parent_id in context.names.projects if parent_id in before}
    return Q(project_id__in=context.bind(sorted(found)))


def _section(condition: Condition, context: Context) -> Q:
    return Q(section_id__in=context.bind(_named("section", context.names.sections, condition)))


def _label(condition: Condition, context: Context) -> Q:
    ids = context.bind(_named("label", context.names.labels, condition))
    return Q(Exists(TaskLabel.objects.filter(task=OuterRef("pk"), label_id__in=ids)))


def _assignee(condition: Condition, context: Context) -> Q:
    _only_equal(condition)
    assigned = TaskAssignee.objects.filter(task=OuterRef("pk"))
    if condition.value.lower() == "me":
        return Q(Exists(assigned.filter(user_id=context.bind(context.user_id))))
    # an unknown address matches nothing, so that nobody finds out which addresses have an account
    return Q(Exists(assigned.filter(user__email=condition.value.lower())))


# --- numbers, texts and states


def _priority(condition: Condition, _context: Context) -> Q:
    value = narrow(condition.value)
    if not re.fullmatch("[0-4]", value):
        raise refused(
            condition, f"{condition.value!r} is not a priority. Use 0 to 4; 4 is the most urgent.", "invalid_choice"
        )
    return Q(**{f"priority__{_COMPARE.get(condition.operator, 'exact')}": int(value)})


def _text(*columns: str) -> Callable[[Condition, Context], Q]:
    def made(condition: Condition, _context: Context) -> Q:
        _only_equal(condition)
        lookup = "icontains" if condition.operator == ":" else "iexact"
        tests = (Q(**{f"{column}__{lookup}": condition.value}) for column in columns)
        return functools.reduce(operator.or_, tests)

    return made


def _shared(_context: Context) -> Q:
    return Q(Exists(Membership.objects.filter(project=OuterRef("project"))))


_STATES: Mapping[str, Callable[[Context], Q]] = {
    "open": lambda _: Q(completed_at=None),
    "done": lambda _: Q(completed_at__isnull=False),
    "recurring": lambda _: ~Q(recurrence_rule=""),
    "shared": _shared,
    "inbox": lambda _: Q(Exists(Project.objects.filter(id=OuterRef("project_id"), is_inbox=True))),
    "subtask": lambda _: Q(parent_id__isnull=False),
    "overdue": _overdue,
}


def _no_moment(name: str) -> Q:
    return Q(**{f"{name}_date": None, f"{name}_at": None})


_ABSENT: Mapping[str, Q] = {
    "due": _no_moment("due"),
    "start": _no_moment("start"),
    "deadline": _no_moment("deadline"),
    "section": Q(section_id=None),
    "parent": Q(parent_id=None),
    "priority": Q(priority=0),
    "description": Q(description=""),
    "recurrence": Q(recurrence_rule=""),
    "reminders": Q(reminders=[]),
    "completed": Q(completed_at=None),
    "assignee": ~Q(Exists(TaskAssignee.objects.filter(task=OuterRef("pk")))),
    "label": ~Q(Exists(TaskLabel.objects.filter(task=OuterRef("pk"), label__deleted_at=None))),
}


def _is(condition: Condition, context: Context) -> Q:
    state: Q = _choice(condition, _STATES)(context)
    return state


def _no(condition: Condition, _context: Context) -> Q:
    absent: Q = _choice(condition, _ABSENT)
    return absent


def _choice(condition: Condition, choices: Mapping[str, Any]) -> Any:
    _only_equal(condition)
    value = condition.value.lower()
    if value not in choices:
        meant = hints.STATES if condition.field == "is" else hints.FIELDS
        raise _unknown(f"value of {condition.field}", condition.value, choices, at=condition, meant=meant)
    return choices[value]


_FIELDS: Mapping[str, Callable[[Condition, Context], Q]] = {
    "project": _project,
    "in": _in,
    "section": _section,
    "label": _label,
    "assignee": _assignee,
    "priority": _priority,
    "title": _text("title"),
    "description": _text("description"),
    "text": _text("title", "description"),
    "is": _is,
    "no": _no,
    **{name: _date_field(_moment, name) for name in ("due", "start", "deadline")},
    **{name: _date_field(_instant, f"{name}_at") for name in ("completed", "created", "updated")},
}


# --- errors


def _only_equal(condition: Condition) -> None:
    if condition.operator not in _EQUAL:
        raise refused(
            condition,
            f"{condition.field!r} has no order, so {condition.operator!r} cannot compare it. Use :, = or !=.",
            "invalid_operator",
        )


def _unknown(
    kind: str, name: str, known: Iterable[str], *, at: Condition, meant: Mapping[str, str] | None = None
) -> InvalidInput:
    """Return the error for an unknown name; `meant` has other words for known ones, of which there are few."""
    names = {_alike(each): each for each in known}
    other = (meant or {}).get(_alike(name))
    nearest = [other] if other in names else difflib.get_close_matches(_alike(name), names, n=1, cutoff=0.5)
    hint = f" Did you mean {names[nearest[0]]!r}?" if nearest else ""
    if not nearest and meant is not None:
        hint = f" Use one of: {', '.join(sorted(names.values()))}."
    return refused(at, f"there is no {kind} named {name!r}.{hint}", f"unknown_{kind.split(maxsplit=1)[0]}")
