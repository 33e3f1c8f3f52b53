"""A read that looks up its caller's token returns what two statements would, and nothing to anybody else."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.conftest import Api, Person
from tests.todos.stories import make, make_project, post_task
from todo_project.accounts.services import tokens, verification
from todo_project.db.owned import OwnedQuery, Read
from todo_project.db.rows import uuid7
from todo_project.todos.api.serializers.tasks import RESOURCE

pytestmark = pytest.mark.django_db
PAGE: dict[str, Any] = {"limit": 3, "cursor": None, "updated_since": None, "include_deleted": False}


def read_by_token(read: Read, person: Person) -> Read:
    """Look up the user's token with the read."""
    verified = verification.verify(person.token, read)
    assert verified is not None
    user, credentials = verified
    assert user.pk == person.user.pk
    assert credentials.scopes == {"read", "write", "admin"}
    return read


def statements_of(api: Api, path: str) -> list[str]:
    api.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert api.get(path).status_code == 200
    return [query["sql"] for query in captured]


def test_the_rows_are_those_of_the_read_alone(alice: Person, bob: Person) -> None:
    label = make(alice, "labels", name="urgent")["id"]
    made = [post_task(alice, title=str(n), labels=[label], due={"date": "2027-01-01"}) for n in range(5)]
    post_task(bob)
    row_id = made[2]["id"]
    by_time = PAGE | {"updated_since": timezone.now() - dt.timedelta(days=1)}
    alice.api.patch(f"/tasks/{row_id}", {"title": "changed"})
    for make_read in (
        lambda: RESOURCE.page(PAGE),
        lambda: RESOURCE.page(by_time | {"limit": 50}),
        lambda: RESOURCE.page(PAGE | {"label_id": label, "is_completed": False}),
        lambda: RESOURCE.one(row_id),
        lambda: RESOURCE.one(row_id, is_held=True),
    ):
        expected = make_read().rows(alice.user.pk)
        assert expected
        read = read_by_token(make_read(), alice)
        with CaptureQueriesContext(connection) as captured:
            assert read.rows(alice.user.pk) == expected
        assert len(captured) == 0
        assert read_by_token(make_read(), bob).rows(bob.user.pk) == make_read().rows(bob.user.pk)


def test_pages_stay_in_order(alice: Person) -> None:
    ids = [post_task(alice)["id"] for _ in range(6)]
    for row_id in (ids[3], ids[0], ids[5]):
        alice.api.patch(f"/tasks/{row_id}", {"title": "again"})
    by_time = PAGE | {"limit": 50, "updated_since": timezone.now() - dt.timedelta(days=1)}

    assert [str(row[0]) for row in read_by_token(RESOURCE.page(PAGE), alice).rows(alice.user.pk)] == ids[:4]
    changed = [str(row[0]) for row in read_by_token(RESOURCE.page(by_time), alice).rows(alice.user.pk)]
    assert changed == [ids[1], ids[2], ids[4], ids[3], ids[0], ids[5]]


def test_an_empty_read_still_looks_the_token_up(alice: Person) -> None:
    verification.verify(alice.token)  # its first use is noted
    for read in (RESOURCE.page(PAGE), RESOURCE.one(uuid7())):
        with CaptureQueriesContext(connection) as captured:
            assert read_by_token(read, alice).rows(alice.user.pk) == []
        assert len(captured) == 1


@pytest.mark.parametrize("path", ["/tasks", "/labels", "/projects", "/sections", "/tokens"])
def test_a_list_is_one_statement(alice: Person, settings: Any, path: str) -> None:
    settings.REQUESTS_PER_TOKEN = 0  # counting takes one more now and then
    assert len(statements_of(alice.api, path)) == 1
    assert len(statements_of(alice.api, f"{path}?updated_since=2026-01-01T00:00:00Z&limit=2")) == 1


def end(person: Person, how: str) -> None:
    row = person.user.tokens
    moment = timezone.now() - dt.timedelta(seconds=1)
    if how == "inactive":
        type(person.user).objects.filter(pk=person.user.pk).update(is_active=False)
    else:
        row.update(**{how: moment})


@pytest.mark.parametrize("how", ["revoked_at", "expires_at", "inactive"])
def test_a_token_that_ends_stops_at_once(alice: Person, how: str) -> None:
    task = post_task(alice)
    paths = ("/tasks", f"/tasks/{task['id']}", "/tokens")
    held = {"If-None-Match": alice.api.get(paths[1])["ETag"]}
    assert [alice.api.get(path).status_code for path in paths] == [200] * 3

    end(alice, how)

    assert [alice.api.get(path).status_code for path in paths] == [401] * 3
    assert alice.api.get(paths[1], headers=held).status_code == 401
    assert alice.api.post(f"{paths[1]}/complete").status_code == 401


def test_a_token_without_the_scope_sees_nothing(alice: Person) -> None:
    task = post_task(alice, title="between us")
    given = {"user": alice.user, "name": "", "expires_at": None, "now": timezone.now()}
    writer, reader = (Api(tokens.create_token(scopes=[scope], **given).token) for scope in ("write", "read"))

    for path in ("/tasks", f"/tasks/{task['id']}"):
        refused = writer.get(path)
        assert refused.status_code == 403
        assert b"between us" not in refused.content
    assert reader.post(f"/tasks/{task['id']}/complete").status_code == 403
    assert alice.api.get(f"/tasks/{task['id']}").json()["completed_at"] is None


def test_a_wrong_query_is_reported_to_authenticated_callers_only(alice: Person) -> None:
    for query in (
        "limit=0",
        "nonsense=1",
        "cursor=x",
        "limit=1&limit=2",
        "cursor=x&updated_since=2026-01-01T00:00:00Z",
    ):
        assert Api("todo_" + "x" * 43).get(f"/tasks?{query}").status_code == 401
        assert alice.api.get(f"/tasks?{query}").status_code == 400


@pytest.mark.parametrize("method", ["READ", "USER", "OWNER_ID", "QUERY", "OPTIONS"])
def test_a_method_is_none_of_the_views_own_names(alice: Person, method: str) -> None:
    assert Api("x").request(method, "/tasks").status_code == 401
    assert alice.api.request(method, "/tasks").status_code == 405


def test_what_a_client_holds_is_compared_by_its_version(alice: Person) -> None:
    task = post_task(alice, title="Milk")
    path = f"/tasks/{task['id']}"
    old = alice.api.get(path)["ETag"]
    assert alice.api.get(path, headers={"If-None-Match": old}).status_code == 304
    assert alice.api.get(path, headers={"If-None-Match": "*"}).status_code == 304

    alice.api.patch(path, {"title": "Bread"})

    again = alice.api.get(path, headers={"If-None-Match": old})
    assert (again.status_code, again.json()["title"]) == (200, "Bread")
    assert alice.api.get(path, headers={"If-None-Match": f'"x", {again["ETag"]}'}).status_code == 304
    assert alice.api.get(f"/tasks/{uuid7()}", headers={"If-None-Match": old}).status_code == 404


def test_the_caller_is_a_whole_user_when_somebody_looks(alice: Person) -> None:
    read = RESOURCE.page(PAGE)
    verified = verification.verify(alice.token, read)
    assert verified is not None
    assert (verified[0].email, verified[0].time_zone) == (alice.user.email, alice.user.time_zone)


def test_a_projects_read_goes_the_same_way(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    assert alice.api.get(f"/projects/{project['id']}").status_code == 200
    assert bob.api.get(f"/projects/{project['id']}").status_code == 404


def test_a_read_cannot_have_parameters_of_the_tokens_query() -> None:
    query = OwnedQuery(lambda **given: None, {"digest": models.CharField()})
    with pytest.raises(LookupError, match="digest"):
        query.by_token(verification.TOKEN)
