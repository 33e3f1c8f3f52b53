"""Two requests that make several writes do not wait for each other (PostgreSQL)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Person
from tests.todos.races import Meanwhile, interleaved, one_waits
from tests.todos.stories import make, make_project, post_task, share
from todo_project.accounts.models import User
from todo_project.comments import services as comments
from todo_project.todos.models import Role, Task
from todo_project.todos.services import invitation_mail, invitations, tasks, trees, undo

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def meet(
    monkeypatch: pytest.MonkeyPatch, where: tuple[Any, str], first: Callable[[], Any], second: Callable[[], Any]
) -> list[Any]:
    """Start the second when the first has called a function once, and go on when the second waits or has ended."""
    module, name = where
    original = getattr(module, name)
    started: list[Meanwhile] = []

    def then_the_other(*args: Any, **values: Any) -> Any:
        found = original(*args, **values)
        if not started:
            started.append(Meanwhile(second))
            started[0].start()
        return found

    monkeypatch.setattr(module, name, then_the_other)
    return [first(), started[0].result()]


def patches(ids: list[str], **body: Any) -> dict[str, Any]:
    """Return an atomic batch that changes these tasks in this order."""
    return {
        "atomic": True,
        "operations": [{"method": "PATCH", "path": f"/tasks/{id_}", "body": body} for id_ in ids],
    }


@pytest.fixture
def ids(alice: Person) -> list[str]:
    return [post_task(alice, project_id=make_project(alice)["id"])["id"] for _ in range(2)]


def test_two_atomic_batches_in_opposite_order(
    alice: Person, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = meet(
        monkeypatch,
        (tasks, "update_task"),
        lambda: alice.api.post("/batch", patches(ids, title="Weed")),
        lambda: alice.api.post("/batch", patches(ids[::-1], priority=1)),
    )
    assert [answer.status_code for answer in answers] == [200, 200], [answer.content for answer in answers]


@pytest.mark.parametrize("is_new", [True, False])
def test_two_atomic_batches_of_comments_in_opposite_order(
    alice: Person, bob: Person, mallory: Person, ids: list[str], monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    batches = []
    for who, order in ((bob, ids), (mallory, ids[::-1])):
        for task in Task.objects.filter(id__in=ids):
            share({"id": task.project_id}, who, Role.COMMENTER)
        bodies = [{"task_id": id_, "text": "Bob has a ladder."} for id_ in order]
        operations = [{"method": "POST", "path": "/comments", "body": body} for body in bodies]
        if not is_new:
            written = [make(who, "comments", **body)["id"] for body in bodies]
            operations = [{"method": "DELETE", "path": f"/comments/{id_}"} for id_ in written]
        batches.append({"atomic": True, "operations": operations})
    answers = meet(
        monkeypatch,
        (comments, "create_comment" if is_new else "trash_comment"),
        lambda: bob.api.post("/batch", batches[0]),
        lambda: mallory.api.post("/batch", batches[1]),
    )
    assert [answer.status_code for answer in answers] == [200, 200], [answer.content for answer in answers]


def test_a_batch_does_not_follow_a_task_that_just_moved_to_somebody_else(alice: Person, bob: Person) -> None:
    here, there = make_project(alice), make_project(bob)
    share(here, bob, Role.EDITOR)
    share(there, alice, Role.EDITOR)
    task = post_task(alice, project_id=here["id"])["id"]
    moved, answer = one_waits(
        lambda: bob.api.patch(f"/tasks/{task}", {"project_id": there["id"]}),
        lambda: alice.api.post("/batch", patches([task], title="Weed")),
    )
    assert (moved.status_code, answer.status_code) == (200, 409)
    assert answer.json()["type"] == "urn:todo:problem:moved_meanwhile"
    assert alice.api.post("/batch", patches([task], title="Weed")).status_code == 200


def test_the_batch_of_a_viewer_locks_nothing_of_the_owner(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    task = post_task(alice, project_id=project["id"])["id"]
    batch = patches([task], title="Weed")
    for role, waits in ((Role.VIEWER, False), (Role.EDITOR, True)):
        share(project, bob, role)
        _, answer, has_waited = interleaved(
            lambda: list(User.objects.select_for_update().filter(pk=alice.user.pk)),
            lambda: bob.api.post("/batch", batch),
        )
        assert answer.status_code == (200 if waits else 403)
        assert has_waited == waits


def test_two_undos_in_opposite_order(alice: Person, ids: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [
        alice.api.post("/batch", patches(ids, title="Weed"))["X-Request-ID"],
        alice.api.post("/batch", patches(ids[::-1], priority=1))["X-Request-ID"],
    ]
    answers = meet(
        monkeypatch,
        (undo, "_write"),
        lambda: alice.api.post("/undo", {"request_id": requests[0]}),
        lambda: alice.api.post("/undo", {"request_id": requests[1]}),
    )
    assert [answer.status_code for answer in answers] == [200, 200], [answer.content for answer in answers]


def test_two_answers_to_one_invitation(alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(alice)
    invited = make(alice, f"projects/{project['id']}/invitations", email=bob.user.email, role="viewer")
    monkeypatch.setattr(invitation_mail, "is_secret_of", lambda *_: True)  # which proves the address
    path = f"/invitations/{invited['id']}"
    declined, accepted = meet(
        monkeypatch,
        (invitations, "_locked"),
        lambda: bob.api.post(f"{path}/decline", {"token": "s"}),
        lambda: bob.api.post(f"{path}/accept", {"token": "s"}),
    )
    assert declined.status_code == 200, declined.content
    assert accepted.status_code == 409, accepted.content


def test_the_deletion_of_a_project_of_somebody_else_locks_nothing_of_ones_own(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob, Role.ADMIN)
    for method, path in (("DELETE", ""), ("POST", "/restore")):
        _, refused, has_waited = interleaved(
            lambda: trees.locked_tree(owner_id=bob.user.pk),
            lambda method=method, path=path: bob.api.request(method, f"/projects/{project['id']}{path}"),
        )
        assert refused.status_code == 403, refused.content
        assert not has_waited


def test_what_changes_while_an_undo_begins_is_kept(alice: Person, ids: list[str]) -> None:
    request = alice.api.patch(f"/tasks/{ids[0]}", {"title": "Weed"})["X-Request-ID"]
    _, undone = one_waits(
        lambda: alice.api.patch(f"/tasks/{ids[0]}", {"title": "Water"}),
        lambda: alice.api.post("/undo", {"request_id": request}),
    )
    assert undone.status_code == 409
    assert alice.api.get(f"/tasks/{ids[0]}").json()["title"] == "Water"


def test_what_changes_below_a_task_that_is_skipped_is_kept(alice: Person) -> None:
    task = post_task(alice, due={"date": "2026-12-01"}, recurrence={"rule": "FREQ=WEEKLY"})
    subtask = post_task(alice, parent_id=task["id"], due={"date": "2026-12-01"})
    _, skipped = one_waits(
        lambda: alice.api.patch(f"/tasks/{subtask['id']}", {"due": {"date": "2026-12-20"}}),
        lambda: alice.api.post(f"/tasks/{task['id']}/skip"),
    )
    assert skipped.status_code == 200
    moved = alice.api.get(f"/tasks/{subtask['id']}").json()["due"]["date"]
    assert dt.date.fromisoformat(moved) > dt.date(2026, 12, 20)
