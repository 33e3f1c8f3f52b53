"""`manage.py notify` does what the worker does every minute, once or, on SQLite, until it is stopped."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from tests.conftest import Person
from tests.notifications.stories import tell
from tests.todos.stories import post_task

pytestmark = pytest.mark.django_db
CONNECTION = "todo_project.notifications.management.commands.notify.connection"


def test_the_command_does_it_all_where_no_worker_runs(alice: Person) -> None:
    tell(alice, post_task(alice), mail_status="pending", mail_at=timezone.now())
    call_command("notify")
    assert len(mail.outbox) == 1


class Over(BaseException):
    """The test has seen enough."""


def test_on_sqlite_the_command_repeats_it_whatever_happens(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    slept: list[int] = []
    made: list[dt.datetime] = []

    def sleep(seconds: int) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise Over

    def create(*, now: dt.datetime) -> None:
        made.append(now)
        if len(made) == 1:
            raise RuntimeError("database is locked")

    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr("todo_project.notifications.services.due.create", create)
    monkeypatch.setattr(CONNECTION, SimpleNamespace(vendor="sqlite", close=lambda: None))
    with pytest.raises(Over):
        call_command("notify", "--every-minute")
    assert (slept, len(made)) == ([60] * 3, 3)
    assert (
        capsys.readouterr().err
        == "Notifications were not created: database is locked. The next attempt is in a minute.\n"
    )


def test_on_postgresql_it_is_left_to_the_worker(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(alice, post_task(alice), mail_status="pending", mail_at=timezone.now())
    monkeypatch.setattr(CONNECTION, SimpleNamespace(vendor="postgresql"))
    call_command("notify", "--every-minute")
    assert mail.outbox == []
