"""Workers that are killed at any moment lose no mail, and repeat at most the one they were sending."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from django.utils import timezone

from tests.conftest import Person
from tests.notifications.smtp import Sink, sink
from tests.notifications.stories import DUE, HOUR, before, due
from tests.todos.stories import post_task
from todo_project.notifications.models import Notification, Scheduled
from todo_project.todos.models import Task

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.usefixtures("watched", "socket_enabled"),
]
BACKEND = Path(__file__).resolve().parents[2]
TASKS = 40
PATIENCE = 120  # seconds; the machine may be busy


def worker(server: Sink) -> subprocess.Popen[bytes]:
    """Start a worker that does what is due at DUE."""
    at = connection.settings_dict
    place = f"{quote(at['HOST'] or '', safe='')}{':' + str(at['PORT']) if at['PORT'] else ''}/{at['NAME']}"
    account = f"{quote(at['USER'])}:{quote(at['PASSWORD'])}"
    return subprocess.Popen(
        [sys.executable, "-m", "tests.notifications.worker", DUE.isoformat()],
        cwd=BACKEND,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "todo_project.settings",
            "DATABASE_URL": f"postgres://{account}@{place}",
            "EMAIL_URL": server.url,
        },
    )


def kill(workers: list[subprocess.Popen[bytes]]) -> None:
    for each in workers:
        each.kill()  # SIGKILL
        each.wait()


def let_claims_run_out() -> None:
    Notification.objects.filter(mail_status="pending").update(mail_at=timezone.now())


def test_workers_that_are_killed_at_any_moment(alice: Person) -> None:
    tasks = [Task(owner=alice.user, position="i1", title=f"Dig {number}") for number in range(TASKS - 1)]
    first = Task.objects.get(id=post_task(alice, due=due(), reminders=[before()])["id"])
    for task in tasks:
        task.project_id, task.due_at, task.reminders = first.project_id, first.due_at, first.reminders
        task.created_at = task.updated_at = timezone.now()
    Task.objects.bulk_create(tasks)
    workers: list[subprocess.Popen[bytes]] = []
    kills = 0
    # after how many mails the workers die: in the middle of a batch, at its end, and at its beginning
    deaths = {3, 10, 24}

    def die(count: int) -> None:
        nonlocal kills
        if count in deaths:
            deaths.discard(count)
            kills += 1
            kill(workers)

    with sink(before_answer=die) as server:
        # killed while they make the notifications, wherever they are
        workers[:] = [worker(server), worker(server)]
        while not Notification.objects.exists() and any(each.poll() is None for each in workers):
            pass
        kill(workers)
        kills += 1
        while deaths or Notification.objects.exclude(mail_status="sent").exists() or Scheduled.objects.exists():
            let_claims_run_out()
            workers[:] = [worker(server), worker(server)]
            for each in workers:
                each.wait(PATIENCE)
            assert kills <= 4
    made = Notification.objects.all()
    assert made.count() == TASKS
    assert {*made.values_list("kind", "mail_status", "at")} == {("reminder", "sent", DUE - HOUR)}
    # of two workers that die together, each may have been sending one
    assert len({*server.accepted}) == TASKS
    assert len(server.accepted) <= TASKS + 2 * kills
