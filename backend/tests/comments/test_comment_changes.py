"""Comments in GET /changes, and assignees in POST /undo."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from tests.comments.stories import post_comment
from tests.conftest import Person
from tests.todos.stories import make_project, post_task, share
from tests.todos.test_changes import brief, changes
from todo_project.api import pagination
from todo_project.db.rows import uuid7
from todo_project.todos.api import feed
from todo_project.todos.api.serializers.changes import decode
from todo_project.todos.models import Role

pytestmark = pytest.mark.django_db(transaction=True)


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


def copied_until(who: Person, id_: str) -> tuple[str, set[str]]:
    """Copy one thing at a time until this one, and return the cursor after it, and what has come."""
    cursor, found = "", set()
    while id_ not in found:
        page = who.api.get(f"/changes?limit=1{cursor and '&since='}{cursor}").json()
        cursor = page["next_cursor"]
        found |= {each["id"] for each in page["results"]}
    return cursor, found


def test_a_task_that_comes_into_the_page_brings_its_comments(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_HOLDERS", 2)
    # The tasks of the later project come later in the list of a member, though their ids are smaller.
    first, second = (make_project(alice) for _ in range(2))
    for project in (first, second):
        share(project, bob)
    early = post_task(alice, project_id=second["id"])
    gone, kept = (post_task(alice, project_id=first["id"]) for _ in range(2))
    comments = [post_comment(alice, task) for task in (early, gone, kept, kept)]
    cursor, found = copied_until(bob, comments[2]["id"])
    alice.api.delete(f"/tasks/{gone['id']}")
    found |= {each["id"] for each in changes(bob, cursor, limit=1)[0]}
    assert {each["id"] for each in comments} <= found


def test_a_task_that_drops_out_of_the_page_keeps_its_comments(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_HOLDERS", 2)
    new, first, last = (post_task(alice) for _ in range(3))
    comments = [post_comment(alice, task) for task in (first, first, last)]
    cursor, found = copied_until(alice, comments[0]["id"])
    post_comment(alice, new)
    found |= {each["id"] for each in changes(alice, cursor, limit=1)[0]}
    assert {each["id"] for each in comments} <= found


@pytest.mark.parametrize(
    ("copying", "status"),
    [
        (["comment", None, pagination.encode(uuid7()), None], 410),  # as the release before began
        (["comment", str(uuid7()), None, str(uuid7())], 410),
        (["comment", None, None, str(uuid7()), str(uuid7())], 410),
        (["comment", None, None, None, str(uuid7())], 200),
        (["comment", str(uuid7()), None, None], 200),
    ],
)
def test_a_cursor_of_another_order_of_comments_has_expired(alice: Person, copying: list[Any], status: int) -> None:
    start = decode(alice.api.get("/changes?limit=1").json()["next_cursor"])
    cursor = base64.urlsafe_b64encode(msgspec.json.encode([*msgspec.structs.astuple(start)[:4], copying])).decode()
    assert alice.api.get(f"/changes?since={cursor.rstrip('=')}").status_code == status


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
