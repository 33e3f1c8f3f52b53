"""People see and change themselves."""

from __future__ import annotations

import pytest

from tests.conftest import Api, Person


def test_gives_the_account(alice: Person):
    body = alice.api.get("/me").json()
    assert (body["id"], body["email"], body["name"]) == (str(alice.user.pk), "alice@example.org", "Alice")


def test_a_change_gives_a_new_tag_and_leaves_the_rest(alice: Person):
    before = alice.api.get("/me")
    after = alice.api.patch("/me", {"time_zone": "Asia/Shanghai"}, content_type="application/merge-patch+json")
    assert after.status_code == 200
    assert after.json()["time_zone"] == "Asia/Shanghai"
    assert after.json()["name"] == "Alice"
    assert after["ETag"] != before["ETag"]
    assert alice.api.get("/me")["ETag"] == after["ETag"]


def test_what_the_client_holds_is_not_sent_again(alice: Person):
    tag = alice.api.get("/me")["ETag"]
    answer = alice.api.get("/me", headers={"If-None-Match": f'"other", W/{tag}'})
    assert answer.status_code == 304
    assert answer.content == b""
    assert answer["ETag"] == tag


def test_two_people_never_share_a_tag(alice: Person, bob: Person):
    tag = alice.api.get("/me")["ETag"]
    assert bob.api.get("/me", headers={"If-None-Match": tag}).status_code == 200


def test_a_stale_write_is_refused(alice: Person):
    tag = alice.api.get("/me")["ETag"]
    assert alice.api.patch("/me", {"name": "A"}, headers={"If-Match": tag}).status_code == 200
    assert alice.api.patch("/me", {"name": "B"}, headers={"If-Match": tag}).status_code == 412
    assert alice.api.get("/me").json()["name"] == "A"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "a\0"}, "/name"),
        ({"name": None}, "/name"),
        ({"name": True}, "/name"),
        ({"time_zone": ""}, "/time_zone"),
        ({"time_zone": 3}, "/time_zone"),
        ({"email": "x@example.org"}, "/email"),
        ([], ""),
        ('"name"', ""),
    ],
)
def test_what_cannot_be_used_is_named(alice: Person, change, pointer: str):
    answer = alice.api.patch("/me", change)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_reading_needs_read_and_changing_needs_admin(person):
    reader = person("dave", scopes=["read"])
    assert reader.api.get("/me").status_code == 200
    assert reader.api.patch("/me", {"name": "x"}).status_code == 403
    assert person("erin", scopes=["write"]).api.get("/me").status_code == 403


def test_nobody_is_nobody(anonymous: Api):
    answer = anonymous.get("/me")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer["Content-Type"] == "application/problem+json"
