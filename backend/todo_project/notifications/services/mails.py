"""Turns notifications into mails."""

from __future__ import annotations

import uuid
import zoneinfo
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from todo_project.accounts.models import User
from todo_project.notifications.models import Kind, Notification
from todo_project.notifications.services import digests, texts, unsubscribing
from todo_project.todos.models import Task
from todo_project.todos.services import moments

COMMENT_LENGTH = 1_000


def message(row: Notification, *, names: Mapping[uuid.UUID, str]) -> EmailMultiAlternatives:
    """Return the mail of a notification; `names` has the names of people by id.

    It has the same Message-ID whenever it is sent.
    """
    return _digest(row) if row.kind == Kind.DIGEST else _of_task(row, names)


def _of_task(row: Notification, names: Mapping[uuid.UUID, str]) -> EmailMultiAlternatives:
    words = texts.of(row.user.language)
    actor = names.get(row.actor_id) if row.actor_id else None
    task: Any = row.task
    subject = words[row.kind].format(actor=actor or words["somebody"], title=task.title)
    content = {
        "heading": subject,
        "moments": [(words[name], text) for name in ("start", "due") if (text := _moment(task, name, row.user))],
        "text": "" if row.comment is None else row.comment.text[:COMMENT_LENGTH],
        "link": _link(task),
        "open": words["open"],
    }
    return _message(row, subject=subject, content=content)


def _digest(row: Notification) -> EmailMultiAlternatives:
    words, day = texts.of(row.user.language), digests.day_of(row)
    tasks = digests.tasks_of(row.user, day)
    subject = words["digest"].format(day=texts.day(day, row.user.language), count=len(tasks))
    content = {
        "heading": subject,
        "tasks": [(task.title, _moment(task, "due", row.user), _link(task)) for task in tasks],
        "link": f"{settings.SITE_URL}/app/",
        "open": words["open_all"],
    }
    return _message(row, subject=subject, content=content)


def _message(row: Notification, *, subject: str, content: dict[str, Any]) -> EmailMultiAlternatives:
    words = texts.of(row.user.language)
    stop = unsubscribing.link(user=row.user, kind=row.kind)
    content |= {
        "language": row.user.language,
        "subject": subject,
        "because": words[f"because_{row.kind}"],
        "stop": stop,
        "unsubscribe": words["unsubscribe"],
    }
    headers = {
        "Message-ID": f"<{row.id}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2].rstrip('>')}>",
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
        "Content-Language": row.user.language,
    }
    mail = EmailMultiAlternatives(
        texts.one_line(subject),
        render_to_string("notifications/mail.txt", content),
        None,
        [row.user.email],
        headers=headers,
    )
    mail.attach_alternative(render_to_string("notifications/mail.html", content), "text/html")
    return mail


def _link(task: Task) -> str:
    return f"{settings.SITE_URL}/app/tasks/{task.id}"


def _moment(task: Task, name: str, user: User) -> str | None:
    """Return when the task is due or starts, in the time zone of whoever reads the mail."""
    moment = moments.of(task, name)
    if moment is None:
        return None
    if "date" in moment:
        return texts.day(moment["date"], user.language)
    wall = moment["at"].astimezone(zoneinfo.ZoneInfo(user.time_zone))
    return texts.time_of(wall, user.language)
