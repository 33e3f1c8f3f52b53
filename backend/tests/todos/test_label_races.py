"""A label changes while a task in another person's project gets it (PostgreSQL)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Person
from tests.todos.races import one_waits
from tests.todos.stories import make, make_project, post_task, share
from todo_project.todos.models import Role

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def project(alice: Person, bob: Person) -> dict[str, Any]:
    """A project of Alice's, in which Bob is an editor."""
    project = make_project(alice)
    share(project, bob, Role.EDITOR)
    return project


def names_of_labels(who: Person, since: str) -> tuple[dict[str, str], str]:
    """Return the names of the labels in the changes since a cursor, and the next cursor."""
    page = who.api.get(f"/changes?limit=200&since={since}" if since else "/changes?limit=200").json()
    names = {row["id"]: row["data"]["name"] for row in page["results"] if row["kind"] == "label"}
    return names, page["next_cursor"]


def test_a_label_that_is_renamed_while_a_task_gets_it_reaches_everybody(
    alice: Person, bob: Person, project: dict[str, Any]
) -> None:
    label = make(bob, "labels", name="old")["id"]
    _, cursor = names_of_labels(alice, "")
    one_waits(
        lambda: post_task(bob, project_id=project["id"], labels=[label]),
        lambda: bob.api.patch(f"/labels/{label}", {"name": "new"}),
    )
    assert names_of_labels(alice, cursor)[0] == {label: "new"}


def test_a_label_that_is_deleted_while_a_task_gets_it_asks_to_repeat_that(
    alice: Person, bob: Person, project: dict[str, Any]
) -> None:
    label = make(bob, "labels", name="old")["id"]
    task, answer = one_waits(
        lambda: post_task(bob, project_id=project["id"], labels=[label]), lambda: bob.api.delete(f"/labels/{label}")
    )
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:todo:problem:moved_meanwhile")
    assert bob.api.delete(f"/labels/{label}").status_code == 204
    after = alice.api.get(f"/tasks/{task['id']}")
    assert (after.json()["labels"], after.json()["updated_at"] > task["updated_at"]) == ([], True)
