"""What operators learn of mails that wait or have failed: metrics, and a finding of the doctor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any, Final

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from todo_project.notifications.models import Notification
from todo_project.ops.contributions import Contribution
from todo_project.ops.health.diagnosis import Diagnosis, failure, ok, warning

STATUSES: Final = ("waiting", "retrying", "failed")
LATE: Final = dt.timedelta(minutes=15)
RECENT: Final = dt.timedelta(days=1)
HINT: Final = "`manage.py failed_mails` says why, and sends failed ones again with --repeat"
# A mail that was tried waits since it was made, the others since they are due. Each part reads a partial index.
_SQL: Final = """(SELECT json_build_object(
    'waiting', count(*) FILTER (WHERE mail_error = ''),
    'retrying', count(*) FILTER (WHERE mail_error <> ''),
    'failed', (SELECT count(*) FROM notifications_notification WHERE mail_status = 'failed'),
    'oldest', coalesce(extract(epoch FROM
      now() - min(CASE WHEN mail_error = '' THEN mail_at ELSE created_at END)), 0))
  FROM notifications_notification
  WHERE mail_status = 'pending' AND (mail_at <= now() OR mail_error <> ''))"""


def _metrics(facts: dict[str, Any]) -> Iterator[Metric]:
    mails = GaugeMetricFamily("mails", "Mails of notifications that are not delivered", labels=["status"])
    for status in STATUSES:
        mails.add_metric([status], facts[status])
    yield mails
    yield GaugeMetricFamily("mails_oldest_seconds", "Age of the oldest mail to be sent", value=facts["oldest"])


def findings(now: dt.datetime) -> Iterable[Diagnosis]:
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


CONTRIBUTION: Final = Contribution(sql=_SQL, metrics=_metrics, findings=findings)
