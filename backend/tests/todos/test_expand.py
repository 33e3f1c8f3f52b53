"""What `expand` adds to tasks."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Person
from tests.todos.stories import make, make_project, pointers, post_task, share
from todo_project.todos.models import Role

ALL = "project,labels,assignees,subtask_counts"


@pytest.fixture
def project(alice: Person, bob: Person) -> dict[str, Any]:
    """A project that Alice shares with Bob."""
    project = make_project(alice, name="Garden", color="#16a34a")
    share(project, bob, Role.EDITOR)
    return project


@pytest.fixture
def task(alice: Person, bob: Person, project: dict[str, Any]) -> dict[str, Any]:
    """A task with a label of each, both people, and three subtasks: one open, one completed, one in the trash."""
    labels = [make(bob, "labels", name="his")["id"]]
    task = post_task(bob, project_id=project["id"], labels=labels, assignees=[str(bob.user.pk), str(alice.user.pk)])
    labels.append(make(alice, "labels", name="hers", color="#dc2626")["id"])
    alice.api.patch(f"/tasks/{task['id']}", {"labels": labels})
    parts = [post_task(alice, parent_id=task["id"])["id"] for _ in range(3)]
    post_task(alice, parent_id=parts[0])
    alice.api.post(f"/tasks/{parts[1]}/complete")
    alice.api.delete(f"/tasks/{parts[2]}")
    return task


def test_everything_that_ids_refer_to(
    alice: Person, bob: Person, project: dict[str, Any], task: dict[str, Any]
) -> None:
    found = bob.api.get(f"/tasks/{task['id']}?expand={ALL}").json()
    assert found["expanded"] == {
        "project": {"id": project["id"], "name": "Garden", "color": "#16a34a"},
        "labels": [
            {"id": found["labels"][0], "name": "his", "color": None},
            {"id": found["labels"][1], "name": "hers", "color": "#dc2626"},
        ],
        "assignees": [
            {"user_id": str(who.user.pk), "email": who.user.email, "name": who.user.name} for who in (alice, bob)
        ],
        "subtask_counts": {"total": 2, "completed": 1},
    }
    plain = bob.api.get(f"/tasks/{task['id']}").json()
    assert found == plain | {"expanded": found["expanded"]}


@pytest.mark.parametrize("query", ["", "&sort=title", "&filter=is:open", "&sort=-due&filter=!overdue"])
def test_every_list_expands(bob: Person, task: dict[str, Any], query: str) -> None:
    rows = bob.api.get(f"/tasks?expand=subtask_counts,project{query}").json()["results"]
    one = bob.api.get(f"/tasks/{task['id']}?expand=project,subtask_counts").json()
    assert one in rows
    for row in rows:
        assert {*row["expanded"]} == {"project", "subtask_counts"}
    assert "expanded" not in bob.api.get("/tasks").json()["results"][0]


def test_a_page_takes_as_many_statements_as_a_row(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    def sent(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert bob.api.get(path).status_code == 200
        return len(seen)

    labels = [make(bob, "labels", name=f"{n}")["id"] for n in range(3)]
    counts = []
    for n in range(6):
        task = post_task(bob, title=f"{n}", project_id=project["id"], labels=labels, assignees=[str(bob.user.pk)])
        post_task(alice, parent_id=task["id"])
        counts.append((sent(f"/tasks?sort=title&expand={ALL}"), sent("/tasks?sort=title")))
    assert len({*counts}) == 1
    assert counts[0][0] - counts[0][1] == 4


def test_a_stranger_sees_nothing(alice: Person, mallory: Person, task: dict[str, Any]) -> None:
    assert mallory.api.get(f"/tasks/{task['id']}?expand={ALL}").status_code == 404
    mine = post_task(mallory)
    for query in ("", "&sort=title", "&filter=is:open"):
        body = mallory.api.get(f"/tasks?expand={ALL}{query}")
        assert [row["id"] for row in body.json()["results"]] == [mine["id"]]
        for secret in ("Garden", "hers", "his", "alice@", "bob@"):
            assert secret not in body.content.decode()


def test_somebody_who_left_is_not_shown(
    alice: Person, bob: Person, project: dict[str, Any], task: dict[str, Any]
) -> None:
    alice.api.delete(f"/projects/{project['id']}/members/{bob.user.pk}")
    found = alice.api.get(f"/tasks/{task['id']}?expand=assignees").json()
    assert [each["name"] for each in found["expanded"]["assignees"]] == ["Alice"]
    assert bob.api.get(f"/tasks?sort=title&expand={ALL}").json()["results"] == []
    assert bob.api.get(f"/tasks/{task['id']}?expand={ALL}").status_code == 404


def test_a_label_in_the_trash_is_not_shown(alice: Person, task: dict[str, Any]) -> None:
    held = alice.api.get(f"/tasks/{task['id']}").json()
    alice.api.delete(f"/labels/{held['labels'][1]}")
    found = alice.api.get(f"/tasks/{task['id']}?expand=labels").json()
    assert [each["name"] for each in found["expanded"]["labels"]] == ["his"]


def test_the_tag_covers_what_is_expanded(alice: Person, project: dict[str, Any], task: dict[str, Any]) -> None:
    one, many = f"/tasks/{task['id']}?expand=project", "/tasks?expand=project"
    tags = {path: alice.api.get(path)["ETag"] for path in (one, many)}
    for path, tag in tags.items():
        assert alice.api.get(path, headers={"If-None-Match": tag}).status_code == 304
    alice.api.patch(f"/projects/{project['id']}", {"name": "Balcony"})
    for path, tag in tags.items():
        assert alice.api.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_a_write_takes_the_tag_of_an_expanded_task(alice: Person, task: dict[str, Any]) -> None:
    path = f"/tasks/{task['id']}"
    tag = alice.api.get(f"{path}?expand={ALL}")["ETag"]
    assert tag != alice.api.get(path)["ETag"]
    assert alice.api.patch(path, {"title": "New"}, headers={"If-Match": tag}).status_code == 200
    assert alice.api.patch(path, {"title": "Newer"}, headers={"If-Match": tag}).status_code == 412


@pytest.mark.parametrize(
    ("text", "code", "detail"),
    [
        ("", "blank", ""),
        ("comments", "unknown_expansion", "Use project, labels, assignees, subtask_counts, separated by commas."),
        ("project,", "unknown_expansion", "'' cannot be expanded."),
        ("project,labels,project", "repeated", "'project' is listed twice."),
        ("x" * 99, "unknown_expansion", f"'{'x' * 50}' cannot"),
    ],
)
def test_a_wrong_expansion_says_what_to_do(alice: Person, text: str, code: str, detail: str) -> None:
    for path in ("/tasks", f"/tasks/{post_task(alice)['id']}"):
        answer = alice.api.get(f"{path}?expand={text}")
        assert pointers(answer) == ["/expand"]
        (error,) = answer.json()["errors"]
        assert error["code"] == code
        assert detail in error["detail"]
    assert pointers(alice.api.get("/projects?expand=project")) == ["/expand"]
