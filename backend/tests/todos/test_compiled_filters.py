"""Filters whose SQL is compiled once have the SQL and the values that the ORM would send for each caller."""

from __future__ import annotations

import datetime as dt
import gc
import re
import uuid
import weakref
import zoneinfo
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Person
from tests.todos.stories import make_project, post_task
from todo_project.db import compiled
from todo_project.db.rows import uuid7
from todo_project.errors import InvalidInput
from todo_project.todos.models import Task
from todo_project.todos.models.filtering import conditions
from todo_project.todos.models.filtering.compiled import _CONDITION, BoundFilters, condition_of
from todo_project.todos.models.filtering.conditions import Context, to_q
from todo_project.todos.models.filtering.names import Names
from todo_project.todos.models.filtering.syntax import parse

pytestmark = pytest.mark.django_db

FILTERS = (
    "overdue",
    "is:open & due<=today",
    "due:today & start!=tomorrow & deadline>now-2h",
    "completed>=today-1w | created<now | updated:2026-11-30",
    "project:home & section:kitchen",
    "in:home | !label:urgent",
    "label:urgent & label:later & project:home",
    "assignee:me | assignee:bob@example.org",
    "is:overdue | is:inbox | is:shared | is:recurring | is:subtask | is:done",
    "no:due & no:label & no:assignee & no:reminders",
    'priority>=3 & title:"1903-03-03" & description=x & text:%',
    "(due<today & project:home) | priority:1",
)
KINDS: tuple[dict[str, str | None], ...] = ({}, {"due": "due_date"}, {"due": "due_at"}, {"due": None})


def context(number: int, *, zone: str, homes: int, kitchens: int) -> Context:
    """Return the context of somebody with so many projects and sections of these names."""
    names = Names(uuid7(), is_member=False)
    projects = [(uuid7(), "Home", None) for _ in range(homes)]
    inside = [(uuid7(), "Garage", above) for above, _, _ in projects]
    names.__dict__["projects"] = [*projects, *inside]
    names.__dict__["sections"] = [(uuid7(), "Kitchen") for _ in range(kitchens)]
    names.__dict__["labels"] = [(uuid7(), "urgent"), (uuid7(), "later")]
    now = dt.datetime(2026, 11, number, 22, number, tzinfo=dt.UTC)
    return Context(names.user_id, names, now, zoneinfo.ZoneInfo(zone))


PEOPLE = (
    context(3, zone="Asia/Shanghai", homes=1, kitchens=2),
    context(9, zone="America/New_York", homes=2, kitchens=1),
    context(21, zone="UTC", homes=2, kitchens=2),
)


def sql_or_none(make: Any) -> Any:
    try:
        sql, parameters = make()
    except EmptyResultSet:
        return None
    return sql, [repr(each) for each in parameters]  # psycopg compares JSON by identity


def test_every_field_is_tried_here() -> None:
    compared = {name for text in FILTERS for name in re.findall(r"(\w+)[:=<>!]", text)}
    assert compared | {text for text in FILTERS if text.isalpha()} >= {*conditions._FIELDS}


@pytest.mark.parametrize("kinds", KINDS, ids=str)
@pytest.mark.parametrize("text", FILTERS)
def test_the_sql_and_the_values_are_those_of_each_caller(text: str, kinds: dict[str, str | None]) -> None:
    filter_ = parse(text)
    for one in (*PEOPLE, *PEOPLE):  # compiles, and then uses what was compiled for another one
        seen = one.within(kinds)
        expected = sql_or_none(lambda seen=seen: compiled._condition_sql(connection, Task, to_q(filter_, seen)))
        condition: Any = condition_of(filter_, seen)
        assert sql_or_none(lambda condition=condition: condition(connection)) == expected


def test_alike_filters_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_CONDITION, "_plans", {})
    for text in ("is:open & due<today & project:home", "  is:open&due<today & project:home"):
        for one in (PEOPLE[1], PEOPLE[2]):
            condition: Any = condition_of(parse(text), one)
            condition(connection)
    assert len(_CONDITION._plans) == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite gets dates and ids as texts")
# as SQLite gets the placeholders of the first day, the first time and the first id
@pytest.mark.parametrize("text", ["1903-03-03", "1903-03-03 03:03:04.030303", uuid.UUID(int=2**127 + 2).hex])
def test_a_text_is_no_placeholder(alice: Person, text: str) -> None:
    project = make_project(alice, name="Home")
    task = post_task(alice, title=text, due={"date": "2026-11-30"}, project_id=project["id"])
    post_task(alice, title="Other", due={"date": "2026-11-30"}, project_id=project["id"])
    for _ in range(2):  # compiles, and then uses what was compiled
        query = urlencode({"filter": f'title="{text}" & due<2030-01-01 & project:home', "sort": "title"})
        assert [each["id"] for each in alice.api.get(f"/tasks?{query}").json()["results"]] == [task["id"]]


def test_what_is_compiled_holds_nothing_of_the_caller(alice: Person) -> None:
    make_project(alice, name="Home")
    own = Context.of(alice.user, now=PEOPLE[0].now)
    condition: Any = condition_of(parse("project:home & due<1999-01-01"), own)
    condition(connection)
    held = weakref.ref(own.names)
    del own, condition
    gc.collect()
    assert held() is None


def test_an_unknown_name_is_an_error_although_others_have_it() -> None:
    condition_of(parse("project:home"), PEOPLE[0])
    with pytest.raises(InvalidInput, match="no project named 'home'"):
        condition_of(parse("project:home"), context(1, zone="UTC", homes=0, kitchens=0))


def test_bound_filters_leave_out_one_with_an_error() -> None:
    bound = BoundFilters(PEOPLE[0])
    bound.add(parse("due<today"))
    before = bound.values
    with pytest.raises(InvalidInput):
        bound.add(parse("due:tomorrow & project:Nowhere"))
    assert bound.values == before
    assert bound.variant.filters == (parse("due<today"),)


def test_names_are_read_once_and_only_if_needed(alice: Person) -> None:
    make_project(alice, name="Home")
    own = Context.of(alice.user, now=PEOPLE[0].now)
    with CaptureQueriesContext(connection) as captured:
        condition_of(parse("is:open & due<today"), own)
        assert len(captured) == 0
        condition_of(parse("project:home | in:home"), own)
        assert len(captured) == 1
