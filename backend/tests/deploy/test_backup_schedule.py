"""deploy/backup: the schedule, the environment variables, and the output of the commands."""

from __future__ import annotations

import contextlib
import datetime
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from backup import commands, creation, database, environment, health, report, schedule
from backup.store import Store
from django.db import connection
from host.console import Console, Failure
from host.stack import Stack

from tests.architecture.source import DEPLOY
from todo_project.ops.management.commands import migrate_locked
from todo_project.ops.startup.database import fresh_connection

AT = datetime.time(3, 15)


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(f"2026-{text}:00+00:00")


class TestSchedule:
    @pytest.mark.parametrize(
        ("now", "last", "due"),
        [
            ("11-24T03:14", "11-23T03:15", False),
            ("11-24T03:15", "11-23T03:15", True),
            ("11-24T03:16", "11-24T03:15", False),
            ("11-24T23:59", "11-23T03:15", True),  # missed, caught up
            ("11-24T02:00", "11-22T03:15", True),  # missed yesterday
            ("11-24T02:00", "11-23T14:00", False),  # somebody's own one counts
            ("11-24T02:00", None, True),  # none at all
        ],
    )
    def test_a_backup_is_due_once_after_each_scheduled_time(self, now: str, last: str | None, due: bool) -> None:
        assert schedule.is_due(AT, moment(now), last=moment(last) if last else None) is due

    def test_after_a_failure_it_waits_and_then_tries_again(
        self, scheduler: schedule.Scheduler, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock, started = [1000.0], []
        monkeypatch.setattr(schedule.time, "monotonic", lambda: clock[0])
        monkeypatch.setattr(schedule.subprocess, "Popen", lambda command, **_: started.append(command[-1]))
        monkeypatch.setattr(schedule, "is_due", lambda *_, **__: False)
        monkeypatch.setattr(database, "is_migrating", lambda _: False)
        monkeypatch.setattr(database, "value", lambda *_: None)
        monkeypatch.setattr(scheduler, "_notice_missing", lambda _: None)

        def tick() -> int:
            scheduler._tick()
            return started.count("daily")

        assert tick() == 0
        scheduler._finish(1)
        clock[0] += schedule.RETRY_SECONDS - 1
        assert tick() == 0
        clock[0] += 1
        assert tick() == 1
        scheduler._finish(0)
        assert tick() == 1


@pytest.fixture
def scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> schedule.Scheduler:
    monkeypatch.setattr(database.Server, "connected", lambda _: contextlib.nullcontext())
    return schedule.Scheduler(Store(environment.read({"BACKUP_ROOT": str(tmp_path)})), database.Server(""))


def test_no_backup_is_due_while_a_migration_runs(
    scheduler: schedule.Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrating = [True, False]
    monkeypatch.setattr(database, "is_migrating", lambda _: migrating.pop(0))
    monkeypatch.setattr(database, "value", lambda *_: None)
    monkeypatch.setattr(scheduler, "_notice_missing", lambda _: None)
    assert [scheduler._is_due(), scheduler._is_due()] == [False, True]


def test_records_are_compared_with_the_volume_once_and_after_each_change(
    scheduler: schedule.Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[object] = []
    monkeypatch.setattr(creation, "forget_missing", lambda *each: compared.append(each))

    def compare() -> int:
        scheduler._notice_missing(None)  # type: ignore[arg-type] # it is passed on
        return len(compared)

    assert [compare(), compare()] == [1, 1]  # a lost volume has no repository
    (tmp_path / "repository/snapshots").mkdir(parents=True)
    assert [compare(), compare()] == [2, 2]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)  # each statement by itself, as in the service
def test_a_migration_is_seen_while_it_holds_its_lock() -> None:
    connection.ensure_connection()
    asked = connection.connection
    assert not database.is_migrating(asked)
    with fresh_connection(statement_timeout_ms=0) as lock:
        with lock.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [migrate_locked.LOCK])
        assert database.is_migrating(asked)
    assert not database.is_migrating(asked)


class TestHealth:
    @pytest.mark.parametrize(
        ("age", "failed", "problem"),
        [
            (0, None, None),
            (60, None, None),
            (121, None, "is not running"),
            (None, None, "is not running"),
            (0, "2026-11-24T03:16:00Z", "the last backup failed at 2026-11-24T03:16:00Z"),
        ],
    )
    def test_says_what_is_wrong(
        self, tmp_path: Path, age: float | None, failed: str | None, problem: str | None
    ) -> None:
        if age is not None:
            (tmp_path / health.BEAT).touch()
            os.utime(tmp_path / health.BEAT, (time.time() - age,) * 2)
        if failed:
            (tmp_path / health.FAILED).write_text(failed)
        found = health.problem(tmp_path)
        assert found is None if problem is None else problem in str(found)

    def test_a_failed_backup_is_one_until_the_next_succeeds(
        self, scheduler: schedule.Scheduler, tmp_path: Path
    ) -> None:
        (tmp_path / health.BEAT).touch()
        scheduler._finish(1)
        assert "the last backup failed" in str(health.problem(tmp_path))
        scheduler._finish(0)
        assert health.problem(tmp_path) is None


class TestEnvironment:
    def test_empty_texts_are_none_and_have_the_defaults(self) -> None:
        names = ("BACKUP_AT", "BACKUP_KEEP_DAILY", "BACKUP_S3_URL", "BACKUP_PASSWORD", "BACKUP_IDENTITY_FILE")
        read = environment.read(dict.fromkeys(names, ""))
        assert (read.at, read.keep_daily, read.keep_weekly, read.keep_monthly) == (AT, 7, 4, 6)
        assert read.remote is None
        assert read.password is read.identity is None

    def test_everything_may_be_set(self) -> None:
        read = environment.read(
            {
                "BACKUP_AT": "23:59",
                "BACKUP_KEEP_DAILY": "1",
                "BACKUP_KEEP_WEEKLY": "0",
                "BACKUP_KEEP_MONTHLY": "2",
                "BACKUP_PASSWORD": "the-password",
                "BACKUP_S3_URL": "s3://bucket/some/prefix/",
                "BACKUP_S3_ENDPOINT": "http://s3:9000",
                "BACKUP_S3_ACCESS_KEY_ID": "key",
                "BACKUP_S3_SECRET_ACCESS_KEY": "the-secret",
            }
        )
        assert (read.keep_daily, read.keep_weekly, read.keep_monthly) == (1, 0, 2)
        assert read.at == datetime.time(23, 59)
        assert read.password == "the-password"
        assert read.remote == "s3:http://s3:9000/bucket/some/prefix"
        assert read.keys == {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "the-secret"}

    @pytest.mark.parametrize(
        ("given", "url"),
        [
            ({"BACKUP_S3_URL": "s3://bucket"}, "s3:https://s3.amazonaws.com/bucket"),
            ({"BACKUP_REPOSITORY": "sftp:backup@nas:/todo"}, "sftp:backup@nas:/todo"),
        ],
    )
    def test_the_other_repository_is_named_as_restic_does(self, given: dict[str, str], url: str) -> None:
        assert environment.read(given).remote == url

    def test_a_secret_may_lie_in_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text(" AGE-SECRET-KEY-1X \n")
        assert environment.read({"BACKUP_IDENTITY_FILE": str(tmp_path / "secret")}).identity == "AGE-SECRET-KEY-1X"
        with pytest.raises(report.Failure, match="BACKUP_IDENTITY_FILE cannot be read"):
            environment.read({"BACKUP_IDENTITY_FILE": str(tmp_path / "nowhere")})


class TestCommands:
    @pytest.mark.parametrize("command", ["backup", "verify", "restore"])
    def test_each_prints_its_usage_with_the_systems_own_python(self, command: str) -> None:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(DEPLOY / "backup" / command), "--help"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"usage: deploy/backup/{command}" in done.stdout

    @pytest.mark.parametrize(
        "arguments",
        [
            *(
                ["prod"],
                ["prod", "latest", "--undo"],
                ["prod", "latest", "--to", "latest"],
                ["production", "latest"],
            ),
            ["prod", "latest", "--identity", "/nowhere"],
        ],
    )
    def test_a_restore_of_nothing_or_of_two_things_is_a_wrong_use(self, arguments: list[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            commands.main("restore", arguments)
        assert ended.value.code == 2

    def test_they_import_nothing_but_the_standard_library(self) -> None:
        program = "import sys; sys.path.insert(0, sys.argv[1]); import backup.commands; print(*sys.modules)"
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program, str(DEPLOY)], capture_output=True, text=True, check=True
        )
        imported = {name.split(".")[0] for name in done.stdout.split()}
        assert imported - sys.stdlib_module_names == {"host", "backup", "__main__"}

    def test_a_failure_in_the_image_is_refused_with_its_own_hint(self) -> None:
        class Failing:
            def compose(self, *words: str, **_: object) -> subprocess.CompletedProcess[str]:
                return subprocess.CompletedProcess(
                    words, 1, 'noise\n{"error": "it is full", "hint": "free some"}\n', ""
                )

        with pytest.raises(Failure) as refused:
            commands.Image(Failing()).ask("backup")  # type: ignore[arg-type]
        assert (refused.value.cause, refused.value.hint) == ("it is full", "free some")

    def test_the_content_of_an_identity_reaches_the_container_in_a_variable(
        self, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "key.txt").write_text("AGE-SECRET-KEY-1X\n")
        given: list[Any] = []

        def compose(_: Stack, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
            given.append(options["extra"])
            assert "AGE-SECRET-KEY-1X" not in " ".join(words)
            return subprocess.CompletedProcess(words, 0, '{"name": "one", "proved": []}', "")

        monkeypatch.setattr(commands, "Stack", lambda env: Stack(env, repository=repository))
        monkeypatch.setattr(Stack, "compose", compose)
        commands.main("verify", ["prod", "--identity", str(tmp_path / "key.txt")])
        assert given == [{"BACKUP_IDENTITY": "AGE-SECRET-KEY-1X\n"}]

    def test_an_image_that_says_nothing_is_refused_with_its_last_words(self) -> None:
        class Silent:
            def compose(self, *words: str, **_: object) -> subprocess.CompletedProcess[str]:
                return subprocess.CompletedProcess(words, 125, "", "no such image")

        with pytest.raises(Failure, match="no such image"):
            commands.Image(Silent()).ask("list")  # type: ignore[arg-type]


@pytest.mark.parametrize("command", [("backup", "prod"), ("restore", "prod", "latest", "--replace")])
def test_a_database_elsewhere_is_neither_backed_up_nor_replaced(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    stack = Stack("prod", repository=repository)
    stack.set_values({"DATABASE_URL": "postgres://todo_user:x@elsewhere:5432/todo_db"})
    monkeypatch.setattr(commands, "Stack", lambda env: stack)
    monkeypatch.setattr(Stack, "run", lambda *_, **__: pytest.fail("nothing is to be run"))
    with pytest.raises(SystemExit) as ended:
        commands.main(command[0], command[1:])
    assert ended.value.code == 1
    assert "an external database" in capsys.readouterr().err


@pytest.mark.parametrize("cut_off", [Failure("killed", "repeat"), KeyboardInterrupt()])
@pytest.mark.parametrize("outcome", ["finished", "undone"])
def test_an_exchange_that_was_cut_off_is_whole_before_anybody_writes_again(
    repository: Path, monkeypatch: pytest.MonkeyPatch, cut_off: BaseException, outcome: str
) -> None:
    done: list[str] = []

    def ask(self: commands.Image, word: str, **_: Any) -> dict[str, Any]:
        done.append(word)
        if word == "undo":
            raise cut_off
        return {"outcome": outcome if "undo" in done else "nothing", "kept": "todo_db_before_x"}

    def compose(self: Stack, *arguments: str, **_: Any) -> subprocess.CompletedProcess[str]:
        done.append(arguments[0])
        return subprocess.CompletedProcess(arguments, 0, "backend\ndb\n", "")

    monkeypatch.setattr(commands, "Stack", lambda env: Stack(env, repository=repository))
    monkeypatch.setattr(commands.Image, "ask", ask)
    monkeypatch.setattr(Stack, "compose", compose)
    options = commands._options("restore").parse_args(["prod", "--undo"])

    expected = contextlib.nullcontext() if outcome == "finished" else pytest.raises(type(cut_off))
    with expected:
        assert commands.Restore(Console(), options).run() == {"kept": "todo_db_before_x"}
    assert done[:7] == ["ps", "up", "settle", "stop", "undo", "settle", "start"]
