"""What a person finds is what they may see now: their own tasks, and those of projects they have joined."""

from __future__ import annotations

from typing import Any

import pytest

from tests.comments.stories import post_comment
from tests.conftest import Person
from tests.search.stories import found
from tests.todos.stories import make_project, post_task, share
from todo_project.search.models import Document
from todo_project.todos.models import Membership, Role, Task


@pytest.fixture
def project(alice: Person) -> dict[str, Any]:
    """A project of Alice's with a task and a comment on it; she has another task with the same word."""
    project = make_project(alice)
    post_comment(alice, post_task(alice, title="Ladder for Bob", project_id=project["id"]), "Which ladder?")
    post_task(alice, title="Ladder for me")
    return project


SHARED = ["Ladder for Bob", "Which ladder?"]


@pytest.mark.parametrize("role", [role for role in Role if role != Role.OWNER])
def test_a_member_finds_what_is_in_the_project(
    project: dict[str, Any], bob: Person, mallory: Person, role: Role
) -> None:
    share(project, bob, role)
    post_task(bob, title="My own ladder")
    assert found(bob, "ladder") == ["My own ladder", *SHARED]
    assert found(bob, "laddre") == ["My own ladder", *SHARED]
    assert found(bob, "ladder", filter="is:shared") == SHARED
    assert (found(mallory, "ladder"), found(mallory, "laddre")) == ([], [])


def test_who_leaves_finds_nothing_any_more(project: dict[str, Any], bob: Person) -> None:
    share(project, bob)
    assert found(bob, "ladder") == SHARED
    assert bob.api.delete(f"/projects/{project['id']}/members/{bob.user.pk}").status_code == 204
    assert found(bob, "ladder") == []


def test_a_project_that_changes_hands_is_found_by_its_owner(
    project: dict[str, Any], alice: Person, bob: Person
) -> None:
    share(project, bob, Role.EDITOR)
    answer = alice.api.post(f"/projects/{project['id']}/transfer", {"user_id": str(bob.user.pk)})
    assert answer.status_code == 200
    Membership.objects.all().delete()
    assert found(bob, "ladder") == SHARED
    assert found(alice, "ladder") == ["Ladder for me"]


def test_the_trash_is_not_found(project: dict[str, Any], alice: Person) -> None:
    task = Task.objects.get(title="Ladder for Bob")
    comment = post_comment(alice, {"id": str(task.id)}, "Another ladder")
    everything = found(alice, "ladder")
    for path in (f"/comments/{comment['id']}", f"/tasks/{task.id}", f"/projects/{project['id']}"):
        before = found(alice, "ladder")
        assert alice.api.delete(path).status_code == 204
        left = found(alice, "ladder")
        assert (set(left) < set(before)) is (path[1] != "p"), "the task was in the trash before its project"
        assert "Another ladder" not in left
    assert found(alice, "ladder") == ["Ladder for me"]
    alice.api.post(f"/projects/{project['id']}/restore")
    alice.api.post(f"/tasks/{task.id}/restore")
    alice.api.post(f"/comments/{comment['id']}/restore")
    assert found(alice, "ladder") == everything


def test_a_task_that_moves_is_found_where_it_is(project: dict[str, Any], alice: Person, bob: Person) -> None:
    share(project, bob)
    task = Task.objects.get(title="Ladder for Bob")
    assert alice.api.patch(f"/tasks/{task.id}", {"project_id": make_project(alice)["id"]}).status_code == 200
    assert found(bob, "ladder") == []
    assert found(alice, "which ladder") == ["Which ladder?"]


def test_what_is_changed_is_found_by_its_new_words(project: dict[str, Any], alice: Person) -> None:
    task = Task.objects.get(title="Ladder for me")
    alice.api.patch(f"/tasks/{task.id}", {"title": "Rope", "description": "for climbing"})
    assert found(alice, "ladder") == SHARED
    assert found(alice, "rope climb") == ["Rope"]


def test_what_is_not_yet_known_to_have_gone_is_not_shown(project: dict[str, Any], mallory: Person) -> None:
    """What the documents say is not what decides: the rows are read as the caller sees them."""
    Document.objects.update(owner_id=mallory.user.pk)
    assert found(mallory, "ladder") == []


def test_a_purged_task_leaves_no_document(project: dict[str, Any]) -> None:
    Task.objects.all().delete()
    assert not Document.objects.exists()
