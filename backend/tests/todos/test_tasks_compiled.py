"""Lists of tasks: the compiled queries are what the ORM would send, and there are only so many."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, post_task
from todo_project.db import compiled
from todo_project.db.compiled import CompiledQuery
from todo_project.db.rows import uuid7
from todo_project.todos.api.serializers.tasks import COLUMNS, RESOURCE
from todo_project.todos.models import Task

FILTERS = ("project_id", "section_id", "parent_id", "label_id", "assignee_id", "is_completed")
SINCE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def sent(run: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        run()
    return [query["sql"] for query in captured.captured_queries]


def by_orm(owner: Any, query: dict[str, Any]) -> models.QuerySet[Task, Any]:
    """The same list, as one would write it."""
    rows = Task.objects.with_links().filter(owner_id=owner.pk)
    if not query["include_deleted"]:
        rows = rows.filter(deleted_at=None)
    if query["label_id"]:
        rows = rows.filter(task_labels__label_id=query["label_id"], task_labels__label__deleted_at=None)
    if query["assignee_id"]:
        rows = rows.filter(task_assignees__user_id=query["assignee_id"])
    if query["is_completed"] is not None:
        rows = rows.exclude(completed_at=None) if query["is_completed"] else rows.filter(completed_at=None)
    rows = rows.filter(**{name: query[name] for name in FILTERS[:3] if query[name]})
    if query["updated_since"]:
        rows = rows.filter(updated_at__gte=query["updated_since"])
    order = ("updated_at", "id") if query["updated_since"] else ("id",)
    return rows.order_by(*order).values_list(*COLUMNS)[: query["limit"] + 1]


@pytest.mark.parametrize("size", range(len(FILTERS) + 1))
def test_every_list_sends_the_statement_of_the_orm(alice: Person, size: int) -> None:
    project = make_project(alice)
    section, label = make_section(alice, project), make(alice, "labels", name="urgent")
    parent = post_task(alice, section_id=section["id"])
    task = post_task(alice, parent_id=parent["id"], labels=[label["id"]], assignees=[str(alice.user.pk)])
    values = (project["id"], section["id"], parent["id"], label["id"], alice.user.pk, False)
    for names in itertools.combinations(range(len(FILTERS)), size):
        for since, deleted in itertools.product((None, SINCE), (False, True)):
            query: dict[str, Any] = dict.fromkeys(FILTERS)
            query |= {FILTERS[n]: values[n] for n in names}
            query |= {"limit": 7, "cursor": None, "updated_since": since, "include_deleted": deleted}
            expected: list[Any] = []
            pages: list[Any] = []
            orm = sent(lambda query=query, expected=expected: expected.extend(by_orm(alice.user, query)))
            ours = sent(lambda query=query, pages=pages: pages.append(RESOURCE.page(query).rows(alice.user.pk)))
            assert ours == orm
            assert pages[0] == expected
            assert task["id"] in {str(row[0]) for row in expected}


def test_one_row_is_read_as_the_orm_reads_it(alice: Person) -> None:
    task = post_task(alice, due={"date": "2026-11-30"}, reminders=[{"at": "2026-11-30T09:00:00Z"}])
    rows = Task.objects.with_links().visible_to(alice.user.pk).alive().filter(id=task["id"])
    orm = sent(lambda: list(rows.order_by().values_list(*COLUMNS)))
    assert sent(lambda: RESOURCE.one(task["id"]).rows(alice.user.pk)) == orm


def of_owner(*, owner_id: Any, limit: int = 5) -> models.QuerySet[Task, Any]:
    return Task.objects.filter(owner_id=owner_id).order_by("id").values_list("id", "due_at", "reminders")[:limit]


def test_a_client_cannot_fill_the_memory_with_shapes(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_PLANS_MAX", 3)
    query = CompiledQuery(of_owner, {"owner_id": models.UUIDField()})
    for limit in range(1, 9):
        assert query.rows({"owner_id": uuid7()}, limit=limit) == []
        assert len(query._plans) <= 3
