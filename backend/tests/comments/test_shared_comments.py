"""Who may read, write, change and delete comments, and whom they can mention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.comments.stories import count, listed, post_comment
from tests.conftest import Person
from tests.todos.races import one_waits
from tests.todos.stories import make_project, pointers, post_task, share
from todo_project.comments import services
from todo_project.comments.models import Comment
from todo_project.db.rows import uuid7
from todo_project.todos.models import Membership, Project, Role


@pytest.fixture
def project(alice: Person) -> dict[str, Any]:
    """A project of Alice's."""
    return make_project(alice)


@pytest.fixture
def carol(person: Callable[..., Person]) -> Person:
    """Somebody else."""
    return person("carol")


@pytest.fixture
def task(alice: Person, project: dict[str, Any]) -> dict[str, Any]:
    """A task in it."""
    return post_task(alice, project_id=project["id"])


@pytest.mark.parametrize("role", [Role.VIEWER, Role.COMMENTER, Role.EDITOR, Role.ADMIN])
def test_a_member_reads_and_from_commenter_on_writes(
    alice: Person, bob: Person, project: dict[str, Any], task: dict[str, Any], role: Role
) -> None:
    share(project, bob, role)
    alices = post_comment(alice, task)
    assert listed(bob, task) == [alices]
    assert bob.api.get(f"/comments/{alices['id']}").json() == alices
    answer = bob.api.post("/comments", {"task_id": task["id"], "text": "Mine."})
    assert answer.status_code == (403 if role == Role.VIEWER else 201)
    assert count(alice, task) == (1 if role == Role.VIEWER else 2)
    if role == Role.VIEWER:
        assert answer.json()["type"] == "urn:todo:problem:role_too_low"
    else:
        assert alice.api.get(answer["Location"]).json()["author_id"] == str(bob.user.pk)


def test_only_the_author_changes_a_comment(
    alice: Person, bob: Person, project: dict[str, Any], task: dict[str, Any]
) -> None:
    share(project, bob, Role.ADMIN)
    for author, other in ((alice, bob), (bob, alice)):
        path = f"/comments/{post_comment(author, task)['id']}"
        answer = other.api.patch(path, {"text": "x"})
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:todo:problem:not_the_author")
        assert other.api.put(path, {"task_id": task["id"], "text": "x"}).status_code == 403
        assert author.api.patch(path, {"text": "x"}).status_code == 200


@pytest.mark.parametrize("role", [Role.COMMENTER, Role.EDITOR, Role.ADMIN])
def test_the_author_deletes_a_comment_and_who_manages_the_project(
    alice: Person, bob: Person, project: dict[str, Any], task: dict[str, Any], role: Role
) -> None:
    share(project, bob, role)
    alices, bobs = post_comment(alice, task), post_comment(bob, task)
    may = role == Role.ADMIN
    assert bob.api.delete(f"/comments/{alices['id']}").status_code == (204 if may else 403)
    assert count(alice, task) == (1 if may else 2)
    path = f"/comments/{bobs['id']}"
    assert bob.api.delete(path).status_code == bob.api.delete(path).status_code == 204
    assert bob.api.post(f"{path}/restore").status_code == bob.api.post(f"{path}/restore").status_code == 200


def test_the_author_does_not_restore_what_an_admin_deleted(
    alice: Person, bob: Person, carol: Person, project: dict[str, Any], task: dict[str, Any]
) -> None:
    share(project, bob, Role.EDITOR)
    share(project, carol, Role.ADMIN)
    path = f"/comments/{post_comment(bob, task)['id']}"
    for admin in (alice, carol):
        assert admin.api.delete(path).status_code == 204
        assert bob.api.delete(path).status_code == 204
        refused = bob.api.post(f"{path}/restore")
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:todo:problem:role_too_low")
        assert carol.api.post(f"{path}/restore").status_code == 200
    assert bob.api.delete(path).status_code == 204
    assert bob.api.post(f"{path}/restore").status_code == 200


def test_earlier_texts_are_for_the_author_and_who_manages_the_project(
    alice: Person, bob: Person, carol: Person, project: dict[str, Any], task: dict[str, Any]
) -> None:
    share(project, bob, Role.COMMENTER)
    share(project, carol, Role.EDITOR)
    path = f"/comments/{post_comment(bob, task, 'one')['id']}"
    bob.api.patch(path, {"text": "two"})
    for who, expected in ((alice, 200), (bob, 200), (carol, 403)):
        assert who.api.get(f"{path}/history").status_code == expected
    share(project, bob, Role.VIEWER)
    assert [each["text"] for each in bob.api.get(f"{path}/history").json()["results"]] == ["one"]


def test_activity_shows_no_text(alice: Person, bob: Person, project: dict[str, Any], task: dict[str, Any]) -> None:
    comment = post_comment(alice, task, "one")
    path = f"/comments/{comment['id']}"
    alice.api.patch(path, {"text": "two", "mentions": [str(alice.user.pk)]})
    alice.api.delete(path)
    share(project, bob)
    rows = bob.api.get(f"/projects/{project['id']}/activity").json()["results"]
    trashed, changed, _ = (each["fields"] for each in rows if each["object_id"] == comment["id"])
    assert list(trashed) == ["deleted_at"]
    assert changed == {
        "text": {"from": None, "to": None},
        "mentions": {"from": [], "to": [str(alice.user.pk)]},
    }


def test_who_became_a_viewer_changes_nothing_anymore(
    bob: Person, project: dict[str, Any], task: dict[str, Any]
) -> None:
    share(project, bob, Role.COMMENTER)
    path = f"/comments/{post_comment(bob, task)['id']}"
    Membership.objects.update(role=Role.VIEWER)
    assert bob.api.patch(path, {"text": "x"}).status_code == 403
    assert bob.api.delete(path).status_code == 403


def test_a_stranger_finds_nothing(alice: Person, mallory: Person, task: dict[str, Any]) -> None:
    comment = post_comment(alice, task)
    path = f"/comments/{comment['id']}"
    unknown = f"/comments/{uuid7()}"
    assert listed(mallory, task) == listed(mallory, {"id": str(uuid7())}) == []
    for method, below, body in (
        ("GET", "", None),
        ("GET", "/history", None),
        ("PATCH", "", {"text": "x"}),
        ("DELETE", "", None),
        ("POST", "/restore", None),
    ):
        theirs, none = (mallory.api.request(method, each + below, body) for each in (path, unknown))
        assert (theirs.status_code, theirs.json()["detail"]) == (404, none.json()["detail"])
    known, unheard = (
        mallory.api.post("/comments", {"task_id": task_id, "text": "x"}) for task_id in (task["id"], str(uuid7()))
    )
    assert known.json()["errors"] == unheard.json()["errors"]
    own = post_task(mallory)
    assert mallory.api.put(path, {"task_id": own["id"], "text": "x"}).status_code == 404
    assert listed(alice, task) == [comment]


def test_who_left_finds_nothing(bob: Person, project: dict[str, Any], task: dict[str, Any]) -> None:
    share(project, bob, Role.COMMENTER)
    path = f"/comments/{post_comment(bob, task)['id']}"
    Membership.objects.all().delete()
    assert listed(bob, task) == []
    assert bob.api.get(path).status_code == bob.api.patch(path, {"text": "x"}).status_code == 404


def test_members_and_the_owner_can_be_mentioned(
    alice: Person, bob: Person, mallory: Person, project: dict[str, Any], task: dict[str, Any]
) -> None:
    share(project, bob, Role.COMMENTER)
    both = sorted(str(each.user.pk) for each in (alice, bob))
    comment = post_comment(bob, task, mentions=both[::-1])
    assert comment["mentions"] == both
    path = f"/comments/{comment['id']}"
    for stranger in (str(mallory.user.pk), str(uuid7())):
        answer = bob.api.patch(path, {"mentions": [both[0], stranger]})
        assert pointers(answer) == ["/mentions/1"]
        assert answer.json()["errors"][0]["code"] == "not_a_member"
        refused = bob.api.post("/comments", {"task_id": task["id"], "text": "x", "mentions": [stranger]})
        assert pointers(refused) == ["/mentions/0"]
    assert pointers(bob.api.patch(path, {"mentions": [both[0]] * 2})) == ["/mentions/1"]
    assert bob.api.patch(path, {"mentions": None}).json()["mentions"] == []
    assert count(alice, task) == 1


def test_a_mention_of_somebody_who_left_can_stay(
    alice: Person, bob: Person, project: dict[str, Any], task: dict[str, Any]
) -> None:
    share(project, bob)
    comment = post_comment(alice, task, mentions=[str(bob.user.pk)])
    Membership.objects.all().delete()
    answer = alice.api.patch(f"/comments/{comment['id']}", {"text": "x", "mentions": comment["mentions"]})
    assert answer.status_code == 200
    assert pointers(
        alice.api.post("/comments", {"task_id": task["id"], "text": "x", "mentions": comment["mentions"]})
    ) == ["/mentions/0"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_comments_at_once_are_both_counted(alice: Person, task: dict[str, Any]) -> None:
    one_waits(lambda: post_comment(alice, task), lambda: post_comment(alice, task))
    assert count(alice, task) == Comment.objects.count() == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_deletions_at_once_are_counted_once(alice: Person, task: dict[str, Any]) -> None:
    post_comment(alice, task)
    path = f"/comments/{post_comment(alice, task)['id']}"
    first, second = one_waits(lambda: alice.api.delete(path), lambda: alice.api.delete(path))
    assert (first.status_code, second.status_code) == (204, 204)
    assert count(alice, task) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_comment_waits_for_a_deletion_of_the_task(alice: Person, task: dict[str, Any]) -> None:
    _, refused = one_waits(
        lambda: alice.api.delete(f"/tasks/{task['id']}"),
        lambda: alice.api.post("/comments", {"task_id": task["id"], "text": "x"}),
    )
    assert pointers(refused) == ["/task_id"]
    assert not Comment.objects.exists()


def test_moving_a_task_gives_nobody_the_rights_of_an_admin(
    alice: Person, bob: Person, carol: Person, project: dict[str, Any], task: dict[str, Any]
) -> None:
    share(project, bob, Role.EDITOR)
    share(project, carol, Role.COMMENTER)
    path = f"/comments/{post_comment(carol, task, text='the password is x')['id']}"
    carol.api.patch(path, {"text": "never mind"})
    deleted = f"/comments/{post_comment(bob, task, text='insult')['id']}"
    assert alice.api.delete(deleted).status_code == 204
    moved = bob.api.post(f"/tasks/{task['id']}/move", {"project_id": make_project(bob)["id"]})
    assert moved.status_code == 200
    for answer in (bob.api.get(f"{path}/history"), bob.api.delete(path), bob.api.post(f"{deleted}/restore")):
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:todo:problem:role_too_low")
        assert answer.json()["detail"].endswith("the role admin in the project in which it was written.")
    bob.api.post(f"/tasks/{task['id']}/move", {"project_id": project["id"]})
    assert alice.api.get(f"{path}/history").status_code == 200
    assert alice.api.post(f"{deleted}/restore").status_code == 200
    assert alice.api.delete(path).status_code == 204


def test_comments_are_managed_where_the_task_is_once_their_project_is_gone(
    alice: Person, bob: Person, project: dict[str, Any], task: dict[str, Any]
) -> None:
    share(project, bob, Role.COMMENTER)
    path = f"/comments/{post_comment(bob, task)['id']}"
    alice.api.post(f"/tasks/{task['id']}/move", {"project_id": make_project(alice, name="Other")["id"]})
    alice.api.delete(f"/projects/{project['id']}")
    Project.objects.filter(id=project["id"]).delete()
    assert alice.api.get(f"{path}/history").status_code == 200
    assert alice.api.delete(path).status_code == 204


def test_comments_of_the_release_before_are_managed_where_their_task_was(
    alice: Person, bob: Person, project: dict[str, Any], task: dict[str, Any]
) -> None:
    share(project, bob, Role.EDITOR)
    path = f"/comments/{post_comment(alice, task)['id']}"
    Comment.objects.update(written_in=None)
    seen = alice.api.get(f"/projects/{project['id']}/activity").json()
    services.fill_written_in()
    assert alice.api.get(f"/projects/{project['id']}/activity").json() == seen
    bob.api.post(f"/tasks/{task['id']}/move", {"project_id": make_project(bob)["id"]})
    assert bob.api.get(f"{path}/history").status_code == 403
