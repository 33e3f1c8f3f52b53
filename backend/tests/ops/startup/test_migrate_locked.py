"""One replica migrates, the others wait, nobody waits when there is nothing to do."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import Error, OperationalError, ProgrammingError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.test import TransactionTestCase

from todo_project.ops.management.commands import migrate_locked
from todo_project.ops.startup.database import fresh_connection, migration_files, pending_migrations

COMMAND = "todo_project.ops.management.commands.migrate_locked"


@pytest.fixture(autouse=True)
def _log_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")


class Clock:
    """Stands for the module `time`: sleeping passes no time but this one's."""

    def __init__(self) -> None:
        self.now = 0.0
        self.at_first_sleep: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        if not self.now:
            self.at_first_sleep()
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that the command waits by."""
    monkeypatch.setattr(f"{COMMAND}.time", clock := Clock())
    return clock


def run(**options: Any) -> None:
    call_command("migrate_locked", **options)


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


def test_nothing_pending_takes_no_lock(
    db: None, migrated: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(f"{COMMAND}.fresh_connection", None)
    run()
    assert caplog.messages == ["nothing to migrate"]
    assert migrated == []


def test_migrates_what_is_pending(
    db: None, pending: list[list[str]], migrated: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    pending[:] = [["todos.0002"]]
    run()
    assert caplog.messages == ["migrating: 1 pending"]
    assert len(migrated) == 1


def test_each_migration_is_named_before_it_is_applied(caplog: pytest.LogCaptureFixture) -> None:
    command = migrate_locked.LoggedMigrate()
    for action in ("render_start", "render_success", "apply_start", "apply_success"):
        command.migration_progress_callback(action, "todos.0002_more")
    assert caplog.messages == ["applying todos.0002_more"]


def test_a_contradiction_in_the_settings_stops_it_before_it_migrates(
    migrated: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found = [checks.Warning("It may be too small.", id="x.W1"), checks.Error("They contradict.", id="x.E1")]
    monkeypatch.setattr(f"{COMMAND}.run_checks", lambda **_: found)
    with pytest.raises(CommandError, match="System checks failed"):
        run()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "?: (x.W1) It may be too small."),
        ("ERROR", "?: (x.E1) They contradict."),
    ]
    assert migrated == []


def test_a_silenced_check_stops_nothing(
    db: None, migrated: list[str], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.SILENCED_SYSTEM_CHECKS = ["x.E1"]
    monkeypatch.setattr(f"{COMMAND}.run_checks", lambda **_: [checks.Error("They contradict.", id="x.E1")])
    run()


def test_a_password_that_is_not_the_databases_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        raise OperationalError('FATAL:  password authentication failed for user "todo_user"\n')

    monkeypatch.setattr(f"{COMMAND}.pending_migrations", refuse)
    with pytest.raises(CommandError, match="takes POSTGRES_PASSWORD only when its volume is new"):
        run()


def test_a_database_that_does_not_answer_is_an_error_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(f"{COMMAND}.pending_migrations", refuse)
    with pytest.raises(CommandError, match="did not answer: connection refused"):
        run()


def test_a_migration_that_fails_is_an_error_without_a_traceback(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def collide(*_: Any, **__: Any) -> None:
        raise ProgrammingError('relation "todos_task" already exists')

    monkeypatch.setattr(f"{COMMAND}.pending_migrations", lambda _: ["todos.0002"])
    monkeypatch.setattr(f"{COMMAND}.call_command", collide)
    with pytest.raises(CommandError, match='Migrating failed: relation "todos_task" already exists'):
        run()


def test_any_other_error_is_not_blamed_on_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        raise ProgrammingError("permission denied for table django_migrations")

    monkeypatch.setattr(f"{COMMAND}.pending_migrations", refuse)
    with pytest.raises(CommandError, match=r"^Not migrated: permission denied for table django_migrations$"):
        run()


@pytest.mark.postgres
def test_a_connection_that_is_lost_in_a_migration_is_named_as_such(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: Any, **__: Any) -> None:
        connection.ensure_connection()
        connection.connection.pgconn.finish()
        connection.cursor().execute("SELECT 1")

    monkeypatch.setattr(f"{COMMAND}.pending_migrations", lambda _: ["todos.0002"])
    monkeypatch.setattr(f"{COMMAND}.call_command", lose)
    with pytest.raises(CommandError, match=r"^The database did not answer: the connection is closed$"):
        run()
    connection.close()


def test_a_fresh_connection_is_closed_at_the_end(db: None) -> None:
    with fresh_connection(statement_timeout_ms=0) as other:
        raw = other.connection
    with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError), match="closed"):
        raw.execute("SELECT 1")


def test_what_is_pending_is_seen_in_the_database(db: None) -> None:
    assert pending_migrations(connection) == []
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'accounts' AND name LIKE '0001%'")
    # and everything that builds on it: the loader would refuse a history with a hole
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app <> 'contenttypes'")
    assert "accounts.0001_initial" in pending_migrations(connection)


def test_the_files_are_those_that_django_would_find() -> None:
    assert migration_files() == set(MigrationLoader(None).disk_migrations)


def test_a_database_with_every_migration_needs_no_loader(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would import every migration in every worker, for /health/ready."""
    monkeypatch.setattr(MigrationLoader, "build_graph", None)
    assert pending_migrations(connection) == []


@pytest.mark.postgres
class TestTheLock:
    def test_is_not_asked_for_again_after_another_replica_has_migrated(
        self, db: None, pending: list[list[str]], migrated: list[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        run()
        assert caplog.messages == ["another replica has migrated"]
        assert migrated == []

    def test_waiting_is_said_and_ends_in_a_clear_error(
        self,
        db: None,
        pending: list[list[str]],
        migrated: list[str],
        caplog: pytest.LogCaptureFixture,
        clock: Clock,
    ) -> None:
        with fresh_connection(statement_timeout_ms=0) as other:
            assert migrate_locked.try_lock(other)
            with pytest.raises(CommandError, match=r"held the migration lock for more than 12 s"):
                run(timeout=12)
        assert caplog.messages == [f"waiting for another replica's migration ({n} s of 12 s)" for n in (0, 10)]
        assert clock.now == 12
        assert migrated == []

    def test_goes_with_the_replica_that_held_it(
        self, db: None, pending: list[list[str]], migrated: list[str], clock: Clock
    ) -> None:
        pending[:] = [["todos.0002"]]
        # its end finds the connection gone, as that of a killed process would
        with contextlib.suppress(Error), fresh_connection(statement_timeout_ms=0) as other:
            assert migrate_locked.try_lock(other)
            clock.at_first_sleep = other.connection.pgconn.finish
            run(timeout=600)
        assert clock.now > 0
        assert len(migrated) == 1

    def test_it_keeps_no_snapshot_for_which_an_index_that_is_built_concurrently_would_wait(self, db: None) -> None:
        with fresh_connection(statement_timeout_ms=0) as lock:
            for _ in range(6):  # often enough to be prepared
                assert migrate_locked.try_lock(lock)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT backend_xmin FROM pg_stat_activity WHERE pid = %s", [lock.connection.info.backend_pid]
                )
                assert cursor.fetchone() == (None,)

    def test_waiting_for_it_keeps_no_transaction_open_for_which_such_an_index_would_wait(self, db: None) -> None:
        def transaction_id() -> str:
            with connection.cursor() as cursor:
                pid = waiting.connection.info.backend_pid
                cursor.execute("SELECT virtualtransaction FROM pg_locks WHERE pid = %s LIMIT 1", [pid])
                return str(cursor.fetchone())

        with (
            fresh_connection(statement_timeout_ms=0) as holding,
            fresh_connection(statement_timeout_ms=0) as waiting,
        ):
            assert migrate_locked.try_lock(holding)
            assert not migrate_locked.try_lock(waiting)
            assert transaction_id() == "None"
            holding.rollback()
            assert migrate_locked.try_lock(waiting)
            with waiting.cursor() as cursor:
                cursor.execute("SHOW idle_in_transaction_session_timeout")
                assert cursor.fetchone() == ("0",)

    def test_an_idle_transaction_limit_does_not_take_it_away(self, db: None) -> None:
        with fresh_connection(statement_timeout_ms=0) as lock, lock.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            assert cursor.fetchone() == ("0",)

    def test_timeouts_are_the_transactions_own(self, db: None) -> None:
        """A pooler refuses them when a connection starts, and gives a session's settings to the next who asks."""
        with fresh_connection(statement_timeout_ms=1500) as own, own.cursor() as cursor:
            assert "statement_timeout" not in own.get_connection_params().get("options", "")
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("1500ms",)
            own.rollback()
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)


@pytest.mark.postgres
class TestALockThatIsHeld(TransactionTestCase):
    """Somebody's long transaction holds a table that a migration wants to change."""

    def setUp(self) -> None:
        self.patch = patch = pytest.MonkeyPatch()
        self.addCleanup(patch.undo)
        patch.setattr(f"{COMMAND}.pending_migrations", lambda _: ["todos.0002"])
        patch.setattr(f"{COMMAND}.call_command", self.migrate)
        patch.setattr(f"{COMMAND}.PAUSE_SECONDS", 0.3)
        patch.setattr("todo_project.ops.startup.locks.LOOK_SECONDS", 0.05)
        self.tried = 0
        self.waits = "0"
        self.before_the_second = lambda: None

    def migrate(self, name: str, **_: Any) -> None:
        self.tried += 1
        if self.tried == 2:
            self.before_the_second()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            self.waits = cursor.fetchone()[0]
            cursor.execute("LOCK TABLE todos_task IN ACCESS EXCLUSIVE MODE")

    def read(self) -> BaseDatabaseWrapper:
        """Begin to read tasks, and give the session that does it."""
        other = connection.copy()
        other.set_autocommit(False)
        self.addCleanup(other.close)
        with other.cursor() as cursor:
            cursor.execute("SET application_name = 'a long report'")
            cursor.execute("SELECT count(*) FROM todos_task")
        return other

    def test_is_not_waited_for_at_the_cost_of_everybody_else_and_its_holder_is_named(self) -> None:
        pid = self.read().connection.info.backend_pid
        with pytest.raises(CommandError) as error, self.assertLogs(COMMAND, "INFO") as logs:
            run(lock_timeout=2)

        said = rf"waited 2 s for a lock that is held by pid {pid} \(a long report, idle in transaction, \d+ s"
        assert re.search(rf"Not migrated: 5 times {said}", str(error.value)), error.value
        assert len(re.findall(said, "\n".join(logs.output))) == 4
        assert (self.tried, self.waits) == (5, "2s")

    def test_is_taken_when_its_holder_is_done(self) -> None:
        reading = self.read()
        self.before_the_second = reading.connection.pgconn.finish
        with self.assertLogs(COMMAND, "INFO") as logs:
            run(lock_timeout=0.5)

        assert any("retrying in 0.3 s (1 of 5)" in line for line in logs.output)
        assert self.tried > 1

    def test_nobody_else_inherits_the_limit(self) -> None:
        run()
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone() == ("0",)
        assert self.waits == "5s"

    def test_limits_an_alter_table_outside_of_transactions_too(self) -> None:
        waits: list[str] = []

        def constrain(_: Any, **__: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE todos_task ADD CONSTRAINT planted CHECK (title <> '') NOT VALID")
                cursor.execute("ALTER TABLE todos_task DROP CONSTRAINT planted")
                cursor.execute("SHOW lock_timeout")
                waits.append(cursor.fetchone()[0])

        reading = self.read()
        self.patch.setattr(f"{COMMAND}.call_command", constrain)
        with pytest.raises(CommandError, match=r"Not migrated: 5 times waited 0\.2 s .*a long report"):
            run(lock_timeout=0.2)
        reading.connection.pgconn.finish()
        run(lock_timeout=0.2)
        assert waits == ["0"]

    def test_another_error_is_not_tried_again(self) -> None:
        def fail(_: str, **__: Any) -> None:
            self.tried += 1
            raise OperationalError("the server closed the connection")

        self.patch.setattr(f"{COMMAND}.call_command", fail)
        with pytest.raises(CommandError, match="closed the connection"):
            run()
        assert self.tried == 1


@pytest.mark.postgres
class TestReplicas(TransactionTestCase):
    def test_that_start_together_migrate_once(self) -> None:
        done: list[str] = []
        pending = [True]
        all_have_looked = threading.Barrier(10)
        has_looked = threading.local()

        def look(_: Any) -> list[str]:
            found = ["todos.0002"] if pending else []
            if not hasattr(has_looked, "once"):
                has_looked.once = True
                all_have_looked.wait(600)
            return found

        def migrate(name: str, **_: Any) -> None:
            done.append(name)
            pending.clear()

        def replica() -> None:
            try:
                run(timeout=600)
            finally:
                connections.close_all()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"{COMMAND}.pending_migrations", look)
            patch.setattr(f"{COMMAND}.call_command", migrate)
            threads = [threading.Thread(target=replica) for _ in range(10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(done) == 1
