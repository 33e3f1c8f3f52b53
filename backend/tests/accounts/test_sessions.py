"""Logging in and out: with a token, and as a browser with a session."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.contrib.auth.hashers import get_hasher, identify_hasher
from django.test import Client
from django.utils import timezone

from tests.conftest import PASSWORD, Api, Person
from todo_project.accounts.models import ApiToken, KnownAddress, User
from todo_project.accounts.services import limits, sessions
from todo_project.api.models import RateCounter

NEW = "a much better passphrase"


def login(api: Api, password: str = PASSWORD, email: str = "alice@example.org", **more):
    return api.post("/auth/login", {"email": email, "password": password, **more})


def test_a_login_that_a_change_of_password_overtakes_gives_no_token(alice: Person):
    user = sessions.authenticate(
        email="alice@example.org", password=PASSWORD, network="127.0.0.1", now=timezone.now()
    )
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert alice.api.post("/auth/password", body).status_code == 204
    with pytest.raises(sessions.CredentialsRefused):
        sessions.log_in(user=user, now=timezone.now())
    assert ApiToken.objects.filter(is_login=True).count() == 0


def login_from(address: str, password: str = PASSWORD) -> int:
    """Log alice in from an address; return the status."""
    body = {"email": "alice@example.org", "password": password}
    return Client(REMOTE_ADDR=address).post("/api/v1/auth/login", body, "application/json").status_code


class Browser:
    """A client with cookies that enforces CSRF, as a browser meets it."""

    def __init__(self, password: str = PASSWORD) -> None:
        self.client = Client(enforce_csrf_checks=True)
        answer = self.post("/auth/login", {"email": "alice@example.org", "password": password, "session": True})
        assert answer.status_code == 200, answer.content
        self.login = answer
        self.csrf = answer.json()["csrf_token"]

    def get(self, path: str):
        return self.client.get(f"/api/v1{path}")

    def post(self, path: str, data, csrf: str | None = None, method: str = "post"):
        headers = {"X-CSRFToken": csrf} if csrf else {}
        return getattr(self.client, method)(f"/api/v1{path}", data, "application/json", headers=headers)


class TestTokenLogin:
    def test_gives_a_token_that_works(self, alice: Person, anonymous: Api, settings):
        before = timezone.now()
        answer = login(anonymous)
        assert answer.status_code == 200
        body = answer.json()
        assert set(body) == {"token", "expires_at", "user"}
        assert body["user"]["email"] == "alice@example.org"
        assert body["user"]["id"] == str(alice.user.pk)
        assert "password" not in body["user"]
        assert answer["Cache-Control"] == "no-store"
        lasts = dt.datetime.fromisoformat(body["expires_at"]) - before
        assert abs(lasts - dt.timedelta(days=settings.LOGIN_TOKEN_DAYS)) < dt.timedelta(minutes=1)
        assert Api(body["token"]).get("/tokens").status_code == 200  # every scope
        assert not answer.cookies
        assert User.objects.get(pk=alice.user.pk).last_login is not None

    def test_finds_the_account_whatever_the_case_of_the_address(self, alice: Person, anonymous: Api):
        assert login(anonymous, email=" Alice@EXAMPLE.org ").status_code == 200

    def test_one_answer_stands_for_every_refusal(self, alice: Person, bob: Person, anonymous: Api):
        User.objects.filter(pk=bob.user.pk).update(is_active=False)
        answers = [
            login(anonymous, password="wrong password"),
            login(anonymous, email="nobody@example.org"),
            login(anonymous, email="not an address"),
            login(anonymous, email="bob@example.org"),
        ]
        bodies = [{**answer.json(), "request_id": ""} for answer in answers]
        assert {answer.status_code for answer in answers} == {401}
        assert all(body == bodies[0] for body in bodies)
        assert bodies[0]["type"] == "urn:todo:problem:credentials_refused"
        assert "WWW-Authenticate" in answers[0]

    def test_an_unknown_account_costs_one_hash_like_a_known_one(self, alice: Person, anonymous: Api, monkeypatch):
        hasher = get_hasher()
        hashed = []
        monkeypatch.setattr(type(hasher), "encode", _counting(hashed, type(hasher).encode))
        login(anonymous, password="wrong password")
        known = len(hashed)
        login(anonymous, email="nobody@example.org")
        assert len(hashed) - known == known == 1

    def test_logging_out_ends_that_token_alone(self, alice: Person, anonymous: Api):
        api = Api(login(anonymous).json()["token"])
        assert api.post("/auth/logout").status_code == 204
        assert api.get("/me").status_code == 401
        assert alice.api.get("/me").status_code == 200

    def test_any_token_may_log_itself_out(self, person):
        assert person("dave", scopes=["read"]).api.post("/auth/logout").status_code == 204

    def test_a_stale_token_in_the_request_does_not_stand_in_the_way(self, alice: Person):
        assert login(Api("todo_stale")).status_code == 200

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"email": "a@example.org"}, "/password"),
            ({"email": "a@example.org", "password": ""}, "/password"),
            ({"email": "a@example.org", "password": "x" * 1001}, "/password"),
            ({"email": "a@example.org", "password": "a\0b"}, "/password"),
            ({"email": "a@example.org", "password": 5}, "/password"),
            ({"email": "a\0@example.org", "password": "x"}, "/email"),
            ({"email": ["a@example.org"], "password": "x"}, "/email"),
            ({"email": "a@example.org", "password": "x", "session": "yes"}, "/session"),
            ({"email": "a@example.org", "password": "x", "remember": True}, "/remember"),
        ],
    )
    def test_what_cannot_be_used_is_named(self, anonymous: Api, body, pointer: str):
        answer = anonymous.post("/auth/login", body)
        assert answer.status_code == 400
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def _counting(calls: list[str], encode):
    def counted(self, password, *args, **kwargs):
        calls.append("hash")
        return encode(self, password, *args, **kwargs)

    return counted


class TestSession:
    def test_gives_a_cookie_and_no_token(self, alice: Person):
        browser = Browser()
        body = browser.login.json()
        assert body["token"] is None
        assert dt.datetime.fromisoformat(body["expires_at"]) > timezone.now()
        cookie = browser.client.cookies["sessionid"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        answer = browser.get("/me")
        assert answer.json()["email"] == "alice@example.org"
        assert {"cookie", "authorization"} <= {name.strip().lower() for name in answer["Vary"].split(",")}
        assert answer["Cache-Control"] == "private, no-cache"

    def test_a_write_needs_the_csrf_token(self, alice: Person):
        browser = Browser()
        refused = browser.post("/me", {"name": "X"}, method="patch")
        assert refused.status_code == 403
        assert refused["Content-Type"] == "application/problem+json"
        assert refused.json()["type"] == "urn:todo:problem:csrf_failed"
        assert "GET /api/v1/auth/csrf" in refused.json()["detail"]
        assert browser.post("/me", {"name": "X"}, csrf="x" * 64, method="patch").status_code == 403
        assert browser.post("/me", {"name": "X"}, csrf=browser.csrf, method="patch").status_code == 200
        fresh = browser.get("/auth/csrf")
        assert fresh["Cache-Control"] == "no-store"
        token = fresh.json()["csrf_token"]
        assert browser.post("/me", {"name": "Y"}, csrf=token, method="patch").status_code == 200

    def test_the_session_that_was_there_before_is_worth_nothing(self, alice: Person):
        client = Client()
        client.cookies["sessionid"] = "fixedbyanattacker0000000000000000"
        body = {"email": "alice@example.org", "password": PASSWORD, "session": True}
        keys = [client.cookies["sessionid"].value]
        for _ in range(2):
            client.post("/api/v1/auth/login", body, "application/json")
            keys.append(client.cookies["sessionid"].value)
        assert len(set(keys)) == 3

    def test_logging_out_ends_it(self, alice: Person):
        browser = Browser()
        key = browser.client.cookies["sessionid"].value
        assert browser.post("/auth/logout", None).status_code == 403  # without the CSRF token
        assert browser.post("/auth/logout", None, csrf=browser.csrf).status_code == 204
        thief = Client()
        thief.cookies["sessionid"] = key
        assert thief.get("/api/v1/me").status_code == 401

    def test_an_operator_can_end_it_by_deactivating_the_account(self, alice: Person):
        browser = Browser()
        User.objects.filter(pk=alice.user.pk).update(is_active=False)
        assert browser.get("/me").status_code == 401

    def test_nobody_without_a_login_can_log_out(self, anonymous: Api):
        answer = anonymous.post("/auth/logout")
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


class TestPassword:
    def change(self, api: Api, current: str = PASSWORD, new: str = NEW):
        return api.post("/auth/password", {"current_password": current, "new_password": new})

    def test_ends_every_other_login_and_keeps_the_present_token(self, alice: Person, anonymous: Api):
        other = Api(login(anonymous).json()["token"])
        browser = Browser()
        assert self.change(alice.api).status_code == 204
        assert alice.api.get("/me").status_code == 200
        assert other.get("/me").status_code == 401
        assert browser.get("/me").status_code == 401
        assert login(anonymous).status_code == 401
        assert login(anonymous, password=NEW).status_code == 200

    def test_keeps_the_present_session_under_a_new_key(self, alice: Person):
        browser, other = Browser(), Browser()
        key = browser.client.cookies["sessionid"].value
        body = {"current_password": PASSWORD, "new_password": NEW}
        assert browser.post("/auth/password", body, csrf=browser.csrf).status_code == 204
        assert browser.get("/me").status_code == 200
        assert browser.client.cookies["sessionid"].value != key
        assert other.get("/me").status_code == 401
        assert alice.api.get("/me").status_code == 401

    def test_needs_the_password_it_replaces(self, alice: Person):
        answer = self.change(alice.api, current="wrong password")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["pointer"] == "/current_password"

    def test_needs_the_admin_scope(self, person):
        assert self.change(person("dave", scopes=["read", "write"]).api).status_code == 403

    @pytest.mark.parametrize("new", ["short", "password123", "alice@example.org", "12345678"])
    def test_refuses_a_weak_one_with_the_reason(self, alice: Person, new: str):
        answer = self.change(alice.api, new=new)
        assert answer.status_code == 400
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/new_password"]
        assert User.objects.get(pk=alice.user.pk).check_password(PASSWORD)

    @pytest.mark.usefixtures("early_in_every_window")
    def test_wrong_ones_are_limited(self, alice: Person, settings):
        settings.LOGIN_FAILURES_PER_ACCOUNT = 2
        assert [self.change(alice.api, current="wrong").status_code for _ in range(3)] == [400, 400, 429]
        assert self.change(alice.api).status_code == 429


@pytest.mark.usefixtures("early_in_every_window")
class TestLimits:
    def test_too_many_failures_close_the_account_to_that_address(self, alice: Person, anonymous: Api, settings):
        settings.LOGIN_FAILURES_PER_ACCOUNT = 3
        assert [login(anonymous, password="wrong").status_code for _ in range(4)] == [401, 401, 401, 429]
        answer = login(anonymous)
        assert answer.status_code == 429
        assert answer.json()["type"] == "urn:todo:problem:too_many_failures"
        assert 1 <= int(answer["Retry-After"]) <= 900

    def test_a_stranger_does_not_lock_the_owner_out(self, alice: Person, settings):
        settings.LOGIN_FAILURES_PER_ACCOUNT = 2
        assert [login_from("203.0.113.9", "wrong") for _ in range(3)] == [401, 401, 429]
        assert login_from("198.51.100.7") == 200
        assert login_from("203.0.113.9") == 429

    def test_strangers_do_not_keep_the_owner_from_changing_the_password(self, alice: Person, settings):
        settings.LOGIN_FAILURES_PER_ACCOUNT = 2
        assert [login_from("203.0.113.9", "wrong") for _ in range(3)] == [401, 401, 429]
        body = {"current_password": PASSWORD, "new_password": NEW}
        assert alice.api.post("/auth/password", body).status_code == 204

    def test_guesses_from_many_addresses_slow_the_account_down_except_for_known_addresses(
        self, alice: Person, settings, early_in_every_window
    ):
        settings.LOGIN_FAILURES_PER_ACCOUNT = 1
        assert login_from("198.51.100.7") == 200  # from now on a known address
        strangers = [login_from(f"203.0.113.{number}", "wrong") for number in range(20)]
        assert strangers == [401] * (limits.SLOW_FACTOR + 1) + [429] * (20 - limits.SLOW_FACTOR - 1)
        assert login_from("192.0.2.1") == 429
        assert login_from("198.51.100.7") == 200
        early_in_every_window.shift(limits.SLOW_SECONDS)
        assert login_from("192.0.2.1") == 200  # slowed, not closed

    def test_addresses_are_kept_as_digests_and_for_a_time(self, alice: Person):
        assert login_from("198.51.100.7") == 200
        row = KnownAddress.objects.get()
        assert re.fullmatch("[0-9a-f]{64}", row.digest)
        limits.forget_addresses(before=row.last_login_at)
        assert KnownAddress.objects.count() == 1
        limits.forget_addresses(before=row.last_login_at + dt.timedelta(seconds=1))
        assert KnownAddress.objects.count() == 0

    def test_an_account_that_does_not_exist_is_limited_alike(self, anonymous: Api, settings):
        settings.LOGIN_FAILURES_PER_ACCOUNT = 1
        tries = [login(anonymous, email="nobody@example.org").status_code for _ in range(2)]
        assert tries == [401, 429]
        assert login(anonymous, email="NOBODY@example.org").status_code == 429

    def test_nothing_is_hashed_any_more(self, alice: Person, anonymous: Api, settings, monkeypatch):
        settings.LOGIN_FAILURES_PER_ACCOUNT = 0
        hashed: list[str] = []
        hasher = get_hasher()
        monkeypatch.setattr(type(hasher), "encode", _counting(hashed, type(hasher).encode))
        assert login(anonymous).status_code == 429
        assert hashed == []

    def test_a_success_clears_the_address(self, alice: Person, anonymous: Api, settings):
        settings.LOGIN_FAILURES_PER_ACCOUNT = 3
        for _ in range(4):
            assert login(anonymous, password="wrong").status_code == 401
            assert login(anonymous, password="wrong").status_code == 401
            assert login(anonymous).status_code == 200

    def test_an_address_that_tries_many_accounts_is_limited(self, alice: Person, anonymous: Api, settings):
        settings.LOGIN_FAILURES_PER_ADDRESS = 2
        for number in range(2):
            assert login(anonymous, email=f"{number}@example.org").status_code == 401
        assert login(anonymous).status_code == 429
        client = Client(REMOTE_ADDR="198.51.100.7")
        body = {"email": "alice@example.org", "password": PASSWORD}
        assert client.post("/api/v1/auth/login", body, "application/json").status_code == 200

    def test_successes_do_not_use_the_address_up(self, alice: Person, anonymous: Api, settings):
        settings.LOGIN_FAILURES_PER_ADDRESS = 2
        assert {login(anonymous).status_code for _ in range(5)} == {200}

    def test_ipv6_addresses_of_one_network_are_one(self, alice: Person, settings):
        settings.LOGIN_FAILURES_PER_ADDRESS = 1
        body = {"email": "x@example.org", "password": "wrong"}
        tries = [
            Client(REMOTE_ADDR=f"2001:db8::{number}").post("/api/v1/auth/login", body, "application/json")
            for number in (1, 2)
        ]
        assert [answer.status_code for answer in tries] == [401, 429]

    def test_a_header_of_the_client_does_not_change_its_address(self, alice: Person, settings):
        settings.LOGIN_FAILURES_PER_ADDRESS = 1
        body = {"email": "x@example.org", "password": "wrong"}
        tries = [
            Client().post(
                "/api/v1/auth/login", body, "application/json", headers={"X-Forwarded-For": f"203.0.113.{number}"}
            )
            for number in (1, 2)
        ]
        assert [answer.status_code for answer in tries] == [401, 429]

    @pytest.mark.django_db(transaction=True)
    def test_the_counter_outlives_the_request_that_failed(self, settings):
        answer = login(Api(None), email="nobody@example.org")
        assert answer.status_code == 401
        counters = dict(RateCounter.objects.values_list("bucket", "spent"))
        assert sorted(counters.values()) == [1, 1, 1]
        assert not any("nobody" in bucket for bucket in counters)


def test_passwords_are_kept_with_argon2_at_owasps_cost(settings, db):
    from todo_project.accounts.services import registration

    settings.PASSWORD_HASHERS = [
        "todo_project.accounts.services.passwords.Argon2Hasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
    user = registration.register_user(
        email="argon@example.org", password=PASSWORD, name="Argon", now=timezone.now()
    )
    assert user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert identify_hasher(user.password).algorithm == "argon2"
    assert user.check_password(PASSWORD)
    assert not user.check_password(PASSWORD + " ")


def test_login_tokens_are_distinguished_from_others(alice: Person, anonymous: Api):
    login(anonymous)
    assert list(ApiToken.objects.order_by("id").values_list("is_login", flat=True)) == [False, True]
