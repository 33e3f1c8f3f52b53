"""A POST that is repeated with its key is done once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from tests.conftest import Person
from todo_project.api.models import IdempotencyRecord, RateCounter


def send(person: Person, body: Any, key: str | None = "k1", path: str = "/probe/once", **headers: str):
    headers["Authorization"] = f"Bearer {person.token}"
    if key is not None:
        headers["Idempotency-Key"] = key
    client = Client(raise_request_exception=False)
    return client.post(path, body, "application/json", headers=headers)


def done(name: str) -> int:
    return RateCounter.objects.filter(pk=name).values_list("spent", flat=True).first() or 0


def test_the_repetition_gets_the_same_answer(probe: Client, alice: Person):
    first, second = send(alice, {"name": "a"}), send(alice, {"name": "a"})
    assert first.status_code == second.status_code == 201
    assert done("a") == 1
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    for name in ("ETag", "Location", "Content-Type"):
        assert second[name] == first[name]
    assert second.json() == {**first.json(), "secret": None}


def test_a_secret_is_never_stored(probe: Client, alice: Person):
    send(alice, {"name": "a"})
    assert b"s3cret" not in bytes(IdempotencyRecord.objects.get().body)


def test_without_a_key_each_is_done(probe: Client, alice: Person):
    send(alice, {"name": "a"}, key=None)
    send(alice, {"name": "a"}, key=None)
    assert done("a") == 2


def test_spelling_the_same_body_in_another_order_changes_nothing(probe: Client, alice: Person):
    send(alice, '{"name": "a", "x": 1}')
    assert send(alice, '{ "x": 1, "name": "a" }').status_code == 201
    assert done("a") == 1


@pytest.mark.parametrize("other", [{"name": "b"}, {"name": "a", "x": 10**30}, ["a"]])
def test_another_request_with_the_key_is_a_422(probe: Client, alice: Person, other: Any):
    send(alice, {"name": "a"})
    answer = send(alice, other)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:todo:problem:idempotency_key_reused"
    assert send(alice, {"name": "a"}, path="/probe/once?x=1").status_code == 422
    assert done("a") == 1


def test_huge_numbers_are_distinguished(probe: Client, alice: Person):
    assert send(alice, {"name": "a", "x": 10**30}).status_code == 201
    assert send(alice, {"name": "a", "x": 10**30 + 1}).status_code == 422


def test_a_request_that_fails_frees_its_key(probe: Client, alice: Person):
    assert send(alice, {"name": "fail"}).status_code == 409
    assert not IdempotencyRecord.objects.exists()
    assert done("fail") == 0  # what it did is undone with its key
    RateCounter.objects.create(pk="fail", window_end=0, spent=1)
    assert send(alice, {"name": "fail"}).status_code == 201


def test_what_cannot_be_read_frees_its_key(probe: Client, alice: Person):
    assert send(alice, "{").status_code == 400
    assert send(alice, {"name": "a"}).status_code == 201


def test_keys_of_two_people_have_nothing_to_do_with_each_other(probe: Client, alice: Person, bob: Person):
    first, second = send(alice, {"name": "a"}), send(bob, {"name": "a"})
    assert first.json()["id"] != second.json()["id"]
    assert done("a") == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "a\x7fb", "\x80", "\xa0"])
def test_a_key_that_cannot_be_one_is_a_400(probe: Client, alice: Person, key: str):
    answer = send(alice, {"name": "a"}, key=key)
    assert answer.status_code == 400
    assert done("a") == 0


@pytest.mark.parametrize("key", ["x", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "é"])
def test_any_printable_key_will_do(probe: Client, alice: Person, key: str):
    assert send(alice, {"name": "a"}, key=key).status_code == 201


def at_once(count: int, call: Callable[[int], Any]) -> list[Any]:
    """Run the call in threads that start together, each with its own database connection."""
    barrier, results = threading.Barrier(count), [None] * count

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = call(number)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestConcurrently:
    def test_one_of_many_is_done_and_all_get_its_answer(self, probe: Client, alice: Person):
        send(alice, {"name": "warm"}, key="warm")
        answers = at_once(8, lambda _: send(alice, {"name": "a"}))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert done("a") == 1
        assert sum("Idempotency-Replayed" in answer for answer in answers) == 7

    def test_of_many_different_ones_one_is_done(self, probe: Client, alice: Person):
        answers = at_once(6, lambda number: send(alice, {"name": f"n{number}"}))
        assert sorted(answer.status_code for answer in answers) == [201] + [422] * 5
        assert sum(done(f"n{number}") for number in range(6)) == 1
