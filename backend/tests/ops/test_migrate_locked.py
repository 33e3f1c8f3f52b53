"""One replica migrates, the others wait, nobody waits when there is nothing to do."""

from __future__ import annotations

import threading
import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections
from django.test import TransactionTestCase

from todo_project.ops.database import fresh_connection, in_transaction, pending_migrations
from todo_project.ops.management.commands import migrate_locked

COMMAND = "todo_project.ops.management.commands.migrate_locked"


def run(**options: Any) -> str:
    out = StringIO()
    call_command("migrate_locked", stdout=out, verbosity=0, **options)
    return out.getvalue()


@pytest.fixture
def pending(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Answers of pending_migrations, one a call; the last one stays."""
    answers = [["todos.0002"], []]
    monkeypatch.setattr(
        f"{COMMAND}.pending_migrations", lambda _: answers.pop(0) if len(answers) > 1 else answers[0]
    )
    return answers


@pytest.fixture
def migrated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    monkeypatch.setattr(f"{COMMAND}.call_command", lambda name, **_: calls.append(name))
    return calls


def test_nothing_pending_takes_no_lock(db: None, migrated: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{COMMAND}.fresh_connection", None)
    assert run() == "nothing to migrate\n"
    assert migrated == []


def test_migrates_what_is_pending(db: None, pending: list[list[str]], migrated: list[str]) -> None:
    pending[:] = [["todos.0002"]]
    assert run() == "migrating: 1 pending\n"
    assert migrated == ["migrate"]


def test_a_database_that_does_not_answer_is_an_error_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(f"{COMMAND}.pending_migrations", refuse)
    with pytest.raises(CommandError, match="did not answer: connection refused"):
        run()


def test_what_is_pending_is_seen_in_the_database(db: None) -> None:
    assert pending_migrations(connection) == []
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'accounts' AND name LIKE '0001%'")
    # and everything that builds on it: the loader would refuse a history with a hole
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app <> 'contenttypes'")
    assert "accounts.0001_initial" in pending_migrations(connection)


@pytest.mark.postgres
class TestTheLock:
    def test_is_not_asked_for_again_after_another_replica_has_migrated(
        self, db: None, pending: list[list[str]], migrated: list[str]
    ) -> None:
        assert run() == "another replica has migrated\n"
        assert migrated == []

    def test_waiting_is_said_and_ends_in_a_clear_error(
        self, db: None, pending: list[list[str]], migrated: list[str]
    ) -> None:
        out = StringIO()
        with fresh_connection(statement_timeout_ms=0) as other, in_transaction(other):
            assert migrate_locked._try(other)
            with pytest.raises(CommandError, match=r"held the migration lock for more than 0\.6 s"):
                call_command("migrate_locked", timeout=0.6, stdout=out)
        assert "waiting for another replica's migration (0 s of 0.6 s)" in out.getvalue()
        assert migrated == []

    def test_goes_with_the_replica_that_held_it(
        self, db: None, pending: list[list[str]], migrated: list[str]
    ) -> None:
        pending[:] = [["todos.0002"]]
        holder = fresh_connection(statement_timeout_ms=0)
        other = holder.__enter__()
        other.set_autocommit(False)
        assert migrate_locked._try(other)
        threading.Timer(0.5, other.connection.pgconn.finish).start()
        start = time.monotonic()
        run(timeout=10)
        assert 0.3 < time.monotonic() - start < 5
        assert migrated == ["migrate"]

    def test_an_idle_transaction_limit_does_not_take_it_away(self, db: None) -> None:
        with fresh_connection(statement_timeout_ms=0) as lock, in_transaction(lock), lock.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            assert cursor.fetchone() == ("0",)


@pytest.mark.postgres
class TestReplicas(TransactionTestCase):
    def test_that_start_together_migrate_once(self) -> None:
        done: list[str] = []
        pending = [True]

        def migrate(name: str, **_: Any) -> None:
            time.sleep(0.5)
            done.append(name)
            pending.clear()

        def replica() -> None:
            try:
                run(timeout=20)
            finally:
                connections.close_all()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"{COMMAND}.pending_migrations", lambda _: ["todos.0002"] if pending else [])
            patch.setattr(f"{COMMAND}.call_command", migrate)
            threads = [threading.Thread(target=replica) for _ in range(10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert done == ["migrate"]
