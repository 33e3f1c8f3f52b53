"""The database holds what the code relies on, whoever writes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, post_task
from todo_project.todos.models import Label, Project, Section, Task


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Project, {"position": "z0"}),
        (Project, {"position": "i1\n"}),
        (Project, {"position": ""}),
        (Project, {"color": "banana"}),
        (Project, {"color": "#ABCDEF"}),
        (Project, {"name": ""}),
        (Section, {"position": "Z"}),
        (Section, {"name": ""}),
        (Label, {"color": "#12345"}),
        (Label, {"name": ""}),
        (Task, {"position": "é1"}),
        (Task, {"title": ""}),
        (Task, {"priority": 5}),
        (Task, {"recurrence_mode": "schedule"}),
        (Task, {"recurrence_rule": "FREQ=DAILY"}),
        (Task, {"recurrence_rule": "FREQ=DAILY", "recurrence_mode": "sometimes"}),
        (Task, {"due_time_zone": "Asia/Shanghai"}),
    ],
)
def test_a_row_of_which_the_api_would_refuse_a_value_is_refused(
    alice: Person, kind: Any, values: dict[str, Any]
) -> None:
    make_section(alice, make_project(alice))
    make(alice, "labels", name="home", color="#abcdef")
    post_task(alice, due={"date": "2026-12-01"})
    with pytest.raises(IntegrityError), transaction.atomic():
        kind.objects.update(**values)


def test_an_inbox_is_not_archived(alice: Person) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Project.objects.filter(is_inbox=True).update(is_archived=True)


@pytest.mark.postgres
@pytest.mark.parametrize("kind", [Project, Section, Label, Task])
def test_the_purge_walks_an_index(alice: Person, kind: Any) -> None:
    with connection.cursor() as cursor:
        for other in ("seqscan", "bitmapscan", "sort"):  # which few rows would make cheaper
            cursor.execute(f"SET LOCAL enable_{other} = off")
    plan = kind.objects.trashed_before(timezone.now()).order_by("deleted_at").values("id")[:500].explain()
    assert f"{kind.__name__.lower()}_trash" in plan
    assert "Sort" not in plan


@pytest.mark.parametrize("kind", [Project, Section, Label, Task, Task.labels.through])
def test_no_index_repeats_the_beginning_of_another(alice: Person, kind: Any) -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, kind._meta.db_table)
    partial = {index.name for index in kind._meta.indexes if index.condition is not None}
    names = [name for name, each in found.items() if each["index"] and name not in partial and all(each["columns"])]
    for name in names:
        columns = found[name]["columns"]
        longer = [other for other in names if other != name and found[other]["columns"][: len(columns)] == columns]
        assert not longer or found[name]["unique"], (name, longer)
