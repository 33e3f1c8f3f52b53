"""The members of a project: who they are, what role they have, and how that follows the tree of projects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Person
from tests.todos.stories import broken_rules, make_project, make_section, pointers, post_task, share
from todo_project.todos.models import Label, Membership, Project, Role, Section, Task
from todo_project.todos.services import members


@pytest.fixture
def carol(person: Callable[..., Person]) -> Person:
    """A second member."""
    return person("carol")


def roles(who: Person, project: dict[str, Any]) -> dict[str, str]:
    """Return the roles in a project by e-mail name, as one person sees them."""
    found = who.api.get(f"/projects/{project['id']}/members").json()["results"]
    return {each["email"].partition("@")[0]: each["role"] for each in found}


def role_of(who: Person, project: dict[str, Any]) -> str | None:
    """Return the role that a person reads in the project, or None if it is not visible."""
    answer = who.api.get(f"/projects/{project['id']}")
    return answer.json()["role"] if answer.status_code == 200 else None


def detail(answer: Any, code: str) -> str:
    """Return the detail of a 409 or 403 with this code."""
    assert answer.json()["type"] == f"urn:todo:problem:{code}", answer.content
    return str(answer.json()["detail"])


def test_the_owner_comes_first_and_pages_hold_each_person_once(
    alice: Person, bob: Person, carol: Person, mallory: Person
) -> None:
    project = make_project(alice)
    share(project, bob, Role.EDITOR)
    share(project, carol)
    path = f"/projects/{project['id']}/members"
    first, *rest = bob.api.get(path).json()["results"]
    assert first == {
        "user_id": str(alice.user.pk),
        "email": "alice@example.org",
        "name": "Alice",
        "role": "owner",
        "is_inherited": False,
    }
    assert {each["email"]: each["role"] for each in rest} == {
        "bob@example.org": "editor",
        "carol@example.org": "viewer",
    }
    found, cursor = [], ""
    while cursor is not None:
        page = carol.api.get(f"{path}?limit=1{cursor and f'&cursor={cursor}'}").json()
        assert len(page["results"]) == 1
        found += page["results"]
        cursor = page["next_cursor"]
    assert found == [first, *rest]
    assert mallory.api.get(path).status_code == 404


def test_a_project_shows_the_callers_role(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob, Role.COMMENTER)
    hers, his = (who.api.get(f"/projects/{project['id']}") for who in (alice, bob))
    assert (hers.json()["role"], his.json()["role"]) == ("owner", "commenter")
    assert hers["ETag"] != his["ETag"]
    again = bob.api.get(f"/projects/{project['id']}", headers={"If-None-Match": his["ETag"]})
    assert again.status_code == 304
    assert {each["role"] for each in bob.api.get("/projects").json()["results"]} == {"owner", "commenter"}


def test_a_new_role_changes_the_tag(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob)
    old = bob.api.get(f"/projects/{project['id']}")["ETag"]
    answer = alice.api.patch(f"/projects/{project['id']}/members/{bob.user.pk}", {"role": "admin"})
    assert answer.status_code == 200
    assert answer.json()["role"] == "admin"
    new = bob.api.get(f"/projects/{project['id']}", headers={"If-None-Match": old})
    assert (new.status_code, new.json()["role"]) == (200, "admin")


def test_a_member_has_a_tag_that_changes_with_the_role(alice: Person, bob: Person, mallory: Person) -> None:
    project = make_project(alice)
    share(project, bob)
    path = f"/projects/{project['id']}/members/{bob.user.pk}"
    first = bob.api.get(path)
    assert first.json() == alice.api.get(f"/projects/{project['id']}/members").json()["results"][1]
    assert bob.api.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    same = alice.api.patch(path, {"role": "viewer"}, headers={"If-Match": first["ETag"]})
    assert same["ETag"] == first["ETag"]
    second = alice.api.patch(path, {"role": "admin"}, headers={"If-Match": first["ETag"]})
    assert (second.status_code, second["ETag"] == first["ETag"]) == (200, False)
    assert bob.api.get(path, headers={"If-None-Match": first["ETag"]})["ETag"] == second["ETag"]
    assert bob.api.patch("/me", {"name": "Robert"}).status_code == 200
    renamed = alice.api.get(path, headers={"If-None-Match": second["ETag"]})
    assert renamed.json()["name"] == "Robert"
    assert alice.api.patch(path, {"role": "editor"}, headers={"If-Match": second["ETag"]}).status_code == 200
    assert mallory.api.get(path).status_code == 404
    assert alice.api.get(f"/projects/{project['id']}/members/{mallory.user.pk}").status_code == 404


def test_what_get_gave_of_a_member_can_be_sent_back(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob)
    path = f"/projects/{project['id']}/members/{bob.user.pk}"
    held = alice.api.get(path)
    same = alice.api.patch(path, held.json(), headers={"If-Match": held["ETag"]})
    assert (same.status_code, same.json(), same["ETag"]) == (200, held.json(), held["ETag"])
    raised = alice.api.patch(path, held.json() | {"role": "admin"})
    assert raised.json() == held.json() | {"role": "admin"}
    refused = alice.api.patch(path, raised.json() | {"name": "Robert", "is_inherited": True, "age": 5})
    assert pointers(refused) == ["/age", "/is_inherited", "/name"]


def test_the_owner_has_a_tag(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob)
    path = f"/projects/{project['id']}/members/{alice.user.pk}"
    first = bob.api.get(path)
    assert first.json()["role"] == "owner"
    assert bob.api.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_stale_write_of_a_member_is_refused(alice: Person, bob: Person, method: str) -> None:
    project = make_project(alice)
    share(project, bob)
    path = f"/projects/{project['id']}/members/{bob.user.pk}"
    stale = alice.api.get(path)["ETag"]
    alice.api.patch(path, {"role": "editor"})
    answer = alice.api.request(
        method.upper(), path, {"role": "admin"} if method == "patch" else None, headers={"If-Match": stale}
    )
    assert answer.status_code == 412
    assert alice.api.get(path).json()["role"] == "editor"


def test_who_joins_again_has_another_tag(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    path = f"/projects/{project['id']}/members/{bob.user.pk}"
    share(project, bob)
    stale = alice.api.get(path)["ETag"]
    assert alice.api.delete(path, headers={"If-Match": stale}).status_code == 204
    share(project, bob)
    assert alice.api.delete(path, headers={"If-Match": stale}).status_code == 412


def test_sub_projects_have_the_members_of_their_parent(alice: Person, bob: Person) -> None:
    work = make_project(alice, name="Work")
    earlier = make_project(alice, parent_id=work["id"])
    share(work, bob, Role.EDITOR)
    later = make_project(alice, parent_id=earlier["id"])
    assert [role_of(bob, each) for each in (work, earlier, later)] == ["editor"] * 3
    below = bob.api.get(f"/projects/{later['id']}/members").json()["results"][1]
    assert below["is_inherited"] is True
    assert Membership.objects.count() == 3
    assert broken_rules() == []


def test_a_role_can_be_raised_below_but_not_lowered(alice: Person, bob: Person) -> None:
    work = make_project(alice, name="Work")
    below = make_project(alice, parent_id=work["id"])
    share(work, bob, Role.EDITOR)
    path = f"/projects/{below['id']}/members/{bob.user.pk}"
    assert alice.api.patch(path, {"role": "admin"}).json()["is_inherited"] is False
    assert [role_of(bob, each) for each in (work, below)] == ["editor", "admin"]
    assert repr("Work") in detail(alice.api.patch(path, {"role": "viewer"}), "role_is_inherited")
    assert repr("Work") in detail(alice.api.delete(path), "role_is_inherited")
    assert alice.api.patch(path, {"role": "editor"}).json()["is_inherited"] is True
    alice.api.patch(f"/projects/{work['id']}/members/{bob.user.pk}", {"role": "viewer"})
    assert [role_of(bob, each) for each in (work, below)] == ["viewer"] * 2


def test_a_project_above_that_is_not_visible_is_not_named(alice: Person, bob: Person, carol: Person) -> None:
    secret = make_project(alice, name="Secret")
    below = make_project(alice, parent_id=secret["id"])
    share(secret, carol)
    share(below, bob, Role.ADMIN)
    answer = bob.api.delete(f"/projects/{below['id']}/members/{carol.user.pk}")
    assert "a project above" in detail(answer, "role_is_inherited")
    assert "Secret" not in str(answer.content)


def test_a_member_sees_the_parent_only_if_it_is_shared(alice: Person, bob: Person) -> None:
    work = make_project(alice)
    below = make_project(alice, parent_id=work["id"])
    share(below, bob, Role.ADMIN)
    before = bob.api.get(f"/projects/{below['id']}")
    assert before.json()["parent_id"] is None
    assert bob.api.get("/projects").json()["results"][-1]["parent_id"] is None
    # what he read can be sent back
    answer = bob.api.put(f"/projects/{below['id']}", before.json(), headers={"If-Match": before["ETag"]})
    assert answer.json() == before.json()
    share(work, bob)
    after = bob.api.get(f"/projects/{below['id']}", headers={"If-None-Match": before["ETag"]})
    assert (after.status_code, after.json()["parent_id"]) == (200, work["id"])


def test_admins_manage_everybody_but_the_owner(alice: Person, bob: Person, carol: Person) -> None:
    project = make_project(alice)
    path = f"/projects/{project['id']}/members"
    share(project, bob, Role.ADMIN)
    share(project, carol, Role.ADMIN)
    assert pointers(bob.api.patch(f"{path}/{carol.user.pk}", {"role": "owner"})) == ["/role"]
    assert bob.api.patch(f"{path}/{carol.user.pk}", {"role": "editor"}).status_code == 200
    detail(carol.api.patch(f"{path}/{bob.user.pk}", {"role": "viewer"}), "role_too_low")
    refused = detail(carol.api.delete(f"{path}/{bob.user.pk}"), "role_too_low")
    assert f"'{project['name']}' ({project['id']}) is editor" in refused
    for who in (alice, bob):
        detail(who.api.patch(f"{path}/{alice.user.pk}", {"role": "viewer"}), "owner_stays")
        assert "Transfer" in detail(who.api.delete(f"{path}/{alice.user.pk}"), "owner_stays")
    assert bob.api.delete(f"{path}/{carol.user.pk}").status_code == 204
    assert carol.api.get(path).status_code == 404
    assert bob.api.delete(f"{path}/{carol.user.pk}").status_code == 404


def test_everybody_may_leave_and_loses_all_below(alice: Person, bob: Person) -> None:
    work = make_project(alice)
    below = make_project(alice, parent_id=work["id"])
    share(work, bob)
    share(below, bob, Role.ADMIN)
    task = post_task(alice, project_id=below["id"])
    version = Project.objects.get(id=below["id"]).version
    assert bob.api.delete(f"/projects/{work['id']}/members/{bob.user.pk}").status_code == 204
    assert [role_of(bob, each) for each in (work, below)] == [None, None]
    assert bob.api.get(f"/tasks/{task['id']}").status_code == 404
    assert Project.objects.get(id=below["id"]).version == version + 1
    assert Membership.objects.count() == 0


def test_a_project_in_the_trash_can_be_left(alice: Person, bob: Person, mallory: Person) -> None:
    work = make_project(alice)
    for who in (bob, mallory):
        share(work, who, Role.ADMIN)
    alice.api.delete(f"/projects/{work['id']}")
    path = f"/projects/{work['id']}/members"
    assert bob.api.delete(f"{path}/{mallory.user.pk}").status_code == 404
    assert bob.api.delete(f"{path}/{bob.user.pk}").status_code == 204
    alice.api.post(f"/projects/{work['id']}/restore")
    assert [role_of(each, work) for each in (bob, mallory)] == [None, "admin"]


def test_the_inbox_is_private(alice: Person, bob: Person) -> None:
    inbox = alice.api.get("/projects").json()["results"][0]
    with pytest.raises(members.InboxIsPrivate):
        share(inbox, bob)
    detail(alice.api.post(f"/projects/{inbox['id']}/transfer", {"user_id": str(bob.user.pk)}), "inbox_is_private")


def test_the_owner_is_not_made_a_member(alice: Person) -> None:
    with pytest.raises(members.OwnerStays):
        share(make_project(alice), alice)


def test_a_transfer_hands_everything_over(alice: Person, bob: Person, carol: Person) -> None:
    work = make_project(alice)
    below = make_project(alice, parent_id=work["id"])
    section = make_section(alice, below)
    task = post_task(alice, section_id=section["id"])
    make_project(bob, name="His")
    share(work, bob)
    share(below, carol, Role.EDITOR)
    held = alice.api.get(f"/projects/{work['id']}")["ETag"]
    path = f"/projects/{work['id']}/transfer"
    assert alice.api.post(path, {"user_id": str(bob.user.pk)}, headers={"If-Match": '"9-0"'}).status_code == 412
    answer = alice.api.post(path, {"user_id": str(bob.user.pk)}, headers={"If-Match": held})
    assert (answer.status_code, answer.json()["role"]) == (200, "admin")
    for kind, row in ((Project, work), (Project, below), (Section, section), (Task, task)):
        assert kind.objects.get(id=row["id"]).owner_id == bob.user.pk
    assert roles(bob, work) == {"bob": "owner", "alice": "admin"}
    assert roles(bob, below) == {"bob": "owner", "alice": "admin", "carol": "editor"}
    own = sorted(bob.api.get("/projects").json()["results"], key=lambda each: each["position"])
    assert [each["id"] for each in own if each["parent_id"] is None][-1] == work["id"]
    assert bob.api.delete(f"/projects/{work['id']}").status_code == 204
    assert broken_rules() == []


def test_only_a_member_of_a_root_project_can_get_it(alice: Person, bob: Person, mallory: Person) -> None:
    work = make_project(alice)
    below = make_project(alice, parent_id=work["id"])
    share(work, bob, Role.ADMIN)
    for who in (mallory, alice):  # a stranger, and the owner
        answer = alice.api.post(f"/projects/{work['id']}/transfer", {"user_id": str(who.user.pk)})
        assert pointers(answer) == ["/user_id"]
    to_bob = {"user_id": str(bob.user.pk)}
    detail(alice.api.post(f"/projects/{below['id']}/transfer", to_bob), "project_is_nested")
    detail(bob.api.post(f"/projects/{work['id']}/transfer", to_bob), "role_too_low")


def test_a_project_that_moves_below_another_owners_is_handed_over(
    alice: Person, bob: Person, carol: Person
) -> None:
    work = make_project(alice)
    share(work, bob, Role.ADMIN)
    share(work, carol)
    his = make_project(bob)
    below = make_project(bob, parent_id=his["id"])
    task = post_task(bob, project_id=below["id"])
    share(his, alice, Role.EDITOR)
    assert bob.api.patch(f"/projects/{his['id']}", {"parent_id": work["id"]}).json()["role"] == "admin"
    assert Task.objects.get(id=task["id"]).owner_id == alice.user.pk
    assert roles(alice, below) == {"alice": "owner", "bob": "admin", "carol": "viewer"}
    detail(bob.api.patch(f"/projects/{his['id']}", {"parent_id": None}), "role_too_low")
    assert alice.api.patch(f"/projects/{his['id']}", {"parent_id": None}).status_code == 200
    assert role_of(bob, his) is None
    assert broken_rules() == []


def test_a_sub_project_belongs_to_the_owner_of_its_parent(alice: Person, bob: Person) -> None:
    work = make_project(alice)
    share(work, bob, Role.ADMIN)
    made = make_project(bob, parent_id=work["id"])
    assert (made["role"], made["parent_id"]) == ("admin", work["id"])
    assert Project.objects.get(id=made["id"]).owner_id == alice.user.pk
    alice.api.patch(f"/projects/{work['id']}/members/{bob.user.pk}", {"role": "editor"})
    detail(bob.api.post("/projects", {"name": "x", "parent_id": work["id"]}), "role_too_low")
    detail(bob.api.patch(f"/projects/{make_project(bob)['id']}", {"parent_id": work["id"]}), "role_too_low")


def test_the_position_of_a_root_project_is_the_owners(alice: Person, bob: Person) -> None:
    work = make_project(alice)
    below = make_project(alice, parent_id=work["id"])
    share(work, bob, Role.ADMIN)
    detail(bob.api.patch(f"/projects/{work['id']}", {"position": "b1"}), "role_too_low")
    assert bob.api.patch(f"/projects/{below['id']}", {"position": "b1"}).json()["position"] == "b1"


def test_the_order_of_a_list_out_of_sight_is_not_changed(alice: Person, bob: Person) -> None:
    below = make_project(alice, parent_id=make_project(alice)["id"])
    share(below, bob, Role.ADMIN)
    detail(bob.api.patch(f"/projects/{below['id']}", {"position": "b1"}), "role_too_low")
    assert (
        bob.api.put(f"/projects/{below['id']}", bob.api.get(f"/projects/{below['id']}").json()).status_code == 200
    )
    assert alice.api.patch(f"/projects/{below['id']}", {"position": "b1"}).json()["position"] == "b1"


def test_what_members_create_belongs_to_the_owner(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob, Role.EDITOR)
    section = make_section(bob, project)
    task = post_task(bob, section_id=section["id"], recurrence={"rule": "FREQ=DAILY"}, due={"date": "2026-12-01"})
    following = bob.api.post(f"/tasks/{task['id']}/complete").json()["next_task_id"]
    assert alice.api.get(f"/tasks/{following}").status_code == 200
    assert bob.api.post(f"/tasks/{task['id']}/reopen").json()["next_task_id"] is None
    assert post_task(bob)["project_id"] == bob.api.get("/projects").json()["results"][0]["id"]
    assert broken_rules() == []


def test_a_task_takes_its_owner_along(alice: Person, bob: Person) -> None:
    project, his = make_project(alice), make_project(bob)
    share(project, bob, Role.EDITOR)
    task = post_task(alice, project_id=project["id"])
    below = post_task(alice, parent_id=task["id"])
    assert bob.api.patch(f"/tasks/{task['id']}", {"project_id": his["id"]}).status_code == 200
    assert alice.api.get(f"/tasks/{below['id']}").status_code == 404
    assert broken_rules() == []
    assert bob.api.post(f"/tasks/{task['id']}/move", {"project_id": project["id"]}).status_code == 200
    assert alice.api.get(f"/tasks/{below['id']}").status_code == 200
    section = make_section(bob, his)
    inside = post_task(bob, section_id=section["id"])
    assert bob.api.patch(f"/sections/{section['id']}", {"project_id": project["id"]}).status_code == 200
    assert alice.api.get(f"/tasks/{inside['id']}").status_code == 200
    assert broken_rules() == []


def test_an_account_that_goes_leaves_its_work(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob, Role.EDITOR)
    task = post_task(bob, project_id=project["id"], labels=[bob.api.post("/labels", {"name": "his"}).json()["id"]])
    bob.user.delete()
    assert alice.api.get(f"/tasks/{task['id']}").json()["labels"] == []
    assert (Membership.objects.count(), Label.objects.count()) == (0, 0)


def test_sharing_costs_those_who_share_nothing_nothing(alice: Person, bob: Person, mallory: Person) -> None:
    share(make_project(alice), bob)
    for who, is_member in ((alice, True), (bob, True), (mallory, False)):
        who.user.refresh_from_db()
        assert who.user.is_member is is_member
