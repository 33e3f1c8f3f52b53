"""Background work happens exactly if the change that wanted it does."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections, transaction
from django.utils import timezone

from todo_project.common import jobs, tasks
from todo_project.common.models import IdempotencyRecord, RateCounter

PACKAGE = Path(str(django_settings.BASE_DIR)) / "todo_project"
ON_SQLITE = pytest.mark.skipif(connection.vendor != "sqlite", reason="on PostgreSQL the worker runs jobs")


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Register tests.note, which notes what it was given."""
    noted: list[Any] = []
    monkeypatch.setattr(jobs, "registry", dict(jobs.registry))
    jobs.job("tests.note")(lambda **given: noted.append(given))
    return noted


def deferred_names() -> set[str]:
    """Read every name that the code gives to jobs.defer."""
    names = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
            if is_call and getattr(node.func, "attr", getattr(node.func, "id", "")) == "defer" and node.args:
                assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}: name the job as text"
                names.add(node.args[0].value)
    return names


def test_every_name_that_is_deferred_is_registered():
    assert deferred_names() <= set(jobs.registry)


def test_every_job_is_named_after_its_app():
    for name, known in jobs.registry.items():
        assert name.split(".")[0] == known.run.__module__.split(".")[1], name


def test_an_unknown_name_fails_where_it_is_written(db):
    with pytest.raises(KeyError):
        jobs.defer("tests.nothing")


@ON_SQLITE
class TestWithoutWorker:
    def test_a_job_runs_after_the_commit(self, db, done, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            jobs.defer("tests.note", number=1)
            assert done == []
        assert done == [{"number": 1}]

    @pytest.mark.django_db(transaction=True)
    def test_a_job_of_what_is_rolled_back_never_runs(self, done):
        with transaction.atomic():
            jobs.defer("tests.note", number=1)
            transaction.set_rollback(True)
        assert done == []

    def test_a_job_that_fails_is_logged_and_breaks_nothing(
        self, db, done, django_capture_on_commit_callbacks, caplog
    ):
        jobs.job("tests.fail")(lambda: 1 / 0)
        with django_capture_on_commit_callbacks(execute=True):
            jobs.defer("tests.fail")
        assert any(record.exc_info for record in caplog.records)

    def test_an_async_job_runs_too(self, db, done, django_capture_on_commit_callbacks):
        async def note(number: int) -> None:
            done.append(number)

        jobs.job("tests.async")(note)
        with django_capture_on_commit_callbacks(execute=True):
            jobs.defer("tests.async", number=3)
        assert done == [3]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestWithWorker:
    @pytest.fixture
    def queue(self, done) -> Iterator[Any]:
        from procrastinate.contrib.django import app
        from procrastinate.contrib.django.models import ProcrastinateJob

        with connection.cursor() as cursor:
            # the tables are no models of ours, so nothing empties them between tests
            cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
        app.task(name="tests.note")(jobs.registry["tests.note"].run)
        yield ProcrastinateJob.objects.filter(task_name="tests.note")
        del app.tasks["tests.note"]

    def test_a_job_is_a_row_of_the_same_transaction(self, queue):
        with transaction.atomic():
            jobs.defer("tests.note", number=1)
            assert queue.get().args == {"number": 1}
        assert queue.count() == 1

    def test_a_job_of_what_is_rolled_back_does_not_exist(self, queue):
        with transaction.atomic():
            jobs.defer("tests.note", number=1)
            transaction.set_rollback(True)
        assert queue.count() == 0

    def test_the_worker_runs_it_with_its_arguments(self, queue, done):
        from procrastinate.contrib.django import app

        jobs.defer("tests.note", number=1)
        with app.replace_connector(app.connector.get_worker_connector()) as worker:
            worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
        assert done == [{"number": 1}]
        assert queue.get().status == "succeeded"

    def test_every_registered_job_is_the_workers_too(self):
        from procrastinate.contrib.django import app

        known = set(app.tasks)
        assert set(jobs.registry) <= known
        periodic = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
        assert {name: job.cron for name, job in jobs.registry.items() if job.cron} == {
            name: cron for name, cron in periodic.items() if name in jobs.registry
        }

    def test_a_job_of_a_worker_that_died_is_put_back(self, queue):
        from asgiref.sync import async_to_sync, sync_to_async

        async def tend_and_hang_up() -> None:
            await tasks.tend_queue()
            await sync_to_async(connections.close_all)()  # it has a thread and a connection of its own

        jobs.defer("tests.note", number=1)
        job_id = queue.get().pk
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id"
            )
            worker_id = cursor.fetchone()[0]
            cursor.execute(
                "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s", [worker_id, job_id]
            )
        async_to_sync(tend_and_hang_up)()
        assert queue.get().status == "todo"


def test_what_is_long_over_is_purged(db):
    now = timezone.now()
    for age, key in ((tasks.IDEMPOTENCY_HOURS + 1, "old"), (1, "new")):
        IdempotencyRecord.objects.create(
            owner_id="019aaaaa-0000-7000-8000-000000000001",
            key=key,
            fingerprint="x",
            created_at=now - dt.timedelta(hours=age),
        )
    RateCounter.objects.create(pk="old", window_end=int(now.timestamp()) - 1, spent=1)
    RateCounter.objects.create(pk="new", window_end=int(now.timestamp()) + 60, spent=1)
    tasks.purge_expired(timestamp=int(now.timestamp()))
    assert list(IdempotencyRecord.objects.values_list("key", flat=True)) == ["new"]
    assert list(RateCounter.objects.values_list("pk", flat=True)) == ["new"]
