"""The tables of notifications and of what the service still has to remind of, and all reads of them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from todo_project.comments.models import Comment
from todo_project.db.rows import uuid7
from todo_project.todos.models import Invitation, Membership, Task

ERROR_LENGTH = 100


class NotificationKind(models.TextChoices):
    """What a notification tells."""

    REMINDER = "reminder"
    ASSIGNMENT = "assignment"
    MENTION = "mention"
    COMMENT = "comment"
    INVITATION = "invitation"
    # a mail only
    DIGEST = "digest"


class MailStatus(models.TextChoices):
    """What became of the mail of a notification."""

    NONE = "", "not wanted"
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    # too late to be useful
    MISSED = "missed"
    # done, deleted or out of sight before it was sent
    DROPPED = "dropped"


class NotificationQuerySet(models.QuerySet["Notification"]):
    """All reads of notifications."""

    def visible_to(self, user_id: uuid.UUID) -> Self:
        """Filter to this user's notifications of what the user can still see."""
        return self.filter(user_id=user_id).still_visible()

    def still_visible(self) -> Self:
        """Filter to the notifications of what their users can still see."""
        return self.filter(self._is_visible())

    def _is_visible(self) -> Q:
        joined = Membership.objects.filter(user_id=OuterRef("user_id"), project_id=OuterRef("task__project_id"))
        sees_task = Q(task__owner_id=F("user_id")) | Exists(joined)
        of_task = sees_task & Q(task__deleted_at=None) & (Q(comment_id=None) | Q(comment__deleted_at=None))
        of_invitation = Q(
            invitation__status=Invitation.Status.PENDING,
            invitation__project__deleted_at=None,
            invitation__email=F("user__email"),
        )
        return of_task | of_invitation

    def worth_a_mail(self) -> Self:
        """Filter to those that still concern their users: nobody is reminded of what is done."""
        is_done = Q(kind=NotificationKind.REMINDER, task__completed_at__isnull=False)
        return self.filter(self._is_visible() | Q(kind=NotificationKind.DIGEST), user__is_active=True).exclude(
            is_done
        )

    def unread(self) -> Self:
        """Exclude what was read."""
        return self.filter(read_at=None)

    def read(self) -> Self:
        """Filter to what was read."""
        return self.exclude(read_at=None)

    def before_id(self, last: uuid.UUID) -> Self:
        """Filter to the notifications that follow this one in a list with the newest first."""
        return self.filter(id__lt=last)

    def until(self, moment: dt.datetime) -> Self:
        """Filter to the notifications that were made until this time."""
        return self.filter(created_at__lte=moment)

    def made_before(self, moment: dt.datetime) -> Self:
        """Filter to the notifications that were made before this time."""
        return self.filter(created_at__lt=moment)

    def of_nothing(self) -> Self:
        """Filter to the notifications whose task was deleted permanently."""
        return self.exclude(task_id=None).exclude(Exists(Task.objects.filter(id=OuterRef("task_id"))))

    def waiting(self, now: dt.datetime) -> Self:
        """Filter to those whose mail is to be sent now."""
        return self.filter(mail_status=MailStatus.PENDING, mail_at__lte=now)

    def to_mail(self, now: dt.datetime) -> Self:
        """Filter to those whose mail is to be sent now, locked, except for what another worker is sending."""
        return self.waiting(now).order_by("mail_at", "id").select_for_update(skip_locked=True, of=("self",))

    def failed(self) -> Self:
        """Filter to those whose mail could not be delivered."""
        return self.filter(mail_status=MailStatus.FAILED)

    def retrying(self) -> Self:
        """Filter to those whose mail could not be sent and will be tried again."""
        return self.filter(mail_status=MailStatus.PENDING).exclude(mail_error="")

    def troubled(self) -> Self:
        """Filter to those whose mail failed for good, or will be tried again."""
        return self.failed() | self.retrying()


class Notification(models.Model):
    """Something that one person is told, in the app and perhaps by e-mail.

    There are no foreign key constraints, so that the release before this table can delete what rows refer to.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # the indexes begin with the user
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=10, choices=NotificationKind.choices)
    # what makes it the only one of its kind for the user, however often a job runs
    key = models.CharField(max_length=100)
    # The purge deletes what refers to nothing any more, so deleting a task needs no index here.
    task = models.ForeignKey(
        Task, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    comment = models.ForeignKey(
        Comment, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    invitation = models.ForeignKey(
        Invitation, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    # who caused it, null for a reminder
    actor_id = models.UUIDField(null=True)
    # the time of a reminder, or when it happened
    at = models.DateTimeField()
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mail_status = models.CharField(max_length=7, choices=MailStatus.choices, default=MailStatus.NONE, blank=True)
    # when to send it, or to try again
    mail_at = models.DateTimeField(null=True)
    mail_attempts = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True)
    # the kind of the last error and the server's code: its text may contain the address
    mail_error = models.CharField(max_length=ERROR_LENGTH, default="", blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind", "key"], name="notification_once")]
        indexes = [
            models.Index(fields=["user", "id"], name="notification_list"),
            models.Index(fields=["user"], name="notification_unread", condition=Q(read_at=None)),
            models.Index(fields=["mail_at"], name="notification_to_mail", condition=Q(mail_status="pending")),
            models.Index(fields=["mail_at"], name="notification_failed", condition=Q(mail_status="failed")),
            models.Index(fields=["created_at"], name="notification_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class ScheduledQuerySet(models.QuerySet["Scheduled"]):
    """All reads of the schedule."""

    def due(self, now: dt.datetime) -> Self:
        """Filter to the tasks that have a reminder now, locked, except for those that another worker handles."""
        return self.filter(next_at__lte=now).order_by("next_at").select_for_update(skip_locked=True, of=("self",))

    def of_tasks(self, task_ids: Collection[uuid.UUID]) -> Self:
        """Filter to these tasks."""
        return self.filter(task_id__in=task_ids)

    def in_another_zone(self) -> Self:
        """Filter to the tasks that depend on the owner's time zone, which has changed."""
        return self.exclude(time_zone="").exclude(time_zone=F("task__owner__time_zone"))


class Scheduled(models.Model):
    """When a task's next reminder is due. A row follows from its task, and is computed again when that changes."""

    task = models.OneToOneField(
        Task, on_delete=models.DO_NOTHING, primary_key=True, related_name="+", db_constraint=False
    )
    next_at = models.DateTimeField(db_index=True)
    # of the owner if the reminder depends on it, because the task has a date without a time; else empty
    time_zone = models.CharField(max_length=64)

    objects = ScheduledQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.task_id} {self.next_at}"


class LogReader(models.Model):
    """How far the service has read the log of changes. There is one row."""

    epoch = models.CharField(max_length=12, default="")
    xid = models.BigIntegerField(default=0)
    row_id = models.BigIntegerField(default=0)
    # when it was read, or null before the first time
    at = models.DateTimeField(null=True)

    objects: models.Manager[Any] = models.Manager()

    def __str__(self) -> str:
        return f"{self.xid} {self.row_id}"
