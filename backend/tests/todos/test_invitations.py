"""Invitations: who makes, sees, answers and revokes them, and what they tell nobody."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Person
from tests.todos.races import one_waits
from tests.todos.stories import make_project, pointers, post_task, share
from todo_project.db.rows import uuid7
from todo_project.todos.models import Invitation, Membership, Role

ROLES = ["viewer", "commenter", "editor", "admin"]


@pytest.fixture
def project(alice: Person) -> dict[str, Any]:
    """A project of Alice's."""
    return make_project(alice)


def invite(who: Person, project: dict[str, Any], email: str = "bob@example.org", role: str = "editor") -> Any:
    """Invite somebody over the API."""
    return who.api.post(f"/projects/{project['id']}/invitations", {"email": email, "role": role})


def received(who: Person) -> list[dict[str, Any]]:
    """Return the invitations that somebody may answer."""
    return who.api.get("/invitations").json()["results"]  # type: ignore[no-any-return]


def role_of(who: Person, project: dict[str, Any]) -> str | None:
    """Return somebody's role, or None for a stranger."""
    answer = who.api.get(f"/projects/{project['id']}")
    return answer.json()["role"] if answer.status_code == 200 else None


@pytest.mark.parametrize("role", ROLES)
def test_who_accepts_becomes_a_member(alice: Person, bob: Person, project: dict[str, Any], role: str) -> None:
    below = make_project(alice, parent_id=project["id"])
    made = invite(alice, project, role=role)
    assert made.status_code == 201
    assert made.json() | {"project_name": project["name"], "inviter_name": "Alice", "role": role} == made.json()
    assert received(bob) == [made.json()]
    assert bob.api.get(made["Location"]).json() == alice.api.get(made["Location"]).json() == made.json()
    assert role_of(bob, project) is None
    accepted = bob.api.post(f"{made['Location']}/accept")
    assert (accepted.status_code, accepted.json()["status"]) == (200, "accepted")
    assert role_of(bob, project) == role_of(bob, below) == role
    assert received(bob) == alice.api.get(f"/projects/{project['id']}/invitations").json()["results"] == []


def test_the_entity_tag_covers_the_names(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    path = invite(alice, project)["Location"]
    for change in (
        lambda: alice.api.patch(f"/projects/{project['id']}", {"name": "New"}),
        lambda: alice.api.patch("/me", {"name": "A"}),
    ):
        held = {"If-None-Match": bob.api.get(path)["ETag"]}
        assert bob.api.get(path, headers=held).status_code == 304
        assert change().status_code == 200
        assert bob.api.get(path, headers=held).status_code == 200
    assert bob.api.post(f"{path}/accept", headers={"If-Match": bob.api.get(path)["ETag"]}).status_code == 200


def test_an_invitation_waits_for_the_registration_of_exactly_that_address(
    alice: Person, project: dict[str, Any], person: Callable[..., Person]
) -> None:
    made = invite(alice, project, email="Carol@Example.org").json()
    assert made["email"] == "carol@example.org"
    others = [person(name) for name in ("carol.", "carol+x", "carola")]
    assert [received(each) for each in others] == [[], [], []]
    carol = person("carol")
    assert received(carol) == [made]
    assert carol.api.post(f"/invitations/{made['id']}/accept").status_code == 200
    assert role_of(carol, project) == "editor"


def test_who_declines_stays_a_stranger(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    path = invite(alice, project)["Location"]
    assert bob.api.post(f"{path}/decline").json()["status"] == "declined"
    assert received(bob) == []
    for answer in ("accept", "decline"):
        again = bob.api.post(f"{path}/{answer}")
        assert (again.status_code, again.json()["type"]) == (409, "urn:todo:problem:invitation_ended")
    assert role_of(bob, project) is None
    assert invite(alice, project).status_code == 201


def test_an_invitation_is_accepted_once(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    path = invite(alice, project)["Location"]
    key = {"Idempotency-Key": "1"}
    first, replayed = (bob.api.post(f"{path}/accept", headers=key) for _ in range(2))
    assert first.json() == replayed.json()
    alice.api.delete(f"/projects/{project['id']}/members/{bob.user.pk}")
    assert bob.api.post(f"{path}/accept").json()["detail"].startswith("This invitation was already accepted.")
    assert role_of(bob, project) is None


def test_nobody_else_can_see_or_answer_it(
    alice: Person, bob: Person, mallory: Person, project: dict[str, Any]
) -> None:
    path = invite(alice, project)["Location"]
    unknown = f"/invitations/{uuid7()}"
    for method, below in (("GET", ""), ("DELETE", ""), ("POST", "/accept"), ("POST", "/decline")):
        theirs, none = (mallory.api.request(method, each + below) for each in (path, unknown))
        assert (theirs.status_code, theirs.json()["detail"]) == (404, none.json()["detail"])
    for answer in ("accept", "decline"):  # nor can the one who invites
        assert alice.api.post(f"{path}/{answer}").status_code == 404
    assert bob.api.delete(path).status_code == 404
    assert received(mallory) == received(alice) == []
    assert [each["id"] for each in received(bob)] == [path.rpartition("/")[2]]


@pytest.mark.parametrize("role", Role.values[:4])
def test_only_who_manages_the_project_invites_sees_and_revokes(
    alice: Person, bob: Person, mallory: Person, project: dict[str, Any], role: int
) -> None:
    share(project, bob, Role(role))
    may = role == Role.ADMIN
    path = invite(alice, project, email="carol@example.org")["Location"]
    listed = bob.api.get(f"/projects/{project['id']}/invitations")
    assert listed.status_code == (200 if may else 403)
    assert invite(bob, project, email="dave@example.org").status_code == (201 if may else 403)
    assert bob.api.get(path).status_code == (200 if may else 404)
    assert bob.api.delete(path).status_code == (204 if may else 404)
    assert invite(mallory, project).status_code == 404
    assert mallory.api.get(f"/projects/{project['id']}/invitations").status_code == 404


def test_a_revoked_one_cannot_be_accepted(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    path = invite(alice, project)["Location"]
    assert [alice.api.delete(path).status_code for _ in range(2)] == [204, 204]
    assert received(bob) == []
    assert bob.api.post(f"{path}/accept").status_code == 409
    assert role_of(bob, project) is None


def test_a_stale_answer_is_refused(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    path = invite(alice, project)["Location"]
    held, stale = {"If-Match": bob.api.get(path)["ETag"]}, {"If-Match": '"9-abcdef"'}
    assert alice.api.delete(path, headers=stale).status_code == 412
    for answer in ("accept", "decline"):
        assert bob.api.post(f"{path}/{answer}", headers=stale).status_code == 412
    assert bob.api.post(f"{path}/accept", headers=held).status_code == 200


def test_who_is_no_admin_any_more_invites_nobody(
    alice: Person, bob: Person, mallory: Person, project: dict[str, Any]
) -> None:
    share(project, mallory, Role.ADMIN)
    invite(mallory, project)
    kept = invite(alice, project, email="carol@example.org").json()["id"]
    member = f"/projects/{project['id']}/members/{mallory.user.pk}"
    assert alice.api.patch(member, {"role": "editor"}).status_code == 200
    assert received(bob) == []
    assert alice.api.patch(member, {"role": "admin"}).status_code == 200
    assert [each["id"] for each in mallory.api.get(f"/projects/{project['id']}/invitations").json()["results"]] == [
        kept
    ]


def test_an_accepted_one_cannot_be_revoked(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    path = invite(alice, project)["Location"]
    bob.api.post(f"{path}/accept")
    answer = alice.api.delete(path)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:todo:problem:invitation_ended")
    assert role_of(bob, project) == "editor"


@pytest.mark.parametrize(("held", "expected"), [("viewer", "editor"), ("editor", "editor"), ("admin", "admin")])
def test_a_role_is_never_lowered(
    alice: Person, bob: Person, project: dict[str, Any], held: str, expected: str
) -> None:
    path = invite(alice, project)["Location"]
    share(project, bob, Role(ROLES.index(held) + 1))
    assert bob.api.post(f"{path}/accept").status_code == 200
    assert role_of(bob, project) == expected


def test_the_owner_by_now_only_ends_it(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    path = invite(alice, project)["Location"]
    share(project, bob)
    assert alice.api.post(f"/projects/{project['id']}/transfer", {"user_id": str(bob.user.pk)}).status_code == 200
    assert bob.api.post(f"{path}/accept").status_code == 200
    assert role_of(bob, project) == "owner"


@pytest.mark.parametrize("way", ["demoted", "removed", "left"])
def test_who_loses_the_right_invites_nobody_anymore(
    alice: Person, bob: Person, project: dict[str, Any], person: Callable[..., Person], way: str
) -> None:
    carol = person("carol")
    share(project, bob, Role.ADMIN)
    path = invite(bob, project, email="carol@example.org")["Location"]
    kept = invite(alice, project, email="dave@example.org").json()
    member = f"/projects/{project['id']}/members/{bob.user.pk}"
    if way == "demoted":
        assert alice.api.patch(member, {"role": "editor"}).status_code == 200
    else:
        assert (alice if way == "removed" else bob).api.delete(member).status_code == 204
        assert received(carol) == []
        assert alice.api.get(f"/projects/{project['id']}/invitations").json()["results"] == [kept]
    answer = carol.api.post(f"{path}/accept")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:todo:problem:invitation_ended")
    assert b"Garden" not in answer.content
    assert role_of(carol, project) is None


def test_a_deleted_project_ends_its_invitations(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    below = make_project(alice, parent_id=project["id"])
    paths = [invite(alice, each)["Location"] for each in (project, below)]
    alice.api.delete(f"/projects/{project['id']}")
    assert received(bob) == []
    for path in paths:
        assert alice.api.get(path).status_code == 404
        answer = bob.api.post(f"{path}/accept")
        assert (answer.status_code, b"Garden" in answer.content) == (409, False)
    alice.api.post(f"/projects/{project['id']}/restore")
    assert received(bob) == []
    assert role_of(bob, project) is None


def test_whoever_leaves_is_taken_off_the_tasks(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    below = make_project(alice, parent_id=project["id"])
    bob.api.post(f"{invite(alice, project)['Location']}/accept")
    assigned = {"assignees": [str(bob.user.pk)]}
    tasks = [post_task(alice, project_id=each["id"], **assigned) for each in (project, below)]
    assert bob.api.delete(f"/projects/{project['id']}/members/{bob.user.pk}").status_code == 204
    for task in tasks:
        assert alice.api.get(f"/tasks/{task['id']}").json()["assignees"] == []


def test_the_inbox_cannot_be_shared(alice: Person) -> None:
    [inbox] = alice.api.get("/projects").json()["results"]
    answer = invite(alice, inbox)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:todo:problem:inbox_is_private")


def test_nobody_is_invited_twice_or_as_a_member(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    assert invite(alice, project, email="alice@example.org").json()["type"] == "urn:todo:problem:is_member"
    assert invite(alice, project).status_code == 201
    assert invite(alice, project, role="viewer").json()["type"] == "urn:todo:problem:is_invited"
    bob.api.post(f"/invitations/{received(bob)[0]['id']}/accept")
    assert invite(alice, project).json()["type"] == "urn:todo:problem:is_member"
    assert invite(alice, make_project(alice)).status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"role": "viewer"}, "/email"),
        ({"email": "bob@example.org"}, "/role"),
        ({"email": "bob", "role": "viewer"}, "/email"),
        ({"email": "b" * 250 + "@example.org", "role": "viewer"}, "/email"),
        ({"email": ["bob@example.org"], "role": "viewer"}, "/email"),
        ({"email": "bob@example.org\nBcc: x@example.org", "role": "viewer"}, "/email"),
        ({"email": "bob@example.org", "role": "owner"}, "/role"),
        ({"email": "bob@example.org", "role": 4}, "/role"),
        ({"email": "bob@example.org", "role": "viewer", "status": "accepted"}, "/status"),
        ({"email": "bob@example.org", "role": "viewer", "inviter_id": str(uuid7())}, "/inviter_id"),
    ],
)
def test_bad_input_is_named(alice: Person, project: dict[str, Any], body: dict[str, Any], pointer: str) -> None:
    assert pointers(alice.api.post(f"/projects/{project['id']}/invitations", body)) == [pointer]
    assert not Invitation.objects.exists()


def test_an_account_with_the_address_changes_neither_the_answer_nor_the_statements(
    alice: Person, bob: Person, project: dict[str, Any]
) -> None:
    answers, statements = [], []
    for email in ("warm-up@example.org", "bob@example.org", "nobody@example.org"):
        with CaptureQueriesContext(connection) as sent:
            answers.append(invite(alice, project, email=email))
        statements.append([re.sub(r"'[^']*'|\d+", "?", each["sql"]) for each in sent])
    known, unknown = (
        {
            name: value
            for name, value in each.json().items()
            if name not in ("id", "email", "created_at", "updated_at")
        }
        for each in answers[1:]
    )
    assert known == unknown
    assert answers[1].headers.keys() == answers[2].headers.keys()
    assert statements[1] == statements[2]


def test_the_number_is_limited(alice: Person, project: dict[str, Any], settings: Any) -> None:
    settings.INVITATIONS_PER_PROJECT = 2
    paths = [invite(alice, project, email=f"{n}@example.org")["Location"] for n in range(2)]
    assert invite(alice, project).json()["type"] == "urn:todo:problem:invitations_used_up"
    alice.api.delete(paths[0])
    assert invite(alice, project).status_code == 201


def test_how_many_an_account_sends_is_limited(
    early_in_every_window: object, alice: Person, project: dict[str, Any], settings: Any
) -> None:
    settings.INVITATIONS_PER_ACCOUNT = 1
    assert invite(alice, project).status_code == 201
    answer = invite(alice, make_project(alice))
    assert (answer.status_code, answer.json()["type"]) == (429, "urn:todo:problem:too_many_invitations")
    assert 0 < int(answer["Retry-After"]) <= 3600
    assert Invitation.objects.count() == 1


def test_the_lists_have_pages(alice: Person, bob: Person) -> None:
    made = [invite(alice, make_project(alice, name=f"{n}")).json() for n in range(3)]
    page = bob.api.get("/invitations?limit=2").json()
    rest = bob.api.get(f"/invitations?limit=2&cursor={page['next_cursor']}").json()
    assert [*page["results"], *rest["results"]] == made
    assert rest["next_cursor"] is None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_acceptances_at_once_one_wins(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    path = invite(alice, project)["Location"]
    accept = lambda: bob.api.post(f"{path}/accept")  # noqa: E731
    first, second = one_waits(accept, accept)
    assert (first.status_code, second.status_code) == (200, 409)
    assert Membership.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["revoke", "delete", "remove"])
def test_an_acceptance_waits_for_what_ends_the_invitation(
    alice: Person, bob: Person, project: dict[str, Any], person: Callable[..., Person], what: str
) -> None:
    carol = person("carol")
    share(project, bob, Role.ADMIN)
    path = invite(bob, project, email="carol@example.org")["Location"]
    end = {
        "revoke": lambda: alice.api.delete(path),
        "delete": lambda: alice.api.delete(f"/projects/{project['id']}"),
        "remove": lambda: alice.api.delete(f"/projects/{project['id']}/members/{bob.user.pk}"),
    }[what]
    ended, refused = one_waits(end, lambda: carol.api.post(f"{path}/accept"))
    assert (ended.status_code, refused.status_code) == (204, 409)
    assert not Membership.objects.filter(user=carol.user).exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_invitations_at_once_one_is_made(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    first, second = one_waits(lambda: invite(alice, project), lambda: invite(alice, project))
    assert (first.status_code, second.status_code) == (201, 409)
