"""What is written aside is seen before the current transaction ends, and never stops that."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction

from tests.conftest import Person
from todo_project.accounts.models import User
from todo_project.db import aside

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="needs PostgreSQL: make test DATABASE_URL=postgres://…"
    ),
]


@pytest.fixture
def rename(alice: Person) -> Callable[[], object]:
    return lambda: User.objects.filter(pk=alice.user.pk).update(name="Aside")


def name_elsewhere(who: Person) -> str:
    """Read the name on another connection."""
    found: list[str] = []

    def read() -> None:
        found.append(User.objects.get(pk=who.user.pk).name)
        connection.close()

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    return found[0]


def test_others_see_it_at_once_and_a_rollback_leaves_it(alice: Person, rename: Callable[[], object]) -> None:
    with transaction.atomic():
        aside.write_aside(rename)
        assert name_elsewhere(alice) == "Aside"
        transaction.set_rollback(True)
    assert name_elsewhere(alice) == "Aside"


def test_a_row_that_the_transaction_has_locked_is_left_alone(
    alice: Person, rename: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "_LOCK_TIMEOUT_MS", 1)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=alice.user.pk)
        aside.write_aside(rename)
    assert name_elsewhere(alice) == "Alice"


def test_a_failure_does_not_stop_the_transaction(alice: Person) -> None:
    def fail() -> None:
        raise DatabaseError

    with transaction.atomic():
        aside.write_aside(fail)
        User.objects.filter(pk=alice.user.pk).update(name="Written")
    assert name_elsewhere(alice) == "Written"
