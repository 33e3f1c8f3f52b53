"""Operators see mails that wait or have failed in the metrics and in the doctor."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from prometheus_client import CollectorRegistry

from tests.conftest import Person
from tests.notifications.stories import tell
from tests.todos.stories import post_task
from todo_project.notifications.services import undelivered
from todo_project.ops.health.doctor import diagnose
from todo_project.ops.observability.gauges import Database

STATUSES = ("waiting", "retrying", "failed")
HOUR = dt.timedelta(hours=1)


def put(who: Person, *, waits: float, since: float | None = None, **values: Any) -> None:
    """Make a notification whose mail is due for so many hours."""
    now = timezone.now()
    values = {"mail_status": "pending", "mail_at": now - waits * HOUR} | values
    tell(who, post_task(who), created_at=now - (waits if since is None else since) * HOUR, **values)


def found() -> list[tuple[str, str]]:
    return [(diagnosis.level, diagnosis.message) for diagnosis in undelivered.diagnoses(timezone.now())]


@pytest.mark.django_db
class TestDoctor:
    def test_mails_that_were_sent_or_wait_for_their_time_are_no_trouble(self, alice: Person) -> None:
        put(alice, waits=5, mail_status="sent", mail_at=None)
        put(alice, waits=-1, since=8)  # in quiet hours
        put(alice, waits=0.1)
        put(alice, waits=25, mail_status="failed")
        assert found() == [("ok", "no mail is late")]

    def test_late_and_failed_mails_are_found(self, alice: Person) -> None:
        put(alice, waits=1)
        put(alice, waits=-1, mail_error="SMTPDataError 451")
        put(alice, waits=1, mail_status="failed", mail_error="SMTPDataError 550")
        assert found() == [
            ("failure", "mails that have been due for 15 minutes: 1"),
            ("warning", "mails that could not be sent: 1 being retried, 1 failed in the last 24 hours"),
        ]

    def test_it_is_a_check_of_the_doctor(self) -> None:
        assert ("mails", "ok") in [(name, diagnosis.level) for name, diagnosis in diagnose()]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestMetrics:
    def value(self, name: str, **labels: str) -> float | None:
        registry = CollectorRegistry()
        registry.register(Database())
        return registry.get_sample_value(name, labels)

    def test_without_mails_all_are_zero(self) -> None:
        assert [self.value("mails", status=each) for each in STATUSES] == [0, 0, 0]
        assert self.value("mails_oldest_seconds") == 0

    def test_mails_are_counted_by_status(self, alice: Person) -> None:
        put(alice, waits=5, mail_status="sent", mail_at=None)
        put(alice, waits=-1, since=8)
        put(alice, waits=1, since=9)
        put(alice, waits=-1, since=2, mail_error="SMTPDataError 451")
        put(alice, waits=99, mail_status="failed")
        assert [self.value("mails", status=each) for each in STATUSES] == [1, 1, 1]
        assert self.value("mails_oldest_seconds") == pytest.approx(7200, abs=60)

    def test_a_mail_that_is_late_waits_since_its_time(self, alice: Person) -> None:
        put(alice, waits=1, since=9)
        assert self.value("mails_oldest_seconds") == pytest.approx(3600, abs=60)

    def test_a_table_that_cannot_be_read_does_not_mean_that_the_database_is_down(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE notifications_notification RENAME TO elsewhere")
            try:
                assert self.value("database_up") == 1
                assert self.value("queue_workers") is not None
                assert self.value("mails", status="failed") is None
                assert self.value("mails_oldest_seconds") is None
            finally:
                cursor.execute("ALTER TABLE elsewhere RENAME TO notifications_notification")
        assert "ops.database_metrics_unavailable: mails" in caplog.text
