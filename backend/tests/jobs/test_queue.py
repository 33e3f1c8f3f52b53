"""Background work happens exactly if the change that wanted it does."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.exceptions import ConnectorException
from structlog.contextvars import bound_contextvars, get_contextvars

from todo_project.api import tasks as api_tasks
from todo_project.api.models import IdempotencyRecord, RateCounter
from todo_project.jobs import queue as jobs
from todo_project.jobs import tasks

PACKAGE = Path(str(django_settings.BASE_DIR)) / "todo_project"
PATIENCE = 120  # seconds; the machine may be busy
ON_SQLITE = pytest.mark.skipif(connection.vendor != "sqlite", reason="on PostgreSQL the worker runs jobs")


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Register tests.note, which notes what it was given."""
    noted: list[Any] = []
    monkeypatch.setattr(jobs, "registry", dict(jobs.registry))
    jobs.job("tests.note")(lambda **given: noted.append(given))
    return noted


def test_a_heartbeat_that_fails_is_tried_again(monkeypatch):
    monkeypatch.setattr(jobs, "_HEARTBEAT_SECONDS", 0)
    beaten: list[int] = []

    async def beat(worker_id: int) -> None:
        beaten.append(worker_id)
        if len(beaten) == 1:
            raise ConnectorException

    async def run() -> str:
        while len(beaten) < 2:
            await asyncio.sleep(0)
        return "done"

    worker: Any = SimpleNamespace(
        worker_id=7, app=SimpleNamespace(job_manager=SimpleNamespace(update_heartbeat=beat))
    )
    outcome = asyncio.run(asyncio.wait_for(jobs.beat_beside(run, SimpleNamespace(), worker), PATIENCE))
    assert (outcome, set(beaten)) == ("done", {7})


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


class TestContext:
    def test_a_job_knows_its_name_and_its_requests_id_and_forgets_them(self, db):
        seen: list[Any] = []
        known = jobs.Job(name="tests.note", run=lambda **given: seen.append(given | get_contextvars()), cron=None)
        jobs.in_context(known)(number=1, **{jobs.REQUEST_ID: "abc"})
        jobs.in_context(known)()
        assert seen == [{"number": 1, "job": "tests.note", "request_id": "abc"}, {"job": "tests.note"}]
        assert get_contextvars() == {}

    def test_a_job_of_a_later_release_may_bring_more_along(self, db):
        known = jobs.Job(name="tests.note", run=lambda **given: given, cron=None)
        assert jobs.in_context(known)(number=1, _invented_later=True) == {"number": 1}

    def test_an_async_one_too(self):
        async def note(**given: Any) -> dict[str, Any]:
            return given | get_contextvars()

        run = jobs.in_context(jobs.Job(name="tests.note", run=note, cron=None))
        assert async_to_sync(run)(**{jobs.REQUEST_ID: "abc"}) == {"job": "tests.note", "request_id": "abc"}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestWithWorker:
    @pytest.fixture
    def queue(self, done, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        from procrastinate.contrib.django import app
        from procrastinate.contrib.django.models import ProcrastinateJob

        with connection.cursor() as cursor:
            # the tables are no models of ours, so nothing empties them between tests
            cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
        # a worker would run what was due within the last ten minutes, in threads that leave their connections
        monkeypatch.setattr(app.periodic_registry, "periodic_tasks", {})
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

    def test_it_knows_its_name_and_the_request_that_wanted_it(self, queue, done):
        from procrastinate.contrib.django import app

        known = jobs.Job(name="tests.note", run=lambda **given: done.append(given | get_contextvars()), cron=None)
        app.tasks["tests.note"].func = jobs.in_context(known)
        with bound_contextvars(request_id="abc"):
            jobs.defer("tests.note", number=1)
        with app.replace_connector(app.connector.get_worker_connector()) as worker:
            worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
        assert done == [{"number": 1, "job": "tests.note", "request_id": "abc"}]

    def test_every_registered_job_is_the_workers_too(self):
        from procrastinate.contrib.django import app

        known = set(app.tasks)
        assert set(jobs.registry) <= known
        periodic = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
        assert {name: job.cron for name, job in jobs.registry.items() if job.cron} == {
            name: cron for name, cron in periodic.items() if name in jobs.registry
        }

    @pytest.mark.parametrize(
        ("silent", "timestamp", "status"),
        [(70, 1, "todo"), (20, 1, "doing"), (20, None, "todo"), (-60, None, "doing")],
        ids=["dead to all", "perhaps busy", "dead to the next", "alive"],
    )
    def test_a_job_of_a_worker_that_died_is_put_back(self, queue, silent, timestamp, status):
        jobs.defer("tests.note", number=1)
        take(queue.get().pk, silent_worker(silent))
        tend(timestamp)
        assert queue.get().status == status

    def test_a_job_that_ends_its_worker_each_time_fails_at_last(self, queue, caplog):
        jobs.defer("tests.note", number=1)
        statuses = []
        for _ in range(jobs.ATTEMPTS + 1):
            take(queue.get().pk, silent_worker(70))
            tend()
            statuses.append(queue.get().status)
        assert statuses == ["todo"] * jobs.ATTEMPTS + ["failed"]
        [record] = [record for record in caplog.records if record.levelname == "ERROR"]
        assert (record.job, record.job_id) == ("tests.note", queue.get().pk)

    def test_a_job_that_another_has_put_back_and_a_worker_has_taken_is_left_to_it(self, queue):
        jobs.defer("tests.note", number=1)
        dead, living = (silent_worker(seconds) for seconds in (70, -60))
        take(queue.get().pk, dead)
        with ThreadPoolExecutor() as threads:
            with transaction.atomic():
                take(queue.get().pk, living)
                tending = threads.submit(tend)
                until(is_waited_for)
            tending.result(PATIENCE)
        assert (queue.get().status, queue.get().worker_id) == ("doing", living)

    def test_a_worker_that_is_asked_to_stop_lives_for_as_long_as_its_jobs_run(self, queue, monkeypatch):
        from procrastinate.contrib.django import app

        monkeypatch.setattr(jobs, "_HEARTBEAT_SECONDS", 0.05)
        begun, enough = asyncio.Event(), asyncio.Event()

        async def work(**_: Any) -> None:
            begun.set()
            await asyncio.wait_for(enough.wait(), PATIENCE)

        async def story(worker: Any) -> None:
            async def ask(statement: str) -> Any:
                return await worker.connector.execute_query_one_async(statement)

            async with worker.open_async():
                running = asyncio.create_task(
                    worker.run_worker_async(install_signal_handlers=False, listen_notify=False)
                )
                await asyncio.wait_for(begun.wait(), PATIENCE)
                running.cancel()
                while "update_heartbeats" in {task.get_name() for task in asyncio.all_tasks()}:
                    await asyncio.sleep(0.01)
                await ask("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour' RETURNING 1")
                while not (await ask(IS_ALIVE))["alive"]:
                    assert not running.done()
                    await asyncio.sleep(0.05)
                enough.set()
                await asyncio.wait([running])

        app.tasks["tests.note"].func = work
        jobs.defer("tests.note")
        with app.replace_connector(app.connector.get_worker_connector()) as worker:
            asyncio.run(story(worker))
        assert queue.get().status == "succeeded"

    def test_a_worker_that_starts_asks_for_them(self, queue, monkeypatch):
        monkeypatch.setattr("procrastinate.contrib.django.management.commands.procrastinate.Command.handle", run)
        before = timezone.now()
        call_command("procrastinate", "worker")
        due = queue.model.objects.get(task_name="jobs.tend_queue").scheduled_at
        assert before <= due - dt.timedelta(seconds=5) <= timezone.now()

    def test_a_job_that_failed_is_kept_for_a_month(self, queue):
        for number in range(2):
            jobs.defer("tests.note", number=number)
        old, new = queue.order_by("id").values_list("id", flat=True)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")
            cursor.execute("UPDATE procrastinate_jobs SET status = 'failed'")
            cursor.execute("UPDATE procrastinate_events SET at = at - interval '31 days' WHERE job_id = %s", [old])
        tend()
        assert [job.pk for job in queue.all()] == [new]


def run(*_: Any, **__: Any) -> None:
    """Stand for the worker."""


IS_ALIVE = "SELECT last_heartbeat > now() - interval '1 minute' AS alive FROM procrastinate_workers"


def silent_worker(seconds: float) -> int:
    """Note a worker whose last sign of life is that old."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s) RETURNING id",
            [timezone.now() - dt.timedelta(seconds=seconds)],
        )
        return int(cursor.fetchone()[0])


def take(job_id: int, worker_id: int) -> None:
    """Have a worker do a job."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s", [worker_id, job_id]
        )


def is_waited_for() -> bool:
    """Return whether another session waits for a lock of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return bool(cursor.fetchone()[0])


def until(holds: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def tend(timestamp: int | None = 1) -> None:
    """Run the job as the worker does: with a pool of its own, which is closed with it."""
    from procrastinate.contrib.django import app

    async def run(worker: Any) -> None:
        async with worker.open_async():
            await tasks.tend_queue(timestamp)

    with app.replace_connector(app.connector.get_worker_connector()) as worker:
        asyncio.run(run(worker))


def test_what_is_long_over_is_purged(db):
    now = timezone.now()
    for age, key in ((api_tasks.IDEMPOTENCY_HOURS + 1, "old"), (1, "new")):
        IdempotencyRecord.objects.create(
            owner_id="019aaaaa-0000-7000-8000-000000000001",
            key=key,
            fingerprint="x",
            created_at=now - dt.timedelta(hours=age),
        )
    RateCounter.objects.create(pk="old", window_end=int(now.timestamp()) - 1, spent=1)
    RateCounter.objects.create(pk="new", window_end=int(now.timestamp()) + 60, spent=1)
    api_tasks.purge_expired(timestamp=int(now.timestamp()))
    assert list(IdempotencyRecord.objects.values_list("key", flat=True)) == ["new"]
    assert list(RateCounter.objects.values_list("pk", flat=True)) == ["new"]
