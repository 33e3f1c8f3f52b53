"""Sends the mails of notifications, and tries again what could not be sent.

A worker claims some mails by putting their next attempt off, in a transaction of its own. Then it sends one after
the other and notes each at once. If it dies, the claim runs out, and another worker sends what was not noted. So at
most the one mail that the server had accepted and the worker had not yet noted is sent twice. It has the same
Message-ID, by which mail programs recognise it.
"""

from __future__ import annotations

import datetime as dt
import logging
import smtplib
import uuid
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from django.core.mail import get_connection
from django.db import transaction
from django.db.models import F

from todo_project.accounts.models import User
from todo_project.notifications.models import ERROR_LENGTH, MailStatus, Notification, NotificationKind
from todo_project.notifications.services import digests, mails
from todo_project.notifications.services.hours import quiet_until

BATCH: Final = 100
# how long a claim lasts; after half of it, what is left of the batch is given back
CLAIM: Final = dt.timedelta(minutes=5)
# after each failed attempt
PAUSES: Final = tuple(dt.timedelta(minutes=each) for each in (1, 5, 30, 120, 480))
# mails that one job sends at most, and jobs that send at the same time
PER_JOB: Final = 5_000
JOBS: Final = 4
_ENOUGH_FOR_A_JOB: Final = 1_000
# errors of one mail, after which the connection can still be used
_OF_ONE_MAIL: Final = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPSenderRefused)
_OF_CONNECTION: Final = (OSError, smtplib.SMTPException)
_logger = logging.getLogger(__name__)
Clock = Callable[[], dt.datetime]


def jobs_needed(*, now: dt.datetime) -> int:
    """Return how many jobs should send what is waiting."""
    waiting = Notification.objects.waiting(now)[: JOBS * _ENOUGH_FOR_A_JOB].count()
    return -(-waiting // _ENOUGH_FOR_A_JOB)


def send_waiting(*, clock: Clock, batch: int = BATCH) -> None:
    """Send mails until none is waiting, or the server cannot be reached, or enough are sent for one job."""
    for _ in range(PER_JOB // batch):
        claimed = _claim(clock(), batch)
        if not claimed or not _send(claimed, clock):
            return


def repeat_failed(*, now: dt.datetime, ids: Collection[uuid.UUID] | None = None) -> int:
    """Try again to send the mails that failed for good, or those with these ids; return how many."""
    failed = Notification.objects.failed()
    if ids is not None:
        failed = failed.filter(id__in=ids)
    return failed.update(mail_status=MailStatus.PENDING, mail_at=now, mail_attempts=0)


@transaction.atomic
def _claim(now: dt.datetime, batch: int) -> list[uuid.UUID]:
    ids = list(Notification.objects.to_mail(now).values_list("id", flat=True)[:batch])
    Notification.objects.filter(id__in=ids).update(mail_at=now + CLAIM, mail_attempts=F("mail_attempts") + 1)
    return ids


def _send(ids: Collection[uuid.UUID], clock: Clock) -> bool:
    """Send the claimed mails; return whether the server could be reached."""
    until = clock() + CLAIM / 2
    rows = _wanted(ids, clock())
    actors = User.objects.filter(pk__in={row.actor_id for row in rows if row.actor_id})
    names = {user.pk: user.get_full_name() for user in actors}
    connection = get_connection()
    error: Exception | None = None
    try:
        for number, row in enumerate(rows):
            if clock() > until:
                _give_back(rows[number:], now=clock())
                break
            error = error or _sent(row, connection, names)
            _note(row, error, now=clock())
            error = error if _is_of_connection(error) else None
    finally:
        _close(connection)
    return error is None


def _give_back(rows: Collection[Notification], *, now: dt.datetime) -> None:
    """Let somebody else send these mails, which nobody has tried to send."""
    mine = Notification.objects.filter(id__in=[row.id for row in rows])
    mine.update(mail_at=now, mail_attempts=F("mail_attempts") - 1)


def _wanted(ids: Collection[uuid.UUID], now: dt.datetime) -> list[Notification]:
    """Return those of the claimed notifications to send now.

    Those that no longer concern their users are dropped, and so are digests without tasks. In a user's quiet
    hours, all but the digest wait.
    """
    found = (
        Notification.objects.filter(id__in=ids).worth_a_mail().select_related("user", "task__project", "comment")
    )
    rows = [row for row in found.order_by("id") if row.user.wants_mail(row.kind) and not _is_empty(row)]
    dropped = {*ids} - {row.id for row in rows}
    Notification.objects.filter(id__in=dropped).update(mail_status=MailStatus.DROPPED, mail_at=None)
    quiet = {
        row.id: until
        for row in rows
        if row.kind != NotificationKind.DIGEST and (until := quiet_until(row.user, now))
    }
    for row_id, until in quiet.items():
        Notification.objects.filter(id=row_id).update(mail_at=until, mail_attempts=F("mail_attempts") - 1)
    return [row for row in rows if row.id not in quiet]


def _is_empty(row: Notification) -> bool:
    return row.kind == NotificationKind.DIGEST and not digests.tasks_of(row.user, digests.day_of(row)).exists()


def _sent(row: Notification, connection: Any, names: dict[uuid.UUID, str]) -> Exception | None:
    """Send one mail; return the error if there is one."""
    try:
        connection.open()  # does nothing if it is open
        connection.send_messages([mails.message(row, names=names)])
    except _OF_CONNECTION as error:
        return error
    except Exception as error:  # one mail that cannot be made must not hold up those behind it
        _logger.exception("notifications.mail_not_made", extra={"notification_id": str(row.id)})
        return error
    return None


def _is_of_connection(error: Exception | None) -> bool:
    return isinstance(error, _OF_CONNECTION) and not isinstance(error, _OF_ONE_MAIL)


def _note(row: Notification, error: Exception | None, *, now: dt.datetime) -> None:
    """Note at once that a mail was sent, or when to try again."""
    if error is None:
        values: dict[str, Any] = {
            "mail_status": MailStatus.SENT,
            "mailed_at": now,
            "mail_at": None,
            "mail_error": "",
        }
    elif row.mail_attempts <= len(PAUSES):
        values = {"mail_at": now + PAUSES[row.mail_attempts - 1], "mail_error": _description(error)}
    else:
        values = {"mail_status": MailStatus.FAILED, "mail_at": now, "mail_error": _description(error)}
        _logger.error(
            "notifications.mail_failed", extra={"notification_id": str(row.id), "error": _description(error)}
        )
    Notification.objects.filter(id=row.id).update(**values)


def _description(error: Exception) -> str:
    """Return the kind of the error and the server's code. Its text may contain the address."""
    return " ".join([type(error).__name__, *map(str, sorted({*_codes(error)}))])[:ERROR_LENGTH]


def _codes(error: Exception) -> Iterable[int]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return [code for code, _ in error.recipients.values()]
    if isinstance(error, smtplib.SMTPResponseException):
        return [error.smtp_code]
    return [error.errno] if isinstance(error, OSError) and error.errno else []


def _close(connection: Any) -> None:
    try:
        connection.close()
    except _OF_CONNECTION as error:  # everything that was sent is noted
        _logger.info("notifications.connection_lost", extra={"error": _description(error)})
