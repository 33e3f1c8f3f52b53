"""Lists of people who are members of other people's projects: every row once, whatever the page size."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, post_task, share
from todo_project.db import replica
from todo_project.todos.models import Membership


@pytest.fixture
def shared(alice: Person, bob: Person) -> dict[str, list[str]]:
    """Bob's ids by kind, in the order of the lists: his own, then those of two projects that Alice shares."""
    ids: dict[str, list[str]] = {"projects": [row["id"] for row in listed(bob, "projects")]}
    ids |= {kind: [] for kind in ("sections", "labels", "tasks")}
    for who, count in ((bob, 1), (alice, 3)):
        for number in range(count):
            project = make_project(who, name=f"{number}")
            label = make(who, "labels", name=f"{number}")["id"]
            section = make_section(who, project)["id"]
            tasks = [post_task(who, section_id=section, labels=[label])["id"] for _ in range(3)]
            if who is alice and number == 1:  # not shared
                continue
            if who is alice:
                share(project, bob)
            ids["projects"].append(project["id"])
            ids["sections"].append(section)
            ids["labels"].append(label)
            ids["tasks"] += tasks
    return ids


def listed(person: Person, path: str, **query: Any) -> list[dict[str, Any]]:
    """Return all rows of a list, page by page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        wanted = query | ({"cursor": cursor} if cursor else {})
        page = person.api.get(f"/{path}?" + "&".join(f"{name}={value}" for name, value in wanted.items())).json()
        found += page["results"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_every_visible_row_comes_once(bob: Person, shared: dict[str, list[str]]) -> None:
    for kind, limit in itertools.product(("projects", "sections", "labels", "tasks"), (1, 2, 3, 4, 50)):
        assert [row["id"] for row in listed(bob, kind, limit=limit)] == shared[kind], (kind, limit)


@pytest.mark.parametrize("limit", [1, 4, 50])
def test_by_time_too(bob: Person, shared: dict[str, list[str]], limit: int) -> None:
    found = listed(bob, "tasks", limit=limit, updated_since="2020-01-01T00:00:00Z")
    assert sorted(row["id"] for row in found) == sorted(shared["tasks"])
    assert [row["updated_at"] for row in found] == sorted(row["updated_at"] for row in found)


def test_a_filter_reaches_shared_rows(bob: Person, shared: dict[str, list[str]]) -> None:
    project = shared["projects"][-1]
    assert [row["id"] for row in listed(bob, "tasks", project_id=project, limit=2)] == shared["tasks"][-3:]
    assert [row["id"] for row in listed(bob, "sections", project_id=project)] == shared["sections"][-1:]
    assert [row["id"] for row in listed(bob, "tasks", is_completed="false", limit=2)] == shared["tasks"]


def test_one_row_can_be_read(bob: Person, mallory: Person, shared: dict[str, list[str]]) -> None:
    for kind, ids in shared.items():
        assert bob.api.get(f"/{kind}/{ids[-1]}").status_code == 200
        assert mallory.api.get(f"/{kind}/{ids[-1]}").status_code == 404


def test_somebody_who_shares_nothing_pays_for_nothing(mallory: Person, shared: object) -> None:
    with CaptureQueriesContext(connection) as seen:
        assert mallory.api.get("/tasks").status_code == 200
    assert len([query for query in seen if "membership" in query["sql"]]) == 0


def test_shared_rows_never_come_from_a_replica(
    bob: Person, shared: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = bob.api.get("/tasks?limit=5").json()  # it ends in a project that Alice shares
    monkeypatch.setattr(replica, "is_configured", lambda: True)
    monkeypatch.setattr(replica, "run", lambda *_, **__: pytest.fail("the replica was asked"))
    rest = bob.api.get(f"/tasks?cursor={page['next_cursor']}").json()
    assert [row["id"] for row in rest["results"]] == shared["tasks"][5:]


def test_a_cursor_of_the_shared_part_outlives_the_membership(bob: Person, shared: dict[str, list[str]]) -> None:
    page = bob.api.get("/tasks?limit=5").json()
    Membership.objects.all().delete()
    rest = bob.api.get(f"/tasks?limit=5&cursor={page['next_cursor']}").json()
    assert rest == {"results": [], "next_cursor": None}
