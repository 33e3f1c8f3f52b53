"""Comments: written, changed with their history, deleted, restored and counted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from tests.comments.stories import count, listed, post_comment
from tests.conftest import Person
from tests.todos.logged import brief, logged
from tests.todos.stories import make_project, pointers, post_task
from todo_project.comments.models import Comment, EarlierText
from todo_project.db.rows import uuid7
from todo_project.jobs.queue import registry
from todo_project.todos.models import Task
from todo_project.todos.services import purge


@pytest.fixture
def task(alice: Person) -> dict[str, Any]:
    """A task of Alice's."""
    return post_task(alice)


def test_a_comment_is_listed_under_its_task(alice: Person, task: dict[str, Any]) -> None:
    first, second = post_comment(alice, task), post_comment(alice, task, "Or Carol.")
    post_comment(alice, post_task(alice), "Elsewhere")
    assert listed(alice, task) == [first, second]
    assert first["author_id"] == str(alice.user.pk)
    assert alice.api.get(f"/comments/{first['id']}").json() == first
    page = alice.api.get(f"/comments?task_id={task['id']}&limit=1").json()
    rest = alice.api.get(f"/comments?task_id={task['id']}&limit=1&cursor={page['next_cursor']}").json()
    assert (page["results"], rest) == ([first], {"results": [second], "next_cursor": None})


def test_the_list_needs_a_task(alice: Person) -> None:
    assert pointers(alice.api.get("/comments")) == ["/task_id"]


def test_a_client_can_choose_the_id(alice: Person, task: dict[str, Any]) -> None:
    path, body = f"/comments/{uuid7()}", {"task_id": task["id"], "text": "Bob has a ladder."}
    made = alice.api.put(path, body)
    assert made.status_code == 201
    again = alice.api.put(path, body)
    assert (again.status_code, again.json()) == (200, made.json())
    assert alice.api.put(path, body | {"text": "Carol has."}).json()["text"] == "Carol has."
    assert alice.api.put(path, body, headers={"If-None-Match": "*"}).status_code == 412
    assert count(alice, task) == 1


def test_a_comment_stays_with_its_task(alice: Person, task: dict[str, Any]) -> None:
    path, other = f"/comments/{post_comment(alice, task)['id']}", post_task(alice)
    assert pointers(alice.api.put(path, {"task_id": other["id"], "text": "x"})) == ["/task_id"]
    assert pointers(alice.api.patch(path, {"task_id": other["id"]})) == ["/task_id"]
    assert alice.api.patch(path, {"task_id": task["id"]}).status_code == 200


@pytest.mark.parametrize("text", ["", "  ", None, 5, "x" * 10_001, "\x00"])
def test_a_text_that_is_none_is_refused(alice: Person, task: dict[str, Any], text: Any) -> None:
    assert pointers(alice.api.post("/comments", {"task_id": task["id"], "text": text})) == ["/text"]
    assert count(alice, task) == 0


def test_the_longest_text_is_a_setting(alice: Person, task: dict[str, Any], settings: Any) -> None:
    assert post_comment(alice, task, "x" * 10_000)["text"] == "x" * 10_000
    settings.COMMENT_MAX_LENGTH = 3
    assert pointers(alice.api.post("/comments", {"task_id": task["id"], "text": "four"})) == ["/text"]


def test_earlier_texts_are_kept(alice: Person, task: dict[str, Any]) -> None:
    made = post_comment(alice, task, "one")
    path = f"/comments/{made['id']}"
    changed = alice.api.patch(path, {"text": "two"}).json()
    assert alice.api.patch(path, {"mentions": [str(alice.user.pk)]}).status_code == 200
    assert alice.api.patch(path, {"text": "three"}).json()["text"] == "three"
    history = alice.api.get(f"{path}/history?limit=1").json()
    rest = alice.api.get(f"{path}/history?limit=1&cursor={history['next_cursor']}").json()
    texts = [(each["text"], each["at"]) for each in (*history["results"], *rest["results"])]
    assert texts == [("one", made["created_at"]), ("two", changed["updated_at"])]
    assert rest["next_cursor"] is None


def test_the_same_text_changes_nothing(alice: Person, task: dict[str, Any]) -> None:
    made = post_comment(alice, task)
    again = alice.api.patch(f"/comments/{made['id']}", {"text": made["text"], "mentions": None})
    assert again.json() == made
    assert not EarlierText.objects.exists()


def test_a_stale_write_is_refused(alice: Person, task: dict[str, Any]) -> None:
    path = f"/comments/{post_comment(alice, task)['id']}"
    held = {"If-Match": alice.api.get(path)["ETag"]}
    assert alice.api.get(path, headers={"If-None-Match": held["If-Match"]}).status_code == 304
    assert alice.api.patch(path, {"text": "Carol has."}, headers=held).status_code == 200
    assert alice.api.patch(path, {"text": "Dave has."}, headers=held).status_code == 412
    assert alice.api.delete(path, headers=held).status_code == 412
    assert listed(alice, task)[0]["text"] == "Carol has."


def test_a_repeated_post_writes_once(alice: Person, task: dict[str, Any]) -> None:
    body, key = {"task_id": task["id"], "text": "Bob has a ladder."}, {"Idempotency-Key": "1"}
    first, second = (alice.api.post("/comments", body, headers=key) for _ in range(2))
    assert first.json() == second.json()
    assert count(alice, task) == 1


def test_the_task_counts_its_comments_as_a_new_version(alice: Person, task: dict[str, Any]) -> None:
    path = f"/tasks/{task['id']}"
    tags = [alice.api.get(path)["ETag"]]
    comment = post_comment(alice, task)
    post_comment(alice, task)
    assert count(alice, task) == 2
    tags.append(alice.api.get(path)["ETag"])
    assert alice.api.delete(f"/comments/{comment['id']}").status_code == 204
    assert alice.api.delete(f"/comments/{comment['id']}").status_code == 204
    assert count(alice, task) == 1
    tags.append(alice.api.get(path)["ETag"])
    assert alice.api.post(f"/comments/{comment['id']}/restore").status_code == 200
    assert alice.api.post(f"/comments/{comment['id']}/restore").status_code == 200
    assert count(alice, task) == 2
    tags.append(alice.api.get(path)["ETag"])
    assert len(set(tags)) == 4
    assert alice.api.patch(path, {"comment_count": 7}).json()["errors"][0]["code"] == "read_only"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_what_was_read_before_a_comment_can_be_sent_back(alice: Person, task: dict[str, Any], method: str) -> None:
    path = f"/tasks/{task['id']}"
    post_comment(alice, task)
    changed = alice.api.request(method, path, task | {"title": "Weed"})
    assert (changed.status_code, changed.json()["comment_count"]) == (200, 1)
    refused = alice.api.request(method, path, changed.json() | {"comment_count": 0})
    assert pointers(refused) == ["/comment_count"]


def test_a_deleted_comment_shows_no_text(alice: Person, task: dict[str, Any]) -> None:
    comment = post_comment(alice, task)
    path = f"/comments/{comment['id']}"
    alice.api.delete(path)
    assert listed(alice, task) == []
    [deleted] = listed(alice, task, "&include_deleted=true&updated_since=2020-01-01T00:00:00Z")
    assert (deleted["text"], deleted["deleted_at"]) == ("", deleted["updated_at"])
    assert [alice.api.get(each).status_code for each in (path, f"{path}/history")] == [404, 404]
    assert alice.api.patch(path, {"text": "x"}).status_code == 404
    assert alice.api.put(path, {"task_id": task["id"], "text": "x"}).status_code == 409
    restored = alice.api.post(f"{path}/restore").json()
    assert (restored["text"], restored["deleted_at"]) == (comment["text"], None)


def test_a_deleted_task_hides_its_comments_and_a_restored_one_shows_them(
    alice: Person, task: dict[str, Any]
) -> None:
    comment = post_comment(alice, task)
    path = f"/comments/{comment['id']}"
    alice.api.delete(f"/tasks/{task['id']}")
    assert listed(alice, task) == []
    assert [alice.api.get(each).status_code for each in (path, f"{path}/history")] == [404, 404]
    assert [alice.api.delete(path).status_code, alice.api.post(f"{path}/restore").status_code] == [404, 404]
    assert pointers(alice.api.post("/comments", {"task_id": task["id"], "text": "x"})) == ["/task_id"]
    alice.api.post(f"/tasks/{task['id']}/restore")
    assert listed(alice, task) == [comment]
    assert count(alice, task) == 1


def test_a_purged_task_takes_its_comments_along(alice: Person, task: dict[str, Any]) -> None:
    path = f"/comments/{post_comment(alice, task)['id']}"
    alice.api.patch(path, {"text": "Carol has."})
    alice.api.delete(f"/tasks/{task['id']}")
    registry["todos.purge_trash"].run()
    assert Comment.objects.exists()
    with time_machine.travel(dt.timedelta(days=31)):
        registry["todos.purge_trash"].run()
    assert not Comment.objects.exists()
    assert not EarlierText.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by", ["trash", "account"])
def test_the_comments_of_an_account_are_deleted_before_its_tasks_are_locked(
    alice: Person, task: dict[str, Any], monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    post_comment(alice, task)
    calls: list[tuple[bool, int]] = []

    def note(*, task_ids: Any) -> None:
        calls.append((connection.in_atomic_block, Comment.objects.filter(task_id__in=task_ids).count()))

    monkeypatch.setattr(purge, "before_tasks", [note, *purge.before_tasks])
    now = timezone.now()
    if by == "account":
        purge.delete_owned(user_id=alice.user.pk, now=now)
        assert calls == [(False, 1), (True, 0)]
    else:
        alice.api.delete(f"/tasks/{task['id']}")
        purge.purge_trash(before=now + dt.timedelta(days=1), now=now)
        assert calls == [(True, 1)], "somebody may restore it before it is locked"


def test_a_deleted_comment_is_purged_after_a_month(alice: Person, task: dict[str, Any]) -> None:
    kept, gone = post_comment(alice, task), post_comment(alice, task)
    alice.api.delete(f"/comments/{gone['id']}")
    registry["comments.purge_trash"].run()
    assert Comment.objects.count() == 2
    with time_machine.travel(dt.timedelta(days=31)):
        registry["comments.purge_trash"].run()
    assert [str(each.id) for each in Comment.objects.all()] == [kept["id"]]
    values = {"task_id": task["id"], "text": "Again."}
    assert alice.api.put(f"/comments/{gone['id']}", values).status_code == 404, "its id stays taken"


def test_what_the_release_before_left_behind_is_purged(alice: Person, task: dict[str, Any]) -> None:
    post_comment(alice, task)
    Task.objects.filter(id=task["id"])._raw_delete("default")  # as a release that does not know comments
    assert listed(alice, task) == []
    registry["comments.purge_trash"].run()
    assert not Comment.objects.exists()


def test_the_next_task_of_a_series_begins_without_comments(alice: Person) -> None:
    daily = post_task(alice, due={"date": "2026-11-30"}, recurrence={"rule": "FREQ=DAILY"})
    post_comment(alice, daily)
    following = alice.api.post(f"/tasks/{daily['id']}/complete").json()["next_task_id"]
    assert alice.api.get(f"/tasks/{following}").json()["comment_count"] == 0
    # with a comment it is no longer what completing the first one made
    post_comment(alice, {"id": following})
    alice.api.post(f"/tasks/{daily['id']}/reopen")
    assert alice.api.get(f"/tasks/{following}").status_code == 200


def test_the_log_has_comments_with_their_task(alice: Person, task: dict[str, Any]) -> None:
    with logged() as changes:
        comment = post_comment(alice, task)
        alice.api.patch(f"/comments/{comment['id']}", {"text": "Carol has."})
    created, counted, changed = changes()
    assert brief([created, counted, changed]) == [
        ("comment", "created"),
        ("task", "updated"),
        ("comment", "updated"),
    ]
    assert counted.fields == {"comment_count": [0, 1]}
    assert changed.fields["text"] == ["Bob has a ladder.", "Carol has."]
    assert {str(each.project_id) for each in changes()} == {task["project_id"]}


@pytest.mark.parametrize("way", ["move", "delete", "restore"])
def test_a_task_that_comes_into_sight_brings_its_comments(alice: Person, task: dict[str, Any], way: str) -> None:
    comment, path, elsewhere = post_comment(alice, task), f"/tasks/{task['id']}", make_project(alice)["id"]
    if way == "restore":
        alice.api.delete(path)
    with logged() as changes:
        if way == "move":
            alice.api.post(f"{path}/move", {"project_id": elsewhere})
        else:
            alice.api.request(
                "DELETE" if way == "delete" else "POST", path + ("/restore" if way == "restore" else "")
            )
    seen = {str(each.project_id) for each in changes() if str(each.object_id) == comment["id"]}
    assert seen == ({task["project_id"], elsewhere} if way == "move" else {task["project_id"]})


def test_a_comment_outlives_its_author(alice: Person, task: dict[str, Any], bob: Person) -> None:
    comment = post_comment(alice, task)
    Comment.objects.update(author=bob.user)
    bob.user.delete()
    assert listed(alice, task) == [comment | {"author_id": None}]
