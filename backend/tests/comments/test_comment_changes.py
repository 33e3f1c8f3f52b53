"""Comments in GET /changes, and assignees in POST /undo."""

from __future__ import annotations

import pytest

from tests.comments.stories import post_comment
from tests.conftest import Person
from tests.todos.conftest import alone  # noqa: F401 - a fixture
from tests.todos.stories import make_project, post_task, share
from tests.todos.test_changes import brief, changes
from todo_project.todos.api import feed
from todo_project.todos.models import Role

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("alone")]


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_the_copy_has_all_comments_that_one_sees(
    alice: Person, bob: Person, mallory: Person, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_HOLDERS", 2)
    shared, hidden = make_project(alice), make_project(alice)
    share(shared, bob)
    in_shared, in_hidden, of_bob = (
        [post_comment(who, task) for task in (post_task(who, **place), post_task(who, **place)) for _ in range(2)]
        for who, place in (
            (alice, {"project_id": shared["id"]}),
            (alice, {"project_id": hidden["id"]}),
            (bob, {}),
        )
    )
    for who, expected in ((alice, in_shared + in_hidden), (bob, of_bob + in_shared), (mallory, [])):
        found = [each["data"] for each in changes(who, limit=limit)[0] if each["kind"] == "comment"]
        assert sorted(found, key=lambda each: each["id"]) == sorted(expected, key=lambda each: each["id"])


def test_a_comment_comes_with_its_task(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob, Role.COMMENTER)
    task = post_task(alice, project_id=project["id"])
    _, cursor = changes(bob)
    comment = post_comment(alice, task)
    found, cursor = changes(bob, cursor)
    assert brief(found) == {("comment", comment["id"], "upserted"), ("task", task["id"], "upserted")}
    path = f"/comments/{comment['id']}"
    for write, action in (
        (lambda: alice.api.patch(path, {"text": "Carol has."}), "upserted"),
        (lambda: alice.api.delete(path), "deleted"),
        (lambda: alice.api.post(f"{path}/restore"), "upserted"),
        (lambda: alice.api.delete(f"/tasks/{task['id']}"), "deleted"),
        (lambda: alice.api.post(f"/tasks/{task['id']}/restore"), "upserted"),
        (lambda: alice.api.post(f"/tasks/{task['id']}/move", {"project_id": make_project(alice)["id"]}), "deleted"),
        (lambda: alice.api.post(f"/tasks/{task['id']}/move", {"project_id": project["id"]}), "upserted"),
    ):
        assert write().status_code in (200, 204)
        found, cursor = changes(bob, cursor)
        assert ("comment", comment["id"], action) in brief(found)


def test_joining_brings_the_comments(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    comment = post_comment(alice, post_task(alice, project_id=project["id"]))
    _, cursor = changes(bob)
    share(project, bob)
    assert ("comment", comment["id"], "upserted") in brief(changes(bob, cursor)[0])


def test_who_was_assigned_can_be_undone(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob)
    both = sorted([str(alice.user.pk), str(bob.user.pk)])
    path = f"/tasks/{post_task(alice, project_id=project['id'], assignees=both[:1])['id']}"
    alice.api.patch(path, {"assignees": both[1:]})
    rows = alice.api.get(f"{path}/activity").json()["results"]
    changed = {
        tuple(each["fields"]["assignees"]["to"]): each["id"] for each in rows if "assignees" in each["fields"]
    }
    assert alice.api.post("/undo", {"change_id": changed[(both[1],)]}).status_code == 200
    assert alice.api.get(path).json()["assignees"] == []
    assert alice.api.post("/undo", {"change_id": changed[(both[1],)]}).status_code == 409
