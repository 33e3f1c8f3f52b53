"""Accounts come to be whole, once per address, and only where that is wanted."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

from tests.conftest import PASSWORD, Api, Person
from todo_project.accounts.models import User
from todo_project.accounts.services import registration

NOW = timezone.now()


_FIELDS = (
    *("id", "email", "name", "time_zone", "language", "mailed_kinds", "quiet_hours", "digest_at"),
    *("created_at", "updated_at"),
)


def register(api: Api, **change):
    return api.post(
        "/auth/register",
        {"email": "dora@example.org", "password": PASSWORD, "name": "Dora", **change},
    )


def test_gives_the_user_and_never_the_password(anonymous: Api):
    answer = register(anonymous, email="Dora@Example.ORG", time_zone="Asia/Shanghai")
    assert answer.status_code == 201
    body = answer.json()
    assert {*body} == {*_FIELDS}
    assert body["email"] == "dora@example.org"
    assert body["time_zone"] == "Asia/Shanghai"
    assert body["created_at"].endswith("Z")
    assert answer["ETag"].startswith('"1-')
    assert User.objects.get().check_password(PASSWORD)


def test_the_address_is_taken_whatever_its_case(alice: Person, anonymous: Api):
    answer = register(anonymous, email="ALICE@example.org")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:todo:problem:email_taken"


def test_an_app_above_that_fails_leaves_no_account(db, monkeypatch):
    def fail(*, user: User, now: object) -> None:
        raise RuntimeError("no Inbox")

    monkeypatch.setattr(registration, "after_registration", [fail])
    with pytest.raises(RuntimeError), transaction.atomic():
        registration.register_user(email="e@example.org", password=PASSWORD, name="E", now=NOW)
    assert not User.objects.exists()


def test_apps_above_are_called_with_the_user(db, monkeypatch):
    calls = []
    monkeypatch.setattr(registration, "after_registration", [lambda **given: calls.append(given)])
    user = registration.register_user(email="e@example.org", password=PASSWORD, name="E", now=NOW)
    assert calls == [{"user": user, "now": NOW}]


def test_closed_registration_says_so(anonymous: Api, settings):
    settings.REGISTRATION_OPEN = False
    answer = register(anonymous)
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:todo:problem:registration_closed"
    assert not User.objects.exists()


@pytest.mark.usefixtures("early_in_every_window")
def test_one_address_makes_only_so_many_accounts(anonymous: Api, settings):
    settings.REGISTRATIONS_PER_ADDRESS = 2
    answers = [register(anonymous, email=f"{number}@example.org") for number in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert 1 <= int(answers[2]["Retry-After"]) <= 3600
    assert User.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"email": "no address"}, "/email"),
        ({"email": "a\0b@example.org"}, "/email"),
        ({"email": f"{'a' * 250}@example.org"}, "/email"),
        ({"email": 5}, "/email"),
        ({"email": None}, "/email"),
        ({"password": "short"}, "/password"),
        ({"password": "password1"}, "/password"),
        ({"password": "1029384756"}, "/password"),
        ({"password": "dora@example.org"}, "/password"),
        ({"password": "x" * 1001}, "/password"),
        ({"password": "a\0" * 10}, "/password"),
        ({"password": 1029384756}, "/password"),
        ({"name": "a\0b"}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": ["Dora"]}, "/name"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"time_zone": "../../etc/passwd"}, "/time_zone"),
        ({"time_zone": "UTC\0"}, "/time_zone"),
        ({"is_staff": True}, "/is_staff"),
    ],
)
def test_what_cannot_be_used_is_named(anonymous: Api, change, pointer: str):
    answer = register(anonymous, **change)
    assert answer.status_code == 400, answer.content
    assert {error["pointer"] for error in answer.json()["errors"]} == {pointer}
    assert not User.objects.exists()


def test_all_that_cannot_be_used_is_named_at_once(anonymous: Api):
    answer = register(anonymous, email="no address", password="short", time_zone="Mars")
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/email", "/password", "/time_zone"}


def test_lone_surrogates_are_refused(anonymous: Api):
    for name in ("email", "password", "name", "time_zone"):
        body = (
            f'{{"email": "d@example.org", "password": "{PASSWORD}", "{name}": "a\\ud800bcdefghijklm@example.org"}}'
        )
        answer = anonymous.post("/auth/register", data=body, content_type="application/json")
        assert answer.status_code == 400


def test_a_password_may_be_long_and_have_spaces_around_it(anonymous: Api):
    password = " " + "Ünïcode 长密码 " * 80 + " "
    assert register(anonymous, password=password).status_code == 201
    login = anonymous.post("/auth/login", {"email": "dora@example.org", "password": password})
    assert login.status_code == 200
    assert (
        anonymous.post("/auth/login", {"email": "dora@example.org", "password": password.strip()}).status_code
        == 401
    )


def test_an_address_that_is_too_long_in_lower_case_is_refused(anonymous: Api):
    email = f"a@{'İ.' * 120}com"  # one letter whose small form is two
    assert len(email) <= 254 < len(email.lower())
    answer = anonymous.post("/auth/register", {"email": email, "password": PASSWORD})
    assert answer.status_code == 400
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/email"}
