"""What the doctor makes of what it sees: well, not for ever, not at all; and what to do."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, ProgrammingError, connection
from django.utils import timezone

from todo_project.ops.health import doctor
from todo_project.ops.health.diagnosis import failure, ok, warning
from todo_project.ops.health.doctor import database, files, queue
from todo_project.ops.models import BackupRun

GIB = 2**30


def levels(found: Any) -> list[str]:
    return [diagnosis.level for diagnosis in found]


@pytest.fixture
def roots(settings: Any, tmp_path: Path) -> tuple[Path, Path]:
    media, static = tmp_path / "media", tmp_path / "static"
    media.mkdir()
    static.mkdir()
    settings.MEDIA_ROOT, settings.STATIC_ROOT = media, static
    return media, static


def run(**options: Any) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("doctor", stdout=out, **options)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


class TestTheCommand:
    @pytest.fixture
    def checks(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """The checks that run."""
        monkeypatch.setattr(doctor, "contributions", {})
        monkeypatch.setattr(doctor, "CHECKS", chosen := {"clock": lambda: [ok("it is right")]})
        return chosen

    def test_says_how_it_is_and_what_to_do(self, checks: dict[str, Any]) -> None:
        checks["disk"] = lambda: [warning("it is filling", "free some")]
        assert run() == (0, "ok       clock: it is right\nwarning  disk: it is filling\n         next: free some\n")

    def test_fails_when_something_does_not_work(self, checks: dict[str, Any]) -> None:
        checks["disk"] = lambda: [failure("it is full", "free some")]
        status, said = run(as_json=True)
        assert status == 1
        assert json.loads(said) == {
            "ok": False,
            "findings": [
                {"check": "clock", "level": "ok", "message": "it is right", "hint": ""},
                {"check": "disk", "level": "failure", "message": "it is full", "hint": "free some"},
            ],
        }

    def test_goes_on_after_a_check_that_breaks(self, checks: dict[str, Any]) -> None:
        def lost() -> Any:
            raise OperationalError("connection refused")

        def broken() -> Any:
            raise KeyError("x")

        def missing() -> Any:
            raise ProgrammingError('relation "jobs" does not exist\nLINE 7: FROM jobs')

        checks |= {"queue": lost, "disk": broken, "mails": missing, "last": lambda: [ok("reached")]}
        status, said = run()
        assert status == 1
        assert 'mails: the database refuses this check: relation "jobs" does not exist\n' in said
        assert "queue: the database does not answer: connection refused" in said
        assert "disk: the check failed: KeyError('x')" in said
        assert "last: reached" in said


class TestFiles:
    def test_that_can_be_written_are_well_and_left_clean(self, roots: tuple[Path, Path]) -> None:
        assert levels(files.volumes()) == ["ok", "ok"]
        assert [list(root.iterdir()) for root in roots] == [[], []]

    def test_that_cannot_be_written_are_a_failure_with_the_user(self, roots: tuple[Path, Path]) -> None:
        roots[0].rmdir()
        first, second = files.volumes()
        assert (first.level, second.level) == ("failure", "ok")
        assert f"{roots[0]} cannot be written: No such file" in first.message
        assert f"user {os.getuid()}" in first.hint

    @pytest.mark.parametrize(("is_mount", "level"), [(False, "ok"), (True, "failure")])
    def test_a_container_may_lack_the_volume_of_static_files_but_not_the_media(
        self, roots: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, *, is_mount: bool, level: str
    ) -> None:
        def read_only(**options: object) -> None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        monkeypatch.setattr(files.tempfile, "NamedTemporaryFile", read_only)
        monkeypatch.setattr(Path, "is_mount", lambda self: is_mount)
        assert levels(files.volumes()) == ["failure", level]

    @pytest.mark.parametrize(
        ("space", "inodes", "level", "told"),
        [
            (50, 50, "ok", "50% of its space free (50.0 GiB)"),
            (14, 50, "warning", "14% of its space free (14.0 GiB)"),
            (50, 4, "failure", "4% of its inodes free (4)"),
        ],
    )
    def test_are_judged_by_what_is_scarcer(self, space: int, inodes: int, level: str, told: str) -> None:
        found = os.statvfs_result((GIB, GIB, 100, space, space, 100, inodes, inodes, 0, 255))
        message = files.free_space(Path("/media"), found)
        assert message.level == level
        assert message.message == f"/media has {told}"

    def test_on_one_file_system_are_one_diagnosis(
        self, roots: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(roots[0]))
        assert len(list(files.disk())) == 1


@pytest.mark.parametrize(
    ("needed", "rolling", "level"), [(10, 20, "ok"), (90, 97, "ok"), (90, 98, "warning"), (98, 99, "failure")]
)
def test_connections_are_counted_for_a_release_that_rolls_too(needed: int, rolling: int, level: str) -> None:
    found = database.budget(needed, rolling, free=97, most=100)
    assert found.level == level
    assert f"up to {needed} connections are needed, {rolling} during a release; 97 of 100" in found.message


@pytest.mark.parametrize(("seconds", "level"), [(0.9, "ok"), (-1.1, "warning"), (11, "failure"), (-11, "failure")])
def test_clocks_may_differ_a_little(seconds: float, level: str) -> None:
    assert database.clock_difference(seconds).level == level


@pytest.mark.parametrize(("lag", "level"), [(None, "warning"), (0, "ok"), (300 << 20, "warning")])
def test_an_archive_falls_behind(lag: int | None, level: str) -> None:
    assert database.archive_lag(lag).level == level


@pytest.mark.parametrize(("hours", "level"), [(25, "ok"), (27, "warning"), (73, "failure")])
def test_a_backup_grows_old(hours: int, level: str) -> None:
    assert database.backup_age(hours * 3600).level == level


@pytest.mark.parametrize(
    ("due", "seconds", "level"), [(0, 0, "ok"), (3, 119, "ok"), (3, 121, "warning"), (3, 901, "failure")]
)
def test_jobs_may_wait_a_little(due: int, seconds: int, level: str) -> None:
    assert queue.waiting(due, seconds).level == level


class TestTheDatabase:
    def test_with_every_migration_is_well(self, db: None) -> None:
        assert levels(database.migrations()) == ["ok"]

    def test_without_one_is_a_failure_that_names_it(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database, "pending_migrations", lambda _: ["todos.0002_more"])
        [found] = database.migrations()
        assert (found.level, found.message) == ("failure", "pending: todos.0002_more")

    def test_without_many_names_three(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database, "pending_migrations", lambda _: list("abcde"))
        [found] = database.migrations()
        assert found.message == "pending: a, b, c and 2 more"

    @pytest.mark.postgres
    def test_is_asked_for_its_limits_and_its_clock(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database, "CLOCK_WARNING_SECONDS", 60)  # a busy machine may take long to ask
        monkeypatch.setattr(database, "CLOCK_FAILURE_SECONDS", 60)
        [connections] = database.connections()
        assert connections.level == "ok", connections
        [clock] = database.clock()
        assert clock.level == "ok", clock

    def test_reports_the_last_backup_that_succeeded(self, db: None) -> None:
        assert levels(database.backup()) == ["failure"]
        for hours, outcome in ((30, "ok"), (0, "failed")):
            moment = timezone.now() - dt.timedelta(hours=hours)
            BackupRun.objects.create(outcome=outcome, started_at=moment, finished_at=moment, bytes=1)
        [found] = database.backup()
        assert (found.level, found.message) == ("warning", "the last good backup is 30 hours old")

    def test_says_nothing_of_backups_before_the_migration_that_records_them(
        self, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(BackupRun._meta, "db_table", "not_yet")
        assert list(database.backup()) == []


@pytest.mark.postgres
class TestTheQueue:
    def test_that_is_empty_waits_for_nothing(self, db: None) -> None:
        assert levels(queue.jobs()) == ["ok"]
        assert levels(queue.workers()) == ["failure"]

    def test_shows_a_job_that_nobody_begins_and_one_that_nobody_ends(self, db: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status, scheduled_at) VALUES"
                " ('q', 'x.y', 'todo', now() - interval '20 minutes'),"
                " ('q', 'x.y', 'todo', now() + interval '20 minutes'),"
                " ('q', 'x.y', 'doing', NULL)"
            )
            assert next(iter(queue.jobs())).level == "ok"  # it was put in just now
            cursor.execute("UPDATE procrastinate_events SET at = at - interval '16 minutes'")
        waiting, stalled = queue.jobs()
        assert (waiting.level, stalled.level) == ("failure", "warning")
        assert waiting.message.startswith("jobs that are due: 1, the oldest for 96")
        assert stalled.message.startswith("jobs whose worker is gone: 1")

    def test_counts_the_workers_that_live(self, db: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()), (now() - interval '2 minutes')"
            )
        assert [diagnosis.message for diagnosis in queue.workers()] == ["1 worker is alive"]
