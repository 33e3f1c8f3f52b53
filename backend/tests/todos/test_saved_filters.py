"""/filters: filters that people keep under a name. tests/todos/test_rows.py has what all kinds of rows do."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.utils import timezone
from time_machine import TimeMachineFixture

from tests.conftest import Person
from tests.todos.logged import brief, logged
from tests.todos.stories import make, make_project, post_task, share
from todo_project.db.rows import uuid7
from todo_project.jobs.queue import registry
from todo_project.todos.models import SavedFilter
from todo_project.todos.services import filters

pytestmark = pytest.mark.django_db
USUAL = ["Today", "Upcoming", "Overdue", "Inbox", "Assigned to me", "Completed"]


def saved(who: Person) -> list[dict[str, Any]]:
    rows = who.api.get("/filters").json()["results"]
    return sorted(rows, key=lambda row: (row["position"], row["id"]))


def matches(who: Person, name: str) -> set[str]:
    """Return the titles of the tasks that the filter of this name matches."""
    [query] = [each["query"] for each in saved(who) if each["name"] == name]
    answer = who.api.get(f"/tasks?filter={quote(query)}")
    assert answer.status_code == 200, answer.content
    return {task["title"] for task in answer.json()["results"]}


def test_the_usual_ones_are_there_from_the_start(
    alice: Person, bob: Person, time_machine: TimeMachineFixture
) -> None:
    assert [each["name"] for each in saved(alice)] == USUAL
    time_machine.move_to(timezone.now(), tick=False)  # the day may not end meanwhile
    today = timezone.now().date()
    shared = make_project(bob)
    share(shared, alice)
    for title, days in (("late", -3), ("now", 0), ("soon", 6), ("far", 30)):
        post_task(alice, title=title, due={"date": str(today + dt.timedelta(days=days))})
    post_task(bob, title="mine", project_id=shared["id"], assignees=[str(alice.user.pk)])
    post_task(bob, title="his", project_id=shared["id"])
    done = post_task(alice, title="done", due={"date": str(today)})
    alice.api.post(f"/tasks/{done['id']}/complete")
    assert {name: matches(alice, name) for name in USUAL} == {
        "Today": {"late", "now"},
        "Upcoming": {"soon"},
        "Overdue": {"late"},
        "Inbox": {"late", "now", "soon", "far"},
        "Assigned to me": {"mine"},
        "Completed": {"done"},
    }


def test_one_goes_to_the_end_or_to_the_position_that_is_given(alice: Person) -> None:
    last = make(alice, "filters", name="Last", query="no:due")
    first = make(alice, "filters", name="First", query="no:due", position="h")
    assert [each["name"] for each in saved(alice)] == ["First", *USUAL, "Last"]
    answer = alice.api.patch(f"/filters/{last['id']}", {"position": "h", "is_pinned": True})
    assert answer.json()["is_pinned"]
    assert [each["name"] for each in saved(alice)][:2] == ["First", "Last"]
    assert answer.json()["position"] != first["position"]
    assert not alice.api.patch(f"/filters/{last['id']}", {"is_pinned": None}).json()["is_pinned"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("due<", "syntax"),
        ("project:Nowhere", "unknown_project"),
        ("colour:red", "unknown_field"),
        ("priority>=9", "invalid_choice"),
        ("due:someday", "invalid_date"),
        ("", "blank"),
        ("is:open | " * 110 + "is:done", "max_length"),
        ("!" * 60 + "is:open", "too_complex"),
    ],
)
def test_a_query_that_is_no_filter_is_refused(alice: Person, query: str, code: str) -> None:
    mine = saved(alice)[0]
    for answer in (
        alice.api.post("/filters", {"name": "New", "query": query}),
        alice.api.put(f"/filters/{uuid7()}", {"name": "New", "query": query}),
        alice.api.patch(f"/filters/{mine['id']}", {"query": query}),
    ):
        assert answer.status_code == 400
        assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [("/query", code)]
    assert saved(alice)[0] == mine


def test_a_query_is_checked_when_it_changes_only(alice: Person) -> None:
    """Because what it names may be gone."""
    project = make_project(alice, name="Shed")
    kept = make(alice, "filters", name="Shed", query="project:Shed")
    alice.api.delete(f"/projects/{project['id']}")
    assert alice.api.patch(f"/filters/{kept['id']}", {"name": "The shed"}).status_code == 200
    got = alice.api.get(f"/filters/{kept['id']}").json()
    assert alice.api.put(f"/filters/{kept['id']}", got).json() == got
    assert alice.api.patch(f"/filters/{kept['id']}", {"query": "project:Shed & is:open"}).status_code == 400


def test_an_account_has_a_limited_number(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    first = saved(alice)[0]
    alice.api.delete(f"/filters/{first['id']}")
    monkeypatch.setattr(filters, "FILTERS_MAX", len(USUAL))
    make(alice, "filters", name="The last one", query="no:due")
    for answer in (
        alice.api.post("/filters", {"name": "One too many", "query": "no:due"}),
        alice.api.post(f"/filters/{first['id']}/restore"),
    ):
        assert answer.status_code == 409
        assert "Delete one" in answer.json()["detail"]


def test_nobody_else_sees_one(alice: Person, bob: Person) -> None:
    share(make_project(alice), bob)
    mine = make(alice, "filters", name="Mine", query="no:due")
    assert mine["id"] not in {each["id"] for each in saved(bob)}
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/restore")):
        body = {"name": "His"} if method == "PATCH" else None
        assert bob.api.request(method, f"/filters/{mine['id']}{path}", body).status_code == 404
    assert bob.api.put(f"/filters/{mine['id']}", {"name": "His", "query": "no:due"}).status_code == 404


def test_its_changes_are_logged_and_can_be_taken_back(alice: Person) -> None:
    with logged() as changes:
        mine = make(alice, "filters", name="Mine", query="no:due")
        alice.api.patch(f"/filters/{mine['id']}", {"query": "no:start"})
        alice.api.delete(f"/filters/{mine['id']}")
    made, changed, trashed = changes()
    assert brief([made, changed, trashed]) == [("filter", action) for action in ("created", "updated", "updated")]
    for change in (trashed, changed):
        assert alice.api.post("/undo", {"change_id": change.id}).status_code == 200
    assert alice.api.get(f"/filters/{mine['id']}").json()["query"] == "no:due"
    assert alice.api.post("/undo", {"change_id": made.id}).status_code == 200
    assert alice.api.get(f"/filters/{mine['id']}").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_clients_that_keep_a_copy_learn_of_it(alice: Person, bob: Person) -> None:
    cursors = {who.token: who.api.get("/changes?limit=200").json()["next_cursor"] for who in (alice, bob)}
    mine = make(alice, "filters", name="Mine", query="no:due")
    for who, expected in ((alice, [mine]), (bob, [])):
        rows = who.api.get(f"/changes?since={cursors[who.token]}").json()["results"]
        assert [(each["kind"], each["data"]) for each in rows] == [("filter", each) for each in expected]


def test_accounts_without_filters_get_the_usual_ones(alice: Person, bob: Person) -> None:
    """Those that the release before has made."""
    SavedFilter.objects.filter(owner=alice.user).delete()
    bob.api.delete(f"/filters/{saved(bob)[0]['id']}")
    registry["todos.add_filters"].run()
    assert [each["name"] for each in saved(alice)] == USUAL
    assert [each["name"] for each in saved(bob)] == USUAL[1:]


def test_the_migration_gives_them_to_accounts_that_have_none(alice: Person, bob: Person) -> None:
    SavedFilter.objects.filter(owner=alice.user).delete()
    before = saved(bob)
    migration = import_module("todo_project.todos.migrations.0021_usual_filters")
    for _ in range(2):
        migration.add(apps, None)
    assert [each["name"] for each in saved(alice)] == USUAL
    assert migration.USUAL == filters.USUAL
    assert saved(bob) == before
