"""What labels alone have: a name that is there once."""

from __future__ import annotations

from tests.conftest import Person
from tests.todos.stories import make


def test_a_name_is_there_once_whatever_its_case(alice: Person, bob: Person) -> None:
    home = make(alice, "labels", name="home")
    other = make(alice, "labels", name="other")
    for answer in (
        alice.api.post("/labels", {"name": "Home"}),
        alice.api.patch(f"/labels/{other['id']}", {"name": "HOME"}),
    ):
        assert answer.status_code == 409
        assert answer.json()["type"] == "urn:todo:problem:label_name_taken"
    assert alice.api.patch(f"/labels/{home['id']}", {"name": "Home"}).status_code == 200
    make(bob, "labels", name="home")


def test_a_name_is_at_most_a_hundred_characters(alice: Person) -> None:
    make(alice, "labels", name="x" * 100)
    assert alice.api.post("/labels", {"name": "y" * 101}).status_code == 400


def test_the_name_of_a_trashed_label_is_free(alice: Person) -> None:
    first = make(alice, "labels", name="home")
    alice.api.delete(f"/labels/{first['id']}")
    make(alice, "labels", name="Home")
    answer = alice.api.post(f"/labels/{first['id']}/restore")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:todo:problem:label_name_taken"
