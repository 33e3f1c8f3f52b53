"""What projects alone have: nesting, archiving, an Inbox."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Person
from todo_project.db.rows import uuid7


def make(who: Person, **values: Any) -> dict[str, Any]:
    """Make a project and give it."""
    answer = who.api.post("/projects", {"name": "Some", **values})
    assert answer.status_code == 201, answer.content
    return answer.json()  # type: ignore[no-any-return]


@pytest.fixture
def inbox(alice: Person) -> dict[str, Any]:
    """Alice's Inbox."""
    return alice.api.get("/projects").json()["results"][0]  # type: ignore[no-any-return]


def pointers(answer: Any) -> list[tuple[str, str]]:
    """Give where the faults are and which."""
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


def test_everybody_has_an_inbox(inbox: dict[str, Any]) -> None:
    assert inbox["name"] == "Inbox"
    assert inbox["is_inbox"] is True
    assert inbox["parent_id"] is None


@pytest.mark.parametrize("path", ["archive", ""])
def test_the_inbox_stays_where_it_is(alice: Person, inbox: dict[str, Any], path: str) -> None:
    answer = (
        alice.api.post(f"/projects/{inbox['id']}/archive") if path else alice.api.delete(f"/projects/{inbox['id']}")
    )
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:todo:problem:inbox_is_fixed"


def test_the_inbox_keeps_its_name_and_place_but_not_its_colour(alice: Person, inbox: dict[str, Any]) -> None:
    other, path = make(alice), f"/projects/{inbox['id']}"
    assert alice.api.patch(path, {"name": "In"}).status_code == 409
    assert alice.api.patch(path, {"parent_id": other["id"]}).status_code == 409
    assert alice.api.patch(path, {"is_archived": True}).status_code == 409
    same = {"name": "Inbox", "parent_id": None, "is_archived": False, "color": "#3B82F6"}
    assert alice.api.patch(path, same).json()["color"] == "#3b82f6"


@pytest.mark.parametrize("color", ["red", "#12345", "#1234567", "#12345g", "", 7, "#123456\n"])
def test_a_colour_is_rrggbb(alice: Person, color: Any) -> None:
    answer = alice.api.post("/projects", {"name": "x", "color": color})
    if color == "#123456\n":  # space around a text is taken off
        assert answer.json()["color"] == "#123456"
    else:
        assert [pointer for pointer, _ in pointers(answer)] == ["/color"]


def test_null_clears_a_colour_and_a_parent(alice: Person) -> None:
    parent = make(alice)
    child = make(alice, parent_id=parent["id"], color="#ff0000")
    answer = alice.api.patch(f"/projects/{child['id']}", {"color": None, "parent_id": None})
    assert (answer.json()["color"], answer.json()["parent_id"]) == (None, None)


@pytest.mark.parametrize("name", ["name", "position"])
def test_null_does_not_clear_what_must_be_there(alice: Person, name: str) -> None:
    answer = alice.api.patch(f"/projects/{make(alice)['id']}", {name: None})
    assert pointers(answer) == [(f"/{name}", "null")]


def test_archiving_is_undone_and_repeatable(alice: Person) -> None:
    path = f"/projects/{make(alice)['id']}"
    first = alice.api.post(f"{path}/archive")
    assert first.json()["is_archived"] is True
    assert alice.api.post(f"{path}/archive")["ETag"] == first["ETag"]
    assert alice.api.post(f"{path}/unarchive").json()["is_archived"] is False
    assert alice.api.patch(path, {"is_archived": True}).json()["is_archived"] is True


@pytest.mark.parametrize("value", ["true", 1, "on"])
def test_is_archived_is_true_or_false(alice: Person, value: Any) -> None:
    answer = alice.api.patch(f"/projects/{make(alice)['id']}", {"is_archived": value})
    assert [pointer for pointer, _ in pointers(answer)] == ["/is_archived"]


def test_new_ones_come_behind_the_others(alice: Person, inbox: dict[str, Any]) -> None:
    first, second = make(alice), make(alice)
    assert inbox["position"] < first["position"] < second["position"]
    assert make(alice, position="zz")["position"] == "zz"
    assert make(alice)["position"] > "zz"


@pytest.mark.parametrize("position", ["", "0", "a0", "A", "a b", "ä", "z" * 51, 5])
def test_a_position_is_a_fractional_index(alice: Person, position: Any) -> None:
    answer = alice.api.post("/projects", {"name": "x", "position": position})
    assert [pointer for pointer, _ in pointers(answer)] == ["/position"]


def test_no_project_holds_itself(alice: Person) -> None:
    top = make(alice)
    middle = make(alice, parent_id=top["id"])
    bottom = make(alice, parent_id=middle["id"])
    for below in (top, middle, bottom):
        answer = alice.api.patch(f"/projects/{top['id']}", {"parent_id": below["id"]})
        assert pointers(answer) == [("/parent_id", "cycle")]


def test_projects_nest_ten_deep(alice: Person) -> None:
    chain = [make(alice)]
    for _ in range(9):
        chain.append(make(alice, parent_id=chain[-1]["id"]))
    answer = alice.api.post("/projects", {"name": "eleventh", "parent_id": chain[-1]["id"]})
    assert pointers(answer) == [("/parent_id", "nested_too_deeply")]
    above = make(alice)
    answer = alice.api.patch(f"/projects/{chain[0]['id']}", {"parent_id": above["id"]})
    assert pointers(answer) == [("/parent_id", "nested_too_deeply")]
    assert alice.api.patch(f"/projects/{chain[1]['id']}", {"parent_id": above["id"]}).status_code == 200


def test_a_parent_is_ones_own_and_alive(alice: Person, bob: Person) -> None:
    trashed = make(alice)
    alice.api.delete(f"/projects/{trashed['id']}")
    child = make(alice)
    for parent_id in (make(bob)["id"], trashed["id"], str(uuid7())):
        made = alice.api.post("/projects", {"name": "x", "parent_id": parent_id})
        assert pointers(made) == [("/parent_id", "not_found")]
        moved = alice.api.patch(f"/projects/{child['id']}", {"parent_id": parent_id})
        assert pointers(moved) == [("/parent_id", "not_found")]


@pytest.mark.parametrize("parent_id", [5, True, "x", "0190a0a0", -1, ["a"]])
def test_a_parent_is_named_by_a_uuid(alice: Person, parent_id: Any) -> None:
    answer = alice.api.post("/projects", {"name": "x", "parent_id": parent_id})
    assert [pointer for pointer, _ in pointers(answer)] == ["/parent_id"]
