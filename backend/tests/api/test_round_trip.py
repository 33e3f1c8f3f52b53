"""What GET gave can be sent back: fields that only the service sets pass when they are unchanged."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.api.operations import STALE, rows_of
from tests.conftest import Person
from tests.todos.stories import make, pointers, post_task
from todo_project.api.serializers import StrictCharField, StrictSerializer
from todo_project.db.rows import uuid7

OWNED = {
    "tasks": {"id", "created_at", "updated_at", "completed_at", "next_task_id", "uid", "deleted_at"}
    | {"comment_count"},
    "projects": {"id", "is_inbox", "role", "created_at", "updated_at", "deleted_at"},
    "sections": {"id", "created_at", "updated_at", "deleted_at"},
    "labels": {"id", "created_at", "updated_at", "deleted_at"},
    "comments": {"id", "author_id", "created_at", "updated_at", "deleted_at"},
    "tokens": {"id", "prefix", "scopes", "expires_at", "last_used_at", "revoked_at", "is_login"}
    | {"created_at", "updated_at"},
}
OTHER = {
    "id": str(uuid7()),
    "next_task_id": str(uuid7()),
    "author_id": str(uuid7()),
    "comment_count": 7,
    "is_inbox": True,
    "role": "viewer",
    "is_login": True,
    "uid": "another",
    "prefix": "todo_other",
    "scopes": ["read"],
    "updated_at": "2099-01-01T00:00:00Z",  # older ones are accepted
}
KINDS = ("tasks", "projects", "sections", "labels", "comments")
QUERY = {"name": "a", "query": "is:open"}
# the field that a test changes, where it is not `name`
TEXTS = {"tasks": "title", "comments": "text"}


@pytest.fixture
def rows(alice: Person) -> dict[str, str]:
    """One row of each kind, by its path; the task is as full as one can be."""
    ids = rows_of(alice)
    task = post_task(
        alice,
        title="Water",
        project_id=ids["project_id"],
        section_id=ids["section_id"],
        labels=[ids["label_id"]],
        due={"at": "2026-11-30T09:00:00Z", "time_zone": "Europe/Berlin"},
        recurrence={"rule": "FREQ=DAILY", "mode": "schedule"},
        reminders=[{"offset_seconds": -900, "relative_to": "due"}],
    )
    done = alice.api.post(f"/tasks/{task['id']}/complete").json()
    assert done["completed_at"]
    assert done["next_task_id"]
    ids["task_id"] = done["id"]
    return {f"{name.removesuffix('_id')}s": f"/{name.removesuffix('_id')}s/{id_}" for name, id_ in ids.items()}


@pytest.mark.parametrize("kind", OWNED)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_what_get_gave_changes_nothing(alice: Person, rows: dict[str, str], kind: str, method: str) -> None:
    if (kind, method) == ("tokens", "PUT"):
        return  # there is no such operation
    held = alice.api.get(rows[kind])
    answer = alice.api.request(method, rows[kind], held.json(), headers={"If-Match": held["ETag"]})
    assert answer.status_code == 200, answer.content
    assert answer.json() == held.json()
    assert answer["ETag"] == held["ETag"]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("tasks", {"title": "a"}), ("projects", {"name": "a"}), ("filters", QUERY), ("sections", {})],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_position_after_the_longest_that_a_client_may_choose_can_be_sent_back(
    alice: Person, kind: str, fields: dict[str, str], method: str
) -> None:
    if kind == "sections":
        fields = {"name": "a", "project_id": make(alice, "projects", name="Garden")["id"]}
    make(alice, kind, **fields, position="z" * 50)
    row = make(alice, kind, **fields)
    assert len(row["position"]) > 50
    answer = alice.api.request(method, f"/{kind}/{row['id']}", row)
    assert (answer.status_code, answer.json()) == (200, row)
    other = row | {"position": row["position"] + "1"}
    assert pointers(alice.api.request(method, f"/{kind}/{row['id']}", other)) == ["/position"]


def test_a_text_that_is_never_computed_has_no_limit_here() -> None:
    class Seat(StrictSerializer):
        position = StrictCharField()

    assert Seat().sent_back({"position": "in the front row"}) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_within_what_get_gave_is_made(alice: Person, rows: dict[str, str], kind: str) -> None:
    held = alice.api.get(rows[kind]).json()
    name = TEXTS.get(kind, "name")
    for method in ("PUT", "PATCH"):
        answer = alice.api.request(method, rows[kind], alice.api.get(rows[kind]).json() | {name: method})
        assert answer.status_code == 200, answer.content
        changed = {name, "updated_at"}
        assert {key for key, value in answer.json().items() if value != held[key]} == changed


@pytest.mark.parametrize("kind", OWNED)
def test_another_value_is_refused_by_name(alice: Person, rows: dict[str, str], kind: str) -> None:
    held = alice.api.get(rows[kind]).json()
    methods = ("PATCH",) if kind == "tokens" else ("PUT", "PATCH")
    for name, method in itertools.product(sorted(OWNED[kind]), methods):
        other = OTHER.get(name, "2020-01-01T00:00:00Z")
        for wrong in (other, 5, [], {"a": 1}, *([None] if held[name] is not None else [])):
            answer = alice.api.request(method, rows[kind], held | {name: wrong})
            assert pointers(answer) == [f"/{name}"], wrong
            assert answer.json()["errors"][0]["code"] == "read_only"
    assert alice.api.get(rows[kind]).json() == held


@pytest.mark.parametrize("kind", OWNED)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_repeated_request_succeeds_like_the_first(
    alice: Person, rows: dict[str, str], kind: str, method: str
) -> None:
    """It has the `updated_at` from before its first run."""
    if (kind, method) == ("tokens", "PUT"):
        return  # there is no such operation
    body = alice.api.get(rows[kind]).json() | {TEXTS.get(kind, "name"): method}
    first, second = (alice.api.request(method, rows[kind], body) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200), second.content
    assert first.json()["updated_at"] > body["updated_at"]
    assert second.json() == first.json()
    assert second["ETag"] == first["ETag"]


def test_every_owned_field_is_known(alice: Person, rows: dict[str, str]) -> None:
    """A new field that only the service sets belongs into OWNED."""
    for kind, owned in OWNED.items():
        path = rows[kind]
        held = alice.api.get(path).json()
        refused = alice.api.patch(path, {name: {"no": "value"} for name in held})
        errors = {each["pointer"][1:]: each["code"] for each in refused.json()["errors"] if each["pointer"]}
        assert {name for name, code in errors.items() if code == "read_only"} == owned


def test_all_that_is_wrong_is_named_at_once(alice: Person, rows: dict[str, str]) -> None:
    held = alice.api.get(rows["tasks"]).json()
    answer = alice.api.put(rows["tasks"], held | {"priority": 9, "uid": "x", "titel": "y"})
    assert pointers(answer) == ["/priority", "/titel", "/uid"]


def test_times_may_have_lost_their_microseconds_or_their_z(alice: Person, rows: dict[str, str]) -> None:
    """A client may hold times with milliseconds, as JavaScript does."""
    held = alice.api.get(rows["labels"]).json()
    assert (
        alice.api.put(rows["labels"], held | {"created_at": _in_milliseconds(held["created_at"])}).status_code
        == 200
    )
    shifted = held["created_at"].replace("Z", "+00:00")
    assert alice.api.put(rows["labels"], held | {"created_at": shifted}).status_code == 200


def _in_milliseconds(time: str) -> str:
    whole, _, fraction = time.removesuffix("Z").partition(".")
    return f"{whole}.{fraction[:3] or '000'}Z"


def test_a_stale_tag_is_reported_before_a_stale_field(alice: Person, rows: dict[str, str]) -> None:
    held = alice.api.get(rows["projects"]).json()
    wrong = held | {"updated_at": "2020-01-01T00:00:00Z"}
    for method in ("PUT", "PATCH"):
        assert alice.api.request(method, rows["projects"], wrong, headers={"If-Match": STALE}).status_code == 412


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_row_takes_only_its_own_id(alice: Person, rows: dict[str, str], kind: str) -> None:
    held = alice.api.get(rows[kind]).json()
    name = TEXTS.get(kind, "name")
    fresh: dict[str, Any] = {name: "Fresh"} | {key: held[key] for key in ("project_id", "task_id") if key in held}
    new = str(uuid7())
    nothing = dict.fromkeys(OWNED[kind] - {"id", "created_at", "updated_at", "is_inbox"})
    assert pointers(alice.api.put(f"/{kind}/{new}", fresh | {"id": str(uuid7())})) == ["/id"]
    assert pointers(alice.api.put(f"/{kind}/{new}", fresh | {"created_at": held["created_at"]})) == ["/created_at"]
    assert alice.api.put(f"/{kind}/{new}", fresh | nothing | {"id": new}).status_code == 201
    assert pointers(alice.api.post(f"/{kind}", fresh | {"id": str(uuid7())})) == ["/id"]


def test_one_that_does_not_exist_or_is_in_the_trash_is_refused_for_that(
    alice: Person, rows: dict[str, str]
) -> None:
    held = alice.api.get(rows["labels"]).json()
    assert alice.api.patch(f"/labels/{uuid7()}", held).status_code == 404
    alice.api.delete(rows["labels"])
    (trashed,) = alice.api.get("/labels?include_deleted=true").json()["results"]
    assert alice.api.put(rows["labels"], trashed).status_code == 409
    assert alice.api.patch(rows["labels"], trashed).status_code == 404


def test_the_profile_can_be_sent_back(alice: Person) -> None:
    held = alice.api.get("/me").json()
    assert alice.api.patch("/me", held).json() == held
    for name in ("id", "email", "created_at", "updated_at"):
        assert pointers(alice.api.patch("/me", held | {name: "2099-01-01T00:00:00Z"})) == [f"/{name}"]


def test_a_strangers_row_is_not_compared(alice: Person, mallory: Person, rows: dict[str, str]) -> None:
    held = alice.api.get(rows["labels"]).json()
    assert mallory.api.patch(rows["labels"], held | {"deleted_at": None}).status_code == 404
    assert make(mallory, "labels", name="mine")["id"] != held["id"]
