"""Large files are imported by jobs: how far each is can be asked, and each is imported exactly once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.utils import timezone

from tests.conftest import Person
from tests.imports.calendars import calendar, todo
from tests.imports.stories import counts, imported, send, task
from todo_project.imports import tasks
from todo_project.imports.models import Import
from todo_project.imports.services import components, imports, writing
from todo_project.jobs import queue
from todo_project.todos.models import Task
from todo_project.todos.services import locks

pytestmark = pytest.mark.django_db

DATA = calendar(todo("CATEGORIES:Home"), todo("LOCATION:Balcony", uid="2"))


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every file large."""
    monkeypatch.setattr(imports, "AT_ONCE_BYTES", 0)


@pytest.fixture
def deferred(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Note the jobs instead of running them."""
    noted: list[dict[str, Any]] = []
    monkeypatch.setattr(queue, "defer", lambda name, **given: noted.append({"name": name, **given}))
    return noted


@pytest.fixture
def started(alice: Person, deferred: list[dict[str, Any]]) -> Callable[[bytes], str]:
    """Start an import and give its path."""

    def start(data: bytes = DATA) -> str:
        answer = send(alice, data)
        assert answer.status_code == 202, answer.content
        path: str = answer["Location"]
        return path

    return start


def run(path: str) -> None:
    tasks.run(path.rpartition("/")[2])


def in_ones(items: Iterable[Any], size: int = 1) -> Iterator[list[Any]]:
    """Make each item a batch."""
    return ([item] for item in items)


def fail_once(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Make the next import fail after it has written its tasks."""
    write = writing.Writer.write

    def write_and_fail(self: Any, found: Any, **named: Any) -> None:
        write(self, found, **named)
        monkeypatch.setattr(writing.Writer, "write", write)
        raise error

    monkeypatch.setattr(writing.Writer, "write", write_and_fail)


class TestAnswers:
    def test_the_answer_says_where_to_ask(self, alice, deferred):
        answer = send(alice, DATA)
        body = answer.json()
        assert answer.status_code == 202
        assert answer["Location"] == f"/api/v1/imports/{body['id']}"
        assert (body["status"], body["progress"], body["report"], body["error"]) == ("pending", 0, None, None)
        assert deferred == [{"name": "imports.run", "lock": f"imports:{alice.user.pk}", "import_id": body["id"]}]
        assert alice.api.get(answer["Location"]).json() == body

    def test_a_done_import_has_the_report_and_no_longer_the_file(self, alice, started):
        path = started()
        run(path)
        body = alice.api.get(path).json()
        assert (body["status"], body["progress"], body["error"]) == ("done", 100, None)
        assert counts(body["report"]) == (2, 0, 0)
        assert [each["property"] for each in body["report"]["unsupported"]] == ["LOCATION"]
        assert task(alice)["title"] == "Water the plants"
        assert bytes(Import.objects.get().file) == b""

    def test_whoever_has_the_answer_is_told_that_it_is_still_true(self, alice, started):
        path = started()
        tag = alice.api.get(path)["ETag"]
        assert alice.api.get(path, headers={"If-None-Match": tag}).status_code == 304
        run(path)
        assert alice.api.get(path, headers={"If-None-Match": tag}).status_code == 200

    def test_progress_grows_while_the_file_is_read(self, alice, started, monkeypatch):
        monkeypatch.setattr("todo_project.imports.services.ics._PROGRESS_EVERY", 1)
        path = started(calendar(*[todo(uid=f"{number}") for number in range(4)]))
        seen = []
        write = writing.Writer.write

        def look(self: Any, found: Any, **named: Any) -> None:
            seen.append(alice.api.get(path).json())
            write(self, found, **named)

        monkeypatch.setattr(writing.Writer, "write", look)
        run(path)
        assert [(each["status"], each["progress"]) for each in seen] == [("running", 50)]

    def test_progress_grows_while_the_tasks_are_written(self, alice, started, monkeypatch):
        imported_before = [todo(uid=f"{number}") for number in range(2)]
        monkeypatch.setattr(imports, "AT_ONCE_BYTES", 10_000)
        imported(alice, calendar(*imported_before))
        monkeypatch.setattr(imports, "AT_ONCE_BYTES", 0)
        monkeypatch.setattr("todo_project.todos.services.batches.batched", in_ones)
        seen = []

        def look(write: Callable[[], object]) -> None:
            write()
            seen.append(alice.api.get(path).json()["progress"])

        monkeypatch.setattr(imports, "write_aside", look)
        changed = [todo(uid=f"{number}", summary="Sow") for number in range(2)]
        path = started(calendar(*changed, *[todo(uid=f"new {number}") for number in range(3)]))
        run(path)
        assert seen == [60, 70, 80, 90, 100]
        assert counts(alice.api.get(path).json()["report"]) == (3, 2, 0)

    def test_the_tasks_carry_the_time_at_which_they_are_written(self, alice, started, monkeypatch):
        path, place = started(DATA + b"\n"), writing.Writer._place

        def wait_for_locks(self: Any, *given: Any) -> None:
            place(self, *given)
            traveller.shift(dt.timedelta(minutes=5))

        monkeypatch.setattr(writing.Writer, "_place", wait_for_locks)
        with time_machine.travel(dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC), tick=False) as traveller:
            run(path)
        labels = alice.api.get("/labels").json()["results"]
        for row in (task(alice), task(alice, "2"), *labels):
            assert (row["created_at"], row["updated_at"]) == ("2026-11-29T12:05:00Z",) * 2

    def test_a_stranger_finds_no_import(self, started, mallory):
        assert mallory.api.get(started()).status_code == 404

    def test_a_repetition_with_the_same_key_starts_nothing_new(self, alice, deferred):
        headers = {"Idempotency-Key": "once"}
        first = send(alice, DATA, headers=headers)
        again = send(alice, DATA, headers=headers)
        assert (again.status_code, again["Location"], again.content) == (202, first["Location"], first.content)
        assert len(deferred) == 1

    @pytest.mark.skipif(connection.vendor == "postgresql", reason="a worker runs the jobs there")
    def test_without_a_worker_the_job_runs_after_the_commit(self, alice, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            path = send(alice, DATA)["Location"]
        assert alice.api.get(path).json()["status"] == "done"


class TestRefusals:
    def test_what_can_be_known_at_once_is_refused_at_once(self, alice, deferred):
        archived = alice.api.post("/projects", {"name": "Garden"}).json()["id"]
        alice.api.patch(f"/projects/{archived}", {"is_archived": True})
        assert send(alice, b"<html></html>").status_code == 400
        assert send(alice, DATA, project_id=archived).json()["errors"][0]["code"] == "project_archived"
        assert (deferred, Import.objects.count()) == ([], 0)

    def test_a_file_that_cannot_be_imported_fails_with_the_reason(self, alice, started, monkeypatch):
        monkeypatch.setattr(components, "MAX_LINES_OF_FILE", 5)
        path = started()
        run(path)
        body = alice.api.get(path).json()
        assert (body["status"], body["report"]) == ("failed", None)
        assert "more than 5 lines" in body["error"]
        assert bytes(Import.objects.get().file) == b""

    def test_a_project_that_is_gone_when_the_job_runs_is_a_reason(self, alice, deferred):
        garden = alice.api.post("/projects", {"name": "Garden"}).json()["id"]
        path = send(alice, DATA, project_id=garden)["Location"]
        alice.api.delete(f"/projects/{garden}")
        run(path)
        assert "no project" in alice.api.get(path).json()["error"]
        assert alice.api.get("/tasks").json()["results"] == []

    def test_an_account_has_a_few_unfinished_imports_at_most(self, alice, bob, started):
        paths = [started() for _ in range(imports.UNFINISHED_MAX)]
        refused = send(alice, DATA)
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) > 0
        assert send(bob, DATA).status_code == 202
        run(paths[0])
        assert send(alice, DATA).status_code == 202


class TestExactlyOnce:
    @pytest.mark.parametrize("error", [OperationalError("the server closed the connection"), locks.moved()])
    def test_a_job_that_was_killed_or_lost_a_race_is_repeated(self, alice, started, monkeypatch, error):
        path = started()
        fail_once(monkeypatch, error)
        with pytest.raises(type(error)):
            run(path)
        assert alice.api.get(path).json()["status"] == "running"
        assert Task.objects.count() == 0
        run(path)
        assert counts(alice.api.get(path).json()["report"]) == (2, 0, 0)
        assert Task.objects.count() == 2

    def test_a_job_that_writes_for_too_long_is_repeated_as_a_whole(self, alice, started, settings):
        path = started()
        settings.IMPORT_WRITE_SECONDS = -1
        with pytest.raises(OperationalError, match="not finished"):
            run(path)
        assert Task.objects.count() == 0
        settings.IMPORT_WRITE_SECONDS = 60
        run(path)
        assert counts(alice.api.get(path).json()["report"]) == (2, 0, 0)

    def test_a_job_that_runs_again_changes_nothing(self, alice, started):
        path = started()
        run(path)
        before = alice.api.get(path).content, alice.api.get("/tasks").content
        run(path)
        assert (alice.api.get(path).content, alice.api.get("/tasks").content) == before

    def test_of_two_workers_with_one_job_the_second_changes_nothing(self, alice, started, monkeypatch):
        path = started()
        read = imports.ics.read_tasks

        def read_while_another_finishes(*given: Any, **named: Any) -> Any:
            monkeypatch.setattr(imports.ics, "read_tasks", read)
            run(path)
            return read(*given, **named)

        monkeypatch.setattr(imports.ics, "read_tasks", read_while_another_finishes)
        run(path)
        body = alice.api.get(path).json()
        assert (body["status"], body["progress"]) == ("done", 100)
        assert counts(body["report"]) == (2, 0, 0)

    def test_an_unexpected_error_is_raised_for_the_log_and_ends_the_import(self, alice, started, monkeypatch):
        path = started()
        fail_once(monkeypatch, RuntimeError("a defect"))
        with pytest.raises(RuntimeError):
            run(path)
        body = alice.api.get(path).json()
        assert body["status"] == "failed"
        assert "unexpected error" in body["error"]
        assert Task.objects.count() == 0


class TestPurge:
    def test_reports_are_kept_for_a_week(self, alice, started):
        run(started())
        now = timezone.now()
        imports.purge_imports(now=now + dt.timedelta(days=6))
        assert Import.objects.count() == 1
        imports.purge_imports(now=now + dt.timedelta(days=8))
        assert Import.objects.count() == 0

    def test_an_import_that_nobody_runs_is_given_up_after_a_day(self, alice, started):
        path = started()
        imports.purge_imports(now=timezone.now() + dt.timedelta(hours=23))
        assert alice.api.get(path).json()["status"] == "pending"
        imports.purge_imports(now=timezone.now() + dt.timedelta(hours=25))
        body = alice.api.get(path).json()
        assert (body["status"], bytes(Import.objects.get().file)) == ("failed", b"")
        assert "Send the file again" in body["error"]

    def test_the_job_purges(self, started):
        started()
        Import.objects.update(updated_at=timezone.now() - dt.timedelta(days=2))
        tasks.purge()
        assert Import.objects.get().status == "failed"


def test_a_small_file_is_imported_at_once(alice, monkeypatch):
    monkeypatch.setattr(imports, "AT_ONCE_BYTES", len(DATA))
    assert counts(imported(alice, DATA)) == (2, 0, 0)
    assert send(alice, DATA + b"\n").status_code == 202


def test_a_file_with_many_components_is_imported_in_the_background(alice, monkeypatch):
    monkeypatch.setattr(imports, "AT_ONCE_BYTES", 10_000)
    monkeypatch.setattr(imports, "AT_ONCE_COMPONENTS", 2)
    folded = DATA.replace(b"BEGIN:VTODO", b"BEGIN\r\n :VTODO")
    assert counts(imported(alice, folded)) == (2, 0, 0)
    assert send(alice, folded.replace(b"END:VCALENDAR", b"BEGIN:VJOURNAL\r\nEND:VCALENDAR")).status_code == 202
