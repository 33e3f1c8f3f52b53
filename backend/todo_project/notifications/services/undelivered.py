"""What operators learn of mails that wait or have failed: metrics, and a diagnosis of the doctor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from todo_project.notifications.models import Notification
from todo_project.ops.contributions import Contribution, Gauge
from todo_project.ops.health.diagnosis import Diagnosis, failure, ok, warning

LATE: Final = dt.timedelta(minutes=15)
RECENT: Final = dt.timedelta(days=1)
HINT: Final = "`manage.py failed_mails` says why, and sends failed ones again with --repeat"
# A mail that was tried waits since it was made, the others since they are due. Each part reads a partial index.
_SQL: Final = """(SELECT json_build_object(
    'mails', json_build_object(
      'waiting', count(*) FILTER (WHERE mail_error = ''),
      'retrying', count(*) FILTER (WHERE mail_error <> ''),
      'failed', (SELECT count(*) FROM notifications_notification WHERE mail_status = 'failed')),
    'mails_oldest_seconds', coalesce(extract(epoch FROM
      now() - min(CASE WHEN mail_error = '' THEN mail_at ELSE created_at END)), 0))
  FROM notifications_notification
  WHERE mail_status = 'pending' AND (mail_at <= now() OR mail_error <> ''))"""


def diagnoses(now: dt.datetime) -> Iterable[Diagnosis]:
    """Find mails that have waited for too long, and those that failed within a day."""
    late = Notification.objects.waiting(now - LATE).count()
    if late:
        yield failure(f"mails that have been due for {LATE.seconds // 60} minutes: {late}", "see the worker's log")
    retrying = Notification.objects.retrying().count()
    failed = Notification.objects.failed().filter(mail_at__gte=now - RECENT).count()
    if retrying or failed:
        yield warning(
            f"mails that could not be sent: {retrying} being retried, {failed} failed in the last 24 hours", HINT
        )
    if not (late or retrying or failed):
        yield ok("no mail is late")


CONTRIBUTION: Final = Contribution(
    sql=_SQL,
    gauges=(
        Gauge("mails", "Mails of notifications that are not delivered", label="status"),
        Gauge("mails_oldest_seconds", "Age of the oldest mail to be sent"),
    ),
    diagnoses=diagnoses,
)
