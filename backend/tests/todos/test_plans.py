"""Pages are a few ranges of indexes: of a person in 300 of thousands of projects, and of one with 200,000 tasks.

docs/adr/0027 and 0034 say why, and what costs more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Person
from tests.todos.crowd import JOINED, TABLES, gather, hoard
from todo_project.api import pagination
from todo_project.todos.api.serializers.changes import Copying, HolderPage, decode
from todo_project.todos.api.serializers.sorting import order_of
from todo_project.todos.api.serializers.tasks import RESOURCE, TaskQuery
from todo_project.todos.models import Project, Task

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
]
# a page, and the 300 memberships; the person sees 6,000 of 80,000 tasks
FEW = 700
# A sorted page reads the tasks in all projects that the person has joined, and a page of labels reads their labels.
SHARED_ROWS = 6_500
LARGE = {*TABLES, "todos_project", "todos_change"}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


def faults(node: dict[str, Any], few: int, large: Collection[str]) -> Iterator[str]:
    """Describe how a part of a plan reads more than a few rows."""
    kind, table = node["Node Type"], node.get("Relation Name")
    ignored = sum(node.get(f"Rows Removed by {reason}", 0) for reason in ("Filter", "Index Recheck"))
    rows = (node["Actual Rows"] + ignored) * node["Actual Loops"]
    if table and rows > few:
        yield f"{rows} rows of {table}"
    if kind == "Seq Scan" and table in large:
        yield f"all of {table}"
    if kind in ("Sort", "Incremental Sort") and node["Plans"][0]["Actual Rows"] > few:
        yield f"{node['Plans'][0]['Actual Rows']} sorted rows"


class Reader:
    """Sends requests, and collects what their plans are not to do."""

    def __init__(self, who: Person, *, few: int = FEW, large: Collection[str] = LARGE) -> None:
        self.who = who
        self.limits: dict[str, Any] = {"few": few, "large": large}
        self.found: list[str] = []
        self.tables: set[str] = set()

    def get(self, path: str) -> Any:
        """Send a request, look at the plans of its statements, and return its response."""
        with CaptureQueriesContext(connection) as sent:
            answer = self.who.api.get(path)
        assert answer.status_code == 200, answer.content
        for query in sent.captured_queries:
            if query["sql"].startswith(("SELECT", "WITH")):
                self.found += [f"{path}: {fault}" for fault in self._faults(query["sql"])]
        return answer.json()

    def _faults(self, sql: str) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}")
            ((plan,),) = cursor.fetchall()
        parts = list(nodes(plan[0]["Plan"]))
        self.tables |= {part["Relation Name"] for part in parts if "Relation Name" in part}
        return [fault for part in parts for fault in faults(part, **self.limits)]

    def pages(self, path: str, count: int = 3) -> list[Any]:
        """Return the rows of the first pages of a list."""
        rows, cursor = [], ""
        for _ in range(count):
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit=50{cursor}")
            rows += page["results"]
            cursor = f"&cursor={page['next_cursor']}"
            if page["next_cursor"] is None:
                break
        return rows


def read_lists(reader: Reader, joined: list[Project]) -> None:
    """Read the beginning of each list, the middle of the tasks, and what belongs to one of them."""
    for kind in ("projects", "tasks"):
        assert len(reader.pages(f"/{kind}")) == 150
    later = reader.get(f"/tasks?cursor={pagination.encode(joined[-2].id, joined[-2].id)}")["results"]
    task = next(each for each in later if each["comment_count"] and each["labels"])
    project, label = task["project_id"], task["labels"][0]
    for path in (
        f"/tasks?project_id={project}",
        f"/tasks?label_id={label}",
        "/tasks?is_completed=false",
        f"/comments?task_id={task['id']}",
        f"/tasks/{task['id']}/activity",
        f"/projects/{project}/activity",
    ):
        assert reader.pages(path)
    for path in (
        f"/tasks/{task['id']}",
        f"/projects/{project}",
        f"/labels/{label}",
        f"/projects/{project}/members",
    ):
        reader.get(path)


def read_copies(reader: Reader, joined: list[Project]) -> None:
    """Read the beginning and the middle of a copy, the copy of a project, and what is new after that."""
    start = decode(reader.get("/changes?limit=1")["next_cursor"])
    middle = pagination.encode(joined[JOINED // 2].id, joined[JOINED // 2].id)
    for copying, holders in (
        *((Copying("task", page=page), None) for page in (None, middle)),
        *((Copying("comment"), HolderPage(page)) for page in (None, middle)),
        *((Copying(kind, joined[0].id), None) for kind in ("project", "label", "section", "task", "comment")),
    ):
        cursor = msgspec.structs.replace(start, copying=copying, holders=holders).encode()
        for limit in (200, 1):
            page = reader.get(f"/changes?limit={limit}&since={cursor}")
            cursor = page["next_cursor"]
    assert not page["has_more"]
    assert reader.get(f"/changes?since={cursor}")["results"] == []


def read_sorted(reader: Reader) -> None:
    """Read the beginning of lists in other orders."""
    for query in ("sort=due", "sort=-priority,due", "sort=priority", "filter=is:open%26!overdue&sort=due"):
        assert len(reader.pages(f"/tasks?{query}")) == 150


def test_pages_are_ranges_of_indexes(bob: Person) -> None:
    joined = gather(bob)
    reader = Reader(bob)
    read_lists(reader, joined)
    read_copies(reader, joined)
    assert reader.found == []
    sorted_reader = Reader(bob, few=SHARED_ROWS)
    read_sorted(sorted_reader)
    assert sorted_reader.found == []
    label_reader = Reader(bob, few=SHARED_ROWS)
    assert len(label_reader.pages("/labels")) == 150
    assert label_reader.found == []
    assert "todos_task" not in label_reader.tables


# pages that cost the same whatever a person has
USUAL = (
    *("sort=due", "sort=-due", "sort=priority", "sort=-priority", "sort=title", "sort=-title"),
    *("sort=created_at", "sort=-created_at", "sort=updated_at", "sort=-updated_at", "sort=due,-priority,title"),
    *(
        "is_completed=false&sort=due",
        "is_completed=false&sort=due,-priority",
        "is_completed=false&sort=-priority,due",
    ),
    *("filter=overdue&sort=due", "filter=is:open%26due<today%2B2d&sort=due", "filter=due:today"),
    *("filter=due>today%26priority:4&sort=-due", "filter=is:open%26priority>=3&sort=-priority,due"),
)


def test_a_page_of_many_tasks_is_a_range_of_an_index(alice: Person) -> None:
    hoard(alice)
    reader = Reader(alice, large={"todos_task"})  # the other tables are empty
    for query in USUAL:
        assert reader.pages(f"/tasks?{query}"), query
    for cursor in middles(alice):
        assert reader.get(f"/tasks?{cursor}&limit=50")["next_cursor"]
    assert reader.found == []


def middles(who: Person) -> Iterator[str]:
    """Yield pages in the middle of lists: where many tasks have the same priority, and where they have no date."""
    task = Task.objects.filter(owner=who.user, priority=2, due_date=None, due_at=None, completed_at=None)
    held = task.order_by("id")[task.count() // 2]
    for sort in ("due", "-due", "priority", "-priority", "title", "-created_at"):
        query = TaskQuery().run_validation({"sort": sort})
        order: Any = order_of(query)
        read: Any = RESOURCE.read(query)
        values = [getattr(held, name) for name in order.columns]
        yield f"sort={sort}&cursor={pagination.encode_values(read.digest, *values)}"
