"""A limit holds over threads, processes and replicas, because the database counts."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.api.test_idempotency import at_once
from tests.conftest import Api, Person
from todo_project.accounts.services import tokens
from todo_project.api import ratelimit
from todo_project.api.models import RateCounter

HOUR = 3600
UNTIL_2286 = 10**10  # a window that ends while no test runs


@pytest.fixture(autouse=True)
def _no_leases() -> Iterator[None]:
    ratelimit.leases.clear()
    yield
    ratelimit.leases.clear()


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel("2026-11-30T09:10:00Z", tick=False) as traveller:
        yield traveller


def spend(bucket: str = "b") -> int:
    return ratelimit.spend(bucket=bucket, amount=1, seconds=HOUR)


def spent(bucket: str = "b") -> int:
    counter = RateCounter.objects.filter(bucket=bucket, window_end__gt=time.time()).first()
    return counter.spent if counter else 0


def take(limit: int, bucket: str = "b") -> bool:
    return ratelimit.take_leased(bucket=bucket, limit=limit, seconds=HOUR)


def test_spending_adds_up_within_a_window_and_starts_again_in_the_next(db, clock):
    assert [spend(), spend()] == [1, 2]
    assert spent() == 2
    assert ratelimit.seconds_left(HOUR) == 3000
    clock.shift(3000)
    assert spent() == 0
    assert spend() == 1


def test_a_host_whose_clock_is_behind_does_not_reopen_the_window(db, clock):
    clock.shift(3000)
    assert [spend(), spend()] == [1, 2]
    clock.shift(-5)
    assert spend() == 3
    assert spent() == 3


def test_buckets_are_independent(db, clock):
    assert [spend("a"), spend("b")] == [1, 1]


def test_a_bucket_can_be_reset_and_given_one_back(db, clock):
    spend()
    spend()
    ratelimit.give_back(bucket="b", seconds=HOUR)
    assert spent() == 1
    ratelimit.reset(bucket="b")
    assert spent() == 0
    ratelimit.give_back(bucket="b", seconds=HOUR)  # there is nothing to give back, which is no error
    assert spent() == 0


def test_an_empty_counter_does_not_go_below_zero(db, clock):
    ratelimit.spend(bucket="b", amount=0, seconds=HOUR)
    ratelimit.give_back(bucket="b", seconds=HOUR)
    assert spent() == 0


def test_a_counter_never_grows_out_of_its_column(db, clock):
    for _ in range(4):
        ratelimit.spend(bucket="b", amount=999_999_999, seconds=HOUR)
    assert RateCounter.objects.get().spent < 2**31


def test_a_lease_gives_exactly_the_limit(db, clock):
    assert sum(take(100) for _ in range(150)) == 100
    clock.shift(3000)
    assert take(100)


def test_what_a_thread_has_left_survives_another_that_asked_meanwhile(db, clock, monkeypatch):
    taken, real = [], ratelimit.spend

    def overtaken(**given) -> int:
        monkeypatch.setattr(ratelimit, "spend", real)
        total = real(**given)
        taken.append(take(500))  # takes a slice of ten, of which it leaves nine
        return total

    monkeypatch.setattr(ratelimit, "spend", overtaken)
    taken += [take(500) for _ in range(550)]
    assert sum(taken) == 500


def test_a_thread_without_a_lease_uses_the_one_that_another_got_meanwhile(db, clock, monkeypatch):
    taken, real = [], ratelimit.spend

    def overtaken(**given) -> int:
        monkeypatch.setattr(ratelimit, "spend", real)
        taken.append(take(100))  # the last slice of two
        return real(**given)

    taken += [take(100) for _ in range(98)]
    monkeypatch.setattr(ratelimit, "spend", overtaken)
    taken += [take(100) for _ in range(5)]
    assert sum(taken) == 100
    assert taken[-5:] == [True, False, False, False, False]


def test_a_limit_that_slices_do_not_divide_is_exact_too(db, clock):
    for limit in (1, 2, 49, 51, 99, 151):
        assert sum(take(limit, f"b{limit}") for _ in range(limit + 20)) == limit


def test_two_processes_together_never_exceed_it(db, clock):
    leases: list[dict] = [{}, {}]
    taken = 0
    for number in range(400):
        ratelimit.leases = leases[number % 2]
        taken += take(200)
    assert taken <= 200
    assert taken >= 200 - 200 // 50


def test_a_refusal_costs_no_statement_until_the_window_ends(db, clock, django_assert_num_queries):
    assert take(1)
    assert not take(1)
    with django_assert_num_queries(0):
        assert not any(take(1) for _ in range(10))
    clock.shift(3000)
    assert take(1)


def test_the_first_requests_of_a_window_cost_no_statement(db, clock, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert all(take(6000) for _ in range(6))
    assert take(6000)
    assert spent() == 120
    clock.shift(3000)
    with django_assert_num_queries(0):
        assert take(6000)


def test_uncounted_requests_do_not_exceed_the_limit(db, clock):
    leases: list[dict] = [{} for _ in range(10)]
    taken = 0
    for number in range(12_000):
        ratelimit.leases = leases[number % 10]
        taken += take(6000)
    assert 6000 - 10 * 120 <= taken <= 6000


def test_what_remains_is_known_and_never_negative(db, clock):
    remaining = [take(6000) and ratelimit.remaining(bucket="b") for _ in range(10)]
    assert remaining[:7] == [
        5999,
        5998,
        5997,
        5996,
        5995,
        5994,
        5939,
    ]  # then the database is asked, for ten processes
    assert [take(100, "c") and ratelimit.remaining(bucket="c") for _ in range(3)] == [99, 98, 97]
    ratelimit.spend(bucket="c", amount=200, seconds=HOUR)
    while take(100, "c"):
        pass
    assert ratelimit.remaining(bucket="c") == 0
    assert ratelimit.remaining(bucket="nobody's") == 0


def test_memory_is_bounded(db, clock, monkeypatch):
    monkeypatch.setattr(ratelimit, "LEASES_MAX", 5)
    assert all(take(100, f"b{number}") for number in range(20))
    assert len(ratelimit.leases) <= 7


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestConcurrently:
    def test_every_spending_is_counted(self, clock):
        totals = at_once(8, lambda _: [spend() for _ in range(25)])
        assert sorted(total for each in totals for total in each) == list(range(1, 201))

    def test_leases_never_exceed_the_limit(self, clock):
        taken = at_once(8, lambda _: sum(take(300) for _ in range(60)))
        assert 300 - 8 * 6 <= sum(taken) <= 300

    def test_processes_never_exceed_the_limit(self):
        name = connection.settings_dict["NAME"]
        code = (
            "import django; django.setup();"
            "from todo_project.api import ratelimit as r;"
            f"from django.db import connection as c; c.settings_dict['NAME'] = {name!r};"
            f"print(sum(r.take_leased(bucket='p', limit=500, seconds={UNTIL_2286}) for _ in range(300)))"
        )
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", code],
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(str(django_settings.BASE_DIR)),
            )
            for _ in range(3)
        ]
        outputs = [process.communicate(timeout=300)[0] for process in processes]
        taken = sum(int(output.strip().splitlines()[-1]) for output in outputs)
        assert 500 - 3 * 10 <= taken <= 500


class TestAccountThrottle:
    def test_an_account_has_so_many_requests_a_minute(self, probe: Client, alice: Person, bob: Person, settings):
        settings.REQUESTS_PER_TOKEN = 3
        with time_machine.travel("2026-11-30T09:10:00Z", tick=False):
            answers = [alice.api.get("/me") for _ in range(5)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
            assert answers[-1]["Content-Type"] == "application/problem+json"
            assert answers[-1].json()["type"] == "urn:todo:problem:too_many_requests"
            assert 1 <= int(answers[-1]["Retry-After"]) <= 61
            assert {answer["RateLimit-Policy"] for answer in answers} == {'"requests";q=3;w=60'}
            assert [answer["RateLimit"] for answer in answers] == [
                f'"requests";r={left};t=60' for left in (2, 1, 0, 0, 0)
            ]
            assert bob.api.get("/me").status_code == 200

    def test_a_request_that_is_not_allowed_counts_too(self, probe: Client, alice: Person, settings):
        settings.REQUESTS_PER_TOKEN = 3
        given = {"user": alice.user, "name": "", "scopes": ["read"], "expires_at": None, "now": timezone.now()}
        reader = Api(tokens.create_token(**given).token)
        with time_machine.travel("2026-11-30T09:10:00Z", tick=False):
            assert [reader.get("/tokens").status_code for _ in range(5)] == [403, 403, 403, 429, 429]

    def test_more_tokens_are_no_more_requests(self, probe: Client, alice: Person, settings):
        settings.REQUESTS_PER_TOKEN = 3
        given = {"user": alice.user, "name": "", "scopes": ["read"], "expires_at": None, "now": timezone.now()}
        other = Api(tokens.create_token(**given).token)
        with time_machine.travel("2026-11-30T09:10:00Z", tick=False):
            answers = [api.get("/me").status_code for api in (alice.api, other, alice.api, other, alice.api)]
        assert answers == [200, 200, 200, 429, 429]

    def test_zero_is_no_limit(self, alice: Person, settings):
        settings.REQUESTS_PER_TOKEN = 0
        assert {alice.api.get("/me").status_code for _ in range(5)} == {200}
        assert not RateCounter.objects.exists()
        assert "RateLimit" not in alice.api.get("/me").headers
