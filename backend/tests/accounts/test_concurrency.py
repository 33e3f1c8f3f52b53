"""What many do at the same instant, on the database that production has."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.api.test_idempotency import at_once
from tests.conftest import PASSWORD, Api, Person
from todo_project.accounts.models import ApiToken, User
from todo_project.accounts.services import tokens, verification

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_one_address_becomes_one_account():
    def register(number: int) -> int:
        body = {"email": "eve@example.org" if number % 2 else "EVE@example.org", "password": PASSWORD}
        return Api(None).post("/auth/register", body).status_code

    assert sorted(at_once(6, register)) == [201] + [409] * 5
    assert User.objects.count() == 1


@pytest.mark.usefixtures("early_in_every_window")
def test_guesses_at_the_same_instant_do_not_slip_through_the_limit(alice: Person, settings):
    settings.LOGIN_FAILURES_PER_ACCOUNT = 3

    def guess(number: int) -> int:
        body = {"email": "alice@example.org", "password": f"guess {number}"}
        return Api(None).post("/auth/login", body).status_code

    assert sorted(at_once(8, guess)) == [401] * 3 + [429] * 5


def test_of_writes_with_the_same_tag_one_wins(alice: Person):
    tag = alice.api.get("/me")["ETag"]

    def change(number: int) -> int:
        headers = {"If-Match": tag}
        return Api(alice.token).patch("/me", {"name": f"Alice {number}"}, headers=headers).status_code

    assert sorted(at_once(6, change)) == [200] + [412] * 5


def test_use_is_noted_once_by_many_requests(alice: Person):
    at_once(6, lambda _: verification.verify(alice.token))
    assert ApiToken.objects.get().version == 2


def test_revoking_twice_at_once_is_revoking_once(alice: Person):
    new = tokens.create_token(user=alice.user, name="x", scopes=["read"], expires_at=None, now=timezone.now())
    answers = at_once(4, lambda _: Api(alice.token).delete(f"/tokens/{new.row.pk}").status_code)
    assert answers == [204] * 4
    assert ApiToken.objects.get(pk=new.row.pk).version == 2
