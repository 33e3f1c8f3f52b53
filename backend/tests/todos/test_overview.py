"""GET /overview: the numbers of tasks that the lists and the filters have."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Person
from tests.todos.stories import make, make_project, post_task, share

pytestmark = pytest.mark.django_db(transaction=True)
# already the 2nd in Berlin
NOW = "2026-12-01T23:30:00Z"
DUES: tuple[dict[str, str] | None, ...] = (
    None,
    {"date": "2026-11-30"},
    {"date": "2026-12-01"},
    {"date": "2026-12-02"},
    {"date": "2026-12-03"},
    {"at": "2026-12-01T22:59:00Z"},
    {"at": "2026-12-01T23:15:00Z"},
    {"at": "2026-12-02T22:00:00Z"},
    {"at": "2026-12-02T23:00:00Z"},
)


def overview(who: Person) -> dict[str, Any]:
    with time_machine.travel(NOW, tick=False):
        answer = who.api.get("/overview")
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def listed(who: Person, *conditions: str) -> list[dict[str, Any]]:
    with time_machine.travel(NOW, tick=False):
        answer = who.api.get(f"/tasks?limit=200&filter={quote(' & '.join(('is:open', *conditions)))}")
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def expected(who: Person) -> dict[str, Any]:
    """Count the tasks that the filters list."""
    found = {"open": listed(who), "due_today": listed(who, "due:today"), "overdue": listed(who, "overdue")}

    def counts(ids: Any) -> list[dict[str, Any]]:
        keys = sorted({id_ for task in found["open"] for id_ in ids(task)})
        return [
            {"id": key} | {name: sum(key in ids(task) for task in tasks) for name, tasks in found.items()}
            for key in keys
        ]

    return {
        **{name: len(tasks) for name, tasks in found.items()},
        "projects": counts(lambda task: [task["project_id"]]),
        "labels": counts(lambda task: task["labels"]),
        "filters": [
            {"id": saved["id"]}
            | {
                "open": len(listed(who, f"({saved['query']})")),
                "due_today": len(listed(who, f"({saved['query']})", "due:today")),
                "overdue": len(listed(who, f"({saved['query']})", "overdue")),
                "error": None,
            }
            for saved in sorted(who.api.get("/filters").json()["results"], key=lambda saved: saved["position"])
        ],
    }


@pytest.fixture
def tasks(alice: Person, bob: Person) -> None:
    """Tasks in own and in shared projects of two people, some of them done or in the trash."""
    for who in (alice, bob):
        who.api.patch("/me", {"time_zone": "Europe/Berlin"})
    labels = [make(alice, "labels", name=name)["id"] for name in ("one", "other", "gone")]
    shared, own = make_project(alice), make_project(alice, name="Own")
    share(shared, bob)
    for project in (shared, own):
        for number, due in enumerate(DUES):
            task = post_task(alice, project_id=project["id"], due=due, labels=labels[: number % 4])
            again = post_task(alice, project_id=project["id"], due=due, labels=labels)
            finish = alice.api.delete if number % 2 else alice.api.post
            finish(f"/tasks/{again['id']}" if number % 2 else f"/tasks/{again['id']}/complete")
            post_task(alice, parent_id=task["id"], due=due)
            post_task(bob, due=due)
    alice.api.delete(f"/labels/{labels[2]}")
    trashed = make_project(alice)
    post_task(alice, project_id=trashed["id"])
    alice.api.delete(f"/projects/{trashed['id']}")


@pytest.mark.usefixtures("tasks")
def test_it_counts_what_the_filters_list(alice: Person, bob: Person, mallory: Person) -> None:
    for who in (alice, bob):
        for query in (
            "!due<=today",
            "label:one | !label:other",
            "(is:done | is:open) & !(due>today & !is:subtask)",
        ):
            make(who, "filters", name=query, query=query)
        assert overview(who) == expected(who)
        assert len(overview(who)["projects"]) == 2
        assert len(overview(who)["labels"]) == 2
        assert 0 < overview(who)["overdue"] < overview(who)["open"]
    none = {"open": 0, "due_today": 0, "overdue": 0}
    found = overview(mallory)
    assert {name: found[name] for name in ("open", "due_today", "overdue", "projects", "labels")} == {
        **none,
        "projects": [],
        "labels": [],
    }
    assert [each | none for each in found["filters"]] == found["filters"]


@pytest.mark.usefixtures("tasks")
def test_the_number_of_statements_is_constant(alice: Person, bob: Person) -> None:
    def statements(who: Person) -> int:
        overview(who)
        with CaptureQueriesContext(connection) as sent:
            overview(who)
        return len(sent)

    for who in (alice, bob):
        make(
            who,
            "filters",
            name="Named",
            query="project:Own | label:one | !in:Inbox" if who is alice else "label:one",
        )
    before = statements(alice), statements(bob)
    for number in range(5):
        make(alice, "filters", name="One more", query="!label:one & project:Own")
        project = make_project(alice)
        post_task(alice, project_id=project["id"], labels=[make(alice, "labels", name=f"New {number}")["id"]])
        share(project, bob)
    assert (statements(alice), statements(bob)) == before
    assert (
        max(before) <= 14
    )  # the token, the filters, what they name (6), and three for own and for shared projects


def test_a_filter_of_something_that_is_gone_has_the_reason_instead_of_numbers(alice: Person) -> None:
    project = make_project(alice, name="Shed")
    saved = make(alice, "filters", name="Shed", query="project:Shed")
    alice.api.delete(f"/projects/{project['id']}")
    assert overview(alice)["filters"][-1] == {
        "id": saved["id"],
        "open": None,
        "due_today": None,
        "overdue": None,
        "error": "At character 1, there is no project named 'Shed'.",
    }
