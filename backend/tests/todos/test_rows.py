"""What projects, sections, labels and saved filters have in common."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import time_machine

from tests.conftest import Person
from todo_project.db.rows import uuid7

KINDS = ("projects", "sections", "labels", "filters")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """One kind after the other."""
    return str(request.param)


@pytest.fixture
def body(kind: str) -> Callable[..., dict[str, Any]]:
    """Give what makes one of the kind for a person; every call another name."""
    made = iter(range(1000))

    def give(who: Person, **values: Any) -> dict[str, Any]:
        fields = {"name": f"Number {next(made)}", **values}
        more = {"sections": lambda: {"project_id": inbox(who)}, "filters": lambda: {"query": "is:open"}}
        return (more[kind]() if kind in more else {}) | fields

    return give


def inbox(who: Person) -> str:
    """Give the id of the person's Inbox."""
    return next(each["id"] for each in who.api.get("/projects").json()["results"] if each["is_inbox"])


def make(who: Person, kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """Make one and give it."""
    answer = who.api.post(f"/{kind}", values)
    assert answer.status_code == 201, answer.content
    return answer.json()  # type: ignore[no-any-return]


def test_a_new_one_is_answered_with_its_location_and_tag(alice: Person, kind: str, body: Any) -> None:
    answer = alice.api.post(f"/{kind}", body(alice, name="  Garden  "))
    assert answer.status_code == 201
    made = answer.json()
    assert made["name"] == "Garden"
    assert made["deleted_at"] is None
    assert made["created_at"].endswith("Z")
    assert answer["Location"] == f"/api/v1/{kind}/{made['id']}"
    again = alice.api.get(answer["Location"])
    assert again.json() == made
    assert again["ETag"] == answer["ETag"]
    assert uuid.UUID(made["id"]).version == 7


def test_one_that_the_client_holds_is_not_sent_again(alice: Person, kind: str, body: Any) -> None:
    made = alice.api.post(f"/{kind}", body(alice))
    path, tag = made["Location"], made["ETag"]
    assert alice.api.get(path, headers={"If-None-Match": tag}).status_code == 304
    alice.api.patch(path, {"name": "Other"})
    assert alice.api.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_a_list_that_the_client_holds_is_not_sent_again(alice: Person, kind: str, body: Any) -> None:
    listed = alice.api.get(f"/{kind}")
    assert alice.api.get(f"/{kind}", headers={"If-None-Match": listed["ETag"]}).status_code == 304
    make(alice, kind, body(alice))
    assert alice.api.get(f"/{kind}", headers={"If-None-Match": listed["ETag"]}).status_code == 200


def test_a_stale_write_is_refused_and_changes_nothing(alice: Person, kind: str, body: Any) -> None:
    made = alice.api.post(f"/{kind}", body(alice))
    path, tag = made["Location"], made["ETag"]
    assert alice.api.patch(path, {"name": "Mine"}, headers={"If-Match": tag}).status_code == 200
    assert alice.api.patch(path, {"name": "Late"}, headers={"If-Match": tag}).status_code == 412
    assert alice.api.delete(path, headers={"If-Match": tag}).status_code == 412
    assert alice.api.get(path).json()["name"] == "Mine"


def test_a_patch_that_changes_nothing_makes_no_version(alice: Person, kind: str, body: Any) -> None:
    made = alice.api.post(f"/{kind}", body(alice))
    answer = alice.api.patch(made["Location"], {"name": made.json()["name"]})
    assert answer["ETag"] == made["ETag"]
    assert answer.json() == made.json()


def test_a_merge_patch_may_say_what_it_is(alice: Person, kind: str, body: Any) -> None:
    path = alice.api.post(f"/{kind}", body(alice))["Location"]
    answer = alice.api.patch(path, {"name": "Patched"}, content_type="application/merge-patch+json")
    assert answer.json()["name"] == "Patched"


def test_put_makes_one_with_the_clients_id_once(alice: Person, kind: str, body: Any) -> None:
    path, values = f"/{kind}/{uuid7()}", body(alice)
    first = alice.api.put(path, values)
    assert first.status_code == 201
    assert first["Location"] == f"/api/v1{path}"
    again = alice.api.put(path, values)
    assert again.status_code == 200
    assert again.json() == first.json()
    assert again["ETag"] == first["ETag"]


def test_put_replaces_all_but_the_place_among_others(alice: Person, kind: str, body: Any) -> None:
    path = f"/{kind}/{uuid7()}"
    extra = {"sections": {}, "filters": {"is_pinned": True}}.get(kind, {"color": "#ff0000"})
    first = alice.api.put(path, body(alice, **extra)).json()
    answer = alice.api.put(path, body(alice, name="Other"))
    assert answer.status_code == 200
    assert answer.json()["name"] == "Other"
    assert not answer.json().get("color")
    assert not answer.json().get("is_pinned")
    assert answer.json().get("position") == first.get("position")


def test_put_obeys_its_preconditions(alice: Person, kind: str, body: Any) -> None:
    path, values = f"/{kind}/{uuid7()}", body(alice)
    assert alice.api.put(path, values, headers={"If-Match": '"1-abc"'}).status_code == 412
    assert alice.api.put(path, values, headers={"If-Match": "*"}).status_code == 412
    assert alice.api.get(path).status_code == 404
    made = alice.api.put(path, values, headers={"If-None-Match": "*"})
    assert made.status_code == 201
    assert alice.api.put(path, values, headers={"If-None-Match": "*"}).status_code == 412
    assert alice.api.put(path, values | {"name": "x"}, headers={"If-Match": made["ETag"]}).status_code == 200
    assert alice.api.put(path, values | {"name": "y"}, headers={"If-Match": made["ETag"]}).status_code == 412


def test_put_takes_only_uuid7(alice: Person, kind: str, body: Any) -> None:
    answer = alice.api.put(f"/{kind}/{uuid.uuid4()}", body(alice))
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/id"]


def test_put_does_not_bring_back_what_is_in_the_trash(alice: Person, kind: str, body: Any) -> None:
    path, values = f"/{kind}/{uuid7()}", body(alice)
    alice.api.put(path, values)
    alice.api.delete(path)
    assert alice.api.put(path, values).json()["type"] == "urn:todo:problem:is_trashed"


def test_put_of_anothers_id_finds_nothing(alice: Person, mallory: Person, kind: str, body: Any) -> None:
    path = f"/{kind}/{uuid7()}"
    alice.api.put(path, body(alice))
    assert mallory.api.put(path, body(mallory)).status_code == 404


def test_a_repeated_post_makes_one(alice: Person, kind: str, body: Any) -> None:
    values = body(alice)
    first = alice.api.post(f"/{kind}", values, headers={"Idempotency-Key": "k1"})
    again = alice.api.post(f"/{kind}", values, headers={"Idempotency-Key": "k1"})
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"


def test_every_fault_is_named_at_once(alice: Person, kind: str) -> None:
    answer = alice.api.post(f"/{kind}", {"name": 5, "colour": "red", "project_id": 1, "parent_id": True})
    assert answer.status_code == 400
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert {"/name", "/colour"} <= pointers
    assert len(pointers) >= 3


@pytest.mark.parametrize("name", ["", "   ", None, 7, True, ["a"], {"a": 1}, "a\x00b", "x" * 201])
def test_a_name_is_some_text(alice: Person, kind: str, body: Any, name: Any) -> None:
    answer = alice.api.post(f"/{kind}", body(alice) | {"name": name})
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/name"]


@pytest.mark.parametrize("raw", [b'{"name": "\\ud800"}', b"[]", b'"x"', b"null", b"{", b"", b"\xff"])
def test_a_body_is_a_json_object(alice: Person, kind: str, raw: bytes) -> None:
    answer = alice.api.request("POST", f"/{kind}", data=raw, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_unknown_query_parameters_are_named(alice: Person, kind: str) -> None:
    answer = alice.api.get(f"/{kind}?colour=red&limit=0&updated_since=yesterday")
    assert answer.status_code == 400
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/colour", "/limit", "/updated_since"}


def test_pages_follow_each_other_while_rows_are_added(alice: Person, kind: str, body: Any) -> None:
    made = [make(alice, kind, body(alice))["id"] for _ in range(5)]
    seen, cursor = [], ""
    while True:
        page = alice.api.get(f"/{kind}?limit=2{cursor}").json()
        assert len(page["results"]) <= 2
        seen += [each["id"] for each in page["results"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
        if len(seen) < 5:
            make(alice, kind, body(alice))
    assert seen == sorted(seen)
    assert len(set(seen)) == len(seen)
    assert set(made) <= set(seen)


def test_a_cursor_of_another_list_is_refused(alice: Person, kind: str) -> None:
    for cursor in ("x", "bm8", "%00", "a" * 501):
        assert alice.api.get(f"/{kind}?cursor={cursor}").status_code == 400


def test_changes_are_listed_by_time_with_what_was_deleted(alice: Person, kind: str, body: Any) -> None:
    with time_machine.travel(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), tick=False) as clock:
        first, second, third = (make(alice, kind, body(alice))["id"] for _ in range(3))
        clock.shift(60)
        alice.api.patch(f"/{kind}/{second}", {"name": "New"})
        clock.shift(60)
        alice.api.delete(f"/{kind}/{first}")
    query = f"/{kind}?updated_since=2026-01-01T00:00:30Z&include_deleted=true&limit=1"
    page = alice.api.get(query).json()
    assert [each["id"] for each in page["results"]] == [second]
    rest = alice.api.get(f"{query}&cursor={page['next_cursor']}").json()
    assert [each["id"] for each in rest["results"]][:1] == [first]
    assert rest["results"][0]["deleted_at"] == "2026-01-01T00:02:00Z"
    assert third not in {each["id"] for each in page["results"] + rest["results"]}
    without = alice.api.get(f"/{kind}?updated_since=2026-01-01T00:00:30Z").json()["results"]
    assert first not in {each["id"] for each in without}


def test_deleting_again_is_fine_and_what_never_was_is_not_found(alice: Person, kind: str, body: Any) -> None:
    answer = alice.api.post(f"/{kind}", body(alice))
    path = answer["Location"]
    assert alice.api.delete(path, headers={"If-Match": answer["ETag"]}).status_code == 204
    assert alice.api.delete(path, headers={"If-Match": answer["ETag"]}).status_code == 204
    assert alice.api.get(path).status_code == 404
    assert alice.api.patch(path, {"name": "x"}).status_code == 404
    assert alice.api.delete(f"/{kind}/{uuid7()}").status_code == 404


def test_restoring_brings_it_back_and_again_changes_nothing(alice: Person, kind: str, body: Any) -> None:
    made = alice.api.post(f"/{kind}", body(alice))
    path = made["Location"]
    alice.api.delete(path)
    back = alice.api.post(f"{path}/restore")
    assert back.status_code == 200
    assert back.json()["deleted_at"] is None
    assert back["ETag"] != made["ETag"]
    assert alice.api.post(f"{path}/restore")["ETag"] == back["ETag"]
    assert alice.api.get(path).json() == back.json()
    assert alice.api.post(f"/{kind}/{uuid7()}/restore").status_code == 404


def test_a_stranger_finds_nothing(alice: Person, mallory: Person, kind: str, body: Any) -> None:
    path = alice.api.post(f"/{kind}", body(alice))["Location"]
    assert mallory.api.get(path).status_code == 404
    assert mallory.api.patch(path, {"name": "x"}).status_code == 404
    assert mallory.api.delete(path).status_code == 404
    assert mallory.api.post(f"{path}/restore").status_code == 404
    listed = mallory.api.get(f"/{kind}?include_deleted=true").json()["results"]
    assert path.rpartition("/")[2] not in {each["id"] for each in listed}


def test_a_token_that_may_only_read_writes_nothing(person: Any, kind: str) -> None:
    reader = person("carol", scopes=("read",))
    assert reader.api.get(f"/{kind}").status_code == 200
    assert reader.api.post(f"/{kind}", {"name": "x"}).status_code == 403


@pytest.mark.parametrize("row_id", ["1", "x", "0190A0A0-0000-7000-8000-000000000000"])
def test_what_is_no_id_is_not_found(alice: Person, kind: str, row_id: str) -> None:
    assert alice.api.get(f"/{kind}/{row_id}").status_code == 404
