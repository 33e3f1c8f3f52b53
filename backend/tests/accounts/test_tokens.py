"""Tokens work until they expire or are revoked."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from tests.conftest import PASSWORD, Person
from todo_project.accounts import tasks
from todo_project.accounts.models import ApiToken, User
from todo_project.accounts.services import sessions, tokens, verification

HOUR = dt.timedelta(hours=1)


def test_verify_gives_the_user_and_the_scopes_in_one_query(alice: Person, django_assert_num_queries):
    verification.verify(alice.token)
    with django_assert_num_queries(1):
        verified = verification.verify(alice.token)
        assert verified is not None
        user, credentials = verified
        assert (user.pk, user.email, user.name) == (alice.user.pk, "alice@example.org", "Alice")
        assert (user.version, user.time_zone, user.is_active) == (1, "UTC", True)
        assert isinstance(user, User)
        assert user.created_at == alice.user.created_at
    assert credentials.scopes == {"read", "write", "admin"}
    assert user.check_password(PASSWORD)  # deferred, so it is loaded when asked for


def test_only_the_digest_is_kept(alice: Person):
    row = ApiToken.objects.get(user=alice.user)
    assert alice.token.startswith("todo_")
    assert alice.token.startswith(row.prefix)
    assert len(row.prefix) < 16
    assert not any(alice.token in str(value) for value in ApiToken.objects.values_list()[0])


@pytest.mark.parametrize(
    "garbage",
    ["", "todo_", "x" * 48, "todo_" + "x" * 43, "todo_" + "x" * 100_000, "todo_" + "é" * 43, "todo_" + "\0" * 43],
)
def test_garbage_opens_nothing(db, garbage: str):
    assert verification.verify(garbage) is None


def test_an_expired_token_opens_nothing(alice: Person):
    now = timezone.now()
    new = tokens.create_token(user=alice.user, name="t", scopes=["read"], expires_at=now + HOUR, now=now)
    assert verification.verify(new.token)
    ApiToken.objects.filter(pk=new.row.pk).update(expires_at=now)
    assert verification.verify(new.token) is None


def test_a_token_is_over_at_the_instant_at_which_it_expires(alice: Person):
    now = timezone.now()
    row = tokens.create_token(user=alice.user, name="t", scopes=["read"], expires_at=now + HOUR, now=now).row
    usable = [ApiToken.objects.usable_at(at).filter(pk=row.pk).exists() for at in (now, row.expires_at)]
    assert usable == [True, False]


def test_a_revoked_token_opens_nothing(alice: Person):
    row = ApiToken.objects.get(user=alice.user)
    tokens.revoke_token(user_id=alice.user.pk, token_id=row.pk, now=timezone.now())
    assert verification.verify(alice.token) is None


def test_an_inactive_user_has_no_working_token(alice: Person):
    User.objects.filter(pk=alice.user.pk).update(is_active=False)
    assert verification.verify(alice.token) is None


def test_use_is_noted_once_an_hour(alice: Person):
    assert verification.verify(alice.token)
    first = ApiToken.objects.get(user=alice.user)
    assert first.last_used_at is not None
    verification.verify(alice.token)
    assert ApiToken.objects.get(user=alice.user).last_used_at == first.last_used_at
    ApiToken.objects.filter(user=alice.user).update(last_used_at=first.last_used_at - HOUR)
    verification.verify(alice.token)
    again = ApiToken.objects.get(user=alice.user)
    assert again.last_used_at is not None
    assert again.last_used_at >= first.last_used_at
    assert again.version == first.version + 1  # the answer changed, so its tag did


def test_what_is_long_over_is_purged_and_nothing_else(alice: Person, settings):
    now = timezone.now()
    days = dt.timedelta(days=settings.TRASH_RETENTION_DAYS + 1)
    for name, expires_at, revoked_at in [
        ("expired long ago", now - days, None),
        ("revoked long ago", None, now - days),
        ("expired", now - HOUR, None),
        ("revoked", None, now - HOUR),
        ("lasting", None, None),
    ]:
        new = tokens.create_token(user=alice.user, name=name, scopes=["read"], expires_at=None, now=now)
        ApiToken.objects.filter(pk=new.row.pk).update(expires_at=expires_at, revoked_at=revoked_at)
    tasks.purge_expired()
    left = set(ApiToken.objects.values_list("name", flat=True))
    assert left == {"tests", "expired", "revoked", "lasting"}


class TestNoTokenIsMadeBehindAChangeOfPassword:
    """Whoever asks was let in a moment ago; the change came between."""

    def make(self, alice: Person, **asked_with) -> None:
        now = timezone.now()
        tokens.create_token(user=alice.user, name="x", scopes=["read"], expires_at=None, now=now, **asked_with)

    def held(self, alice: Person) -> tokens.TokenCredentials:
        return verification.verify(alice.token)[1]

    def test_by_a_token_that_was_revoked(self, alice: Person):
        held = self.held(alice)
        tokens.revoke_all(user_id=alice.user.pk, now=timezone.now())

        with pytest.raises(tokens.CredentialsEnded):
            self.make(alice, held=held)
        assert ApiToken.objects.count() == 1

    def test_by_a_session_of_the_old_password(self, alice: Person):
        User.objects.filter(pk=alice.user.pk).update(password="another")

        with pytest.raises(tokens.CredentialsEnded):
            self.make(alice)

    def test_but_by_what_still_stands(self, alice: Person):
        self.make(alice)
        self.make(alice, held=self.held(alice))
        assert ApiToken.objects.count() == 3


def test_sessions_that_are_over_are_purged(db):
    now = timezone.now()
    for key, expire_date in (("over", now - HOUR), ("open", now + HOUR)):
        Session.objects.create(session_key=key, expire_date=expire_date)
    tasks.purge_expired()
    assert [session.session_key for session in Session.objects.all()] == ["open"]


class TestApi:
    def test_a_token_is_made_shown_once_and_works(self, alice: Person, client):
        made = alice.api.post("/tokens", {"name": "cli", "scopes": ["read"], "expires_at": None})
        assert made.status_code == 201
        body = made.json()
        assert body["token"].startswith("todo_")
        assert body["scopes"] == ["read"]
        assert made["Location"] == f"/api/v1/tokens/{body['id']}"
        assert made["Cache-Control"] == "no-store"
        shown = alice.api.get(f"/tokens/{body['id']}")
        assert "token" not in shown.json()
        assert made["ETag"] == shown["ETag"]
        answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {body['token']}"})
        assert answer.status_code == 200

    def test_the_list_has_pages(self, alice: Person):
        for number in range(3):
            alice.api.post("/tokens", {"name": f"t{number}", "scopes": ["read"]})
        first = alice.api.get("/tokens?limit=3").json()
        assert [token["name"] for token in first["results"]] == ["tests", "t0", "t1"]
        second = alice.api.get(f"/tokens?limit=3&cursor={first['next_cursor']}").json()
        assert [token["name"] for token in second["results"]] == ["t2"]
        assert second["next_cursor"] is None

    def test_a_token_without_admin_may_not_see_tokens(self, person):
        dave = person("dave", scopes=["read", "write"])
        answer = dave.api.get("/tokens")
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:todo:problem:insufficient_scope"

    def test_a_token_gives_no_more_than_it_has(self, person):
        dave = person("dave", scopes=["admin", "read"])
        assert dave.api.post("/tokens", {"name": "x", "scopes": ["read"]}).status_code == 201
        answer = dave.api.post("/tokens", {"name": "x", "scopes": ["read", "write"]})
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:todo:problem:scope_not_held"

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
            ({"expires_at": "2999-01-01T00:00:00"}, "/expires_at"),
            ({"expires_at": "9999-12-31T23:59:59-14:00"}, "/expires_at"),
            ({"expires_at": 4}, "/expires_at"),
            ({"scopes": []}, "/scopes"),
            ({"scopes": ["root"]}, "/scopes/0"),
            ({"scopes": "read"}, "/scopes"),
            ({"scopes": [{"a": 1}]}, "/scopes/0"),
            ({"scopes": [["read"]]}, "/scopes/0"),
            ({"scopes": ["read"] * 4}, "/scopes"),
            ({"name": "a\0b"}, "/name"),
            ({"name": ""}, "/name"),
            ({"name": None}, "/name"),
            ({"name": "x" * 201}, "/name"),
            ({"colour": "red"}, "/colour"),
        ],
    )
    def test_what_cannot_be_used_is_named(self, alice: Person, change, pointer: str):
        answer = alice.api.post("/tokens", {"name": "x", "scopes": ["read"], **change})
        assert answer.status_code == 400, answer.content
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]

    def test_a_revoked_token_stops_at_once(self, alice: Person, client):
        body = alice.api.post("/tokens", {"name": "x", "scopes": ["read"]}).json()
        assert alice.api.delete(f"/tokens/{body['id']}").status_code == 204
        assert alice.api.delete(f"/tokens/{body['id']}").status_code == 204
        answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {body['token']}"})
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
        assert alice.api.get(f"/tokens/{body['id']}").status_code == 404
        assert alice.api.patch(f"/tokens/{body['id']}", {"name": "y"}).status_code == 404
        assert body["id"] not in {token["id"] for token in alice.api.get("/tokens").json()["results"]}
        every = alice.api.get("/tokens?include_deleted=true").json()["results"]
        assert next(token for token in every if token["id"] == body["id"])["revoked_at"]

    def test_a_stranger_finds_nothing(self, alice: Person, mallory: Person):
        token_id = alice.api.get("/tokens").json()["results"][0]["id"]
        for method in ("get", "delete"):
            assert getattr(mallory.api, method)(f"/tokens/{token_id}").status_code == 404
        assert mallory.api.patch(f"/tokens/{token_id}", {"name": "mine"}).status_code == 404
        assert verification.verify(alice.token)

    def test_a_name_can_be_changed_by_who_has_read_it(self, alice: Person):
        made = alice.api.post("/tokens", {"name": "x", "scopes": ["read"]})
        path = f"/tokens/{made.json()['id']}"
        changed = alice.api.patch(path, {"name": "y"}, headers={"If-Match": made["ETag"]})
        assert changed.status_code == 200
        assert changed.json()["name"] == "y"
        assert changed["ETag"] != made["ETag"]
        stale = alice.api.patch(path, {"name": "z"}, headers={"If-Match": made["ETag"]})
        assert stale.status_code == 412
        assert stale.json()["type"] == "urn:todo:problem:stale_version"
        assert alice.api.delete(path, headers={"If-Match": made["ETag"]}).status_code == 412
        assert alice.api.get(path, headers={"If-None-Match": changed["ETag"]}).status_code == 304

    def test_a_repeated_request_makes_one_token_and_keeps_no_secret(self, alice: Person):
        headers = {"Idempotency-Key": "k1"}
        first = alice.api.post("/tokens", {"name": "x", "scopes": ["read"]}, headers=headers)
        second = alice.api.post("/tokens", {"name": "x", "scopes": ["read"]}, headers=headers)
        assert first.status_code == second.status_code == 201
        assert second["Idempotency-Replayed"] == "true"
        assert second.json() == {**first.json(), "token": None}
        assert ApiToken.objects.filter(name="x").count() == 1


class TestNumber:
    def test_an_account_has_so_many_tokens(self, alice: Person, settings):
        settings.TOKENS_PER_ACCOUNT = 3
        body = {"name": "one more", "scopes": ["read"], "expires_at": None}
        answers = [alice.api.post("/tokens", body) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 409]
        assert answers[-1].json()["type"] == "urn:todo:problem:too_many_tokens"
        assert "Revoke one" in answers[-1].json()["detail"]
        assert alice.api.delete(f"/tokens/{answers[0].json()['id']}").status_code == 204
        assert alice.api.post("/tokens", body).status_code == 201

    def test_expired_ones_do_not_count(self, alice: Person, settings):
        settings.TOKENS_PER_ACCOUNT = 2
        now = timezone.now()
        given = {"user": alice.user, "name": "", "scopes": ["read"]}
        tokens.create_token(**given, expires_at=now - HOUR, now=now - 2 * HOUR)
        tokens.create_token(**given, expires_at=None, now=now)
        with pytest.raises(tokens.TooManyTokens):
            tokens.create_token(**given, expires_at=None, now=now)

    def test_one_login_too_many_ends_the_oldest_and_no_token(self, alice: Person, settings):
        settings.TOKENS_PER_ACCOUNT = 2
        logins = [sessions.log_in(user=alice.user, now=timezone.now()).token for _ in range(3)]
        assert [verification.verify(token) is not None for token in logins] == [False, True, True]
        assert verification.verify(alice.token) is not None
