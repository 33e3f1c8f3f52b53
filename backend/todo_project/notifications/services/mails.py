"""Turns notifications into mails."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from todo_project.accounts.models import User
from todo_project.accounts.services import mailing
from todo_project.db import time_zones
from todo_project.notifications.models import Notification, NotificationKind
from todo_project.notifications.services import digests, texts, unsubscribing
from todo_project.todos.models import Task
from todo_project.todos.services import moments

COMMENT_LENGTH = 1_000


def message(row: Notification, *, names: Mapping[uuid.UUID, str]) -> EmailMultiAlternatives:
    """Return the mail of a notification; `names` has the names of people by id.

    It has the same Message-ID whenever it is sent.
    """
    return _digest(row) if row.kind == NotificationKind.DIGEST else _of_task(row, names)


def _of_task(row: Notification, names: Mapping[uuid.UUID, str]) -> EmailMultiAlternatives:
    words = texts.of(row.user.language)
    actor = names.get(row.actor_id) if row.actor_id else None
    task: Any = row.task
    subject = words[row.kind].format(actor=actor or words["somebody"], title=task.title)
    moments_of_task = [(name, text) for name in ("start", "due") if (text := _moment(task, name, row.user))]
    place = [] if task.project.is_inbox else [("project", task.project.name)]
    text = "" if row.comment is None else _cut(row.comment.text)
    content = {
        "heading": subject,
        "facts": [(words[name], value) for name, value in place + moments_of_task],
        "text": text,
        "quoted": "\n".join(f"> {line}".rstrip() for line in text.splitlines()),
        "link": _link(task),
        "open": words["open"],
    }
    return _message(row, subject=subject, content=content)


def _digest(row: Notification) -> EmailMultiAlternatives:
    words, day = texts.of(row.user.language), digests.day_of(row)
    found = digests.content(row.user, day)
    subject = words["digest_of_one" if found.total == 1 else "digest"].format(
        day=texts.day(day, row.user.language), count=found.total
    )
    parts = [
        ("overdue", [_item(task, _moment(task, "due", row.user), words) for task in found.overdue]),
        ("today", [_item(task, _clock(task, row.user), words) for task in found.today]),
    ]
    more = found.total - len(found.overdue) - len(found.today)
    content = {
        "heading": subject,
        "parts": [(words[name], items) for name, items in parts if items],
        "more": words["more"].format(count=more) if more else "",
        "link": f"{settings.APP_URL}/",
        "open": words["open_all"],
    }
    return _message(row, subject=subject, content=content)


def _message(row: Notification, *, subject: str, content: dict[str, Any]) -> EmailMultiAlternatives:
    words = texts.of(row.user.language)
    stop = unsubscribing.link(user=row.user, kind=row.kind)
    content |= {
        "language": row.user.language,
        "subject": subject,
        "colon": words["colon"],
        "because": words[f"because_{row.kind}"],
        "stop": stop,
        "unsubscribe": words["unsubscribe"],
    }
    return mailing.automatic(
        "notifications/mail",
        content,
        subject=texts.one_line(subject),
        to=row.user.email,
        mail_id=row.id,
        headers={"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )


def _link(task: Task) -> str:
    return f"{settings.APP_URL}/tasks/{task.id}"


def _cut(text: str) -> str:
    return text if len(text) <= COMMENT_LENGTH else f"{text[: COMMENT_LENGTH - 1]}…"


def _item(task: Task, when: str | None, words: Mapping[str, str]) -> tuple[str, str]:
    """Return a line of the digest, and its link."""
    return words["aside"].format(text=task.title, aside=when) if when else task.title, _link(task)


def _clock(task: Task, user: User) -> str | None:
    """Return at what time of day the task is due, in the time zone of whoever reads the mail."""
    return f"{task.due_at.astimezone(time_zones.zone(user.time_zone)):%H:%M}" if task.due_at else None


def _moment(task: Task, name: str, user: User) -> str | None:
    """Return when the task is due or starts, in the time zone of whoever reads the mail."""
    moment = moments.of(task, name)
    if moment is None:
        return None
    if "date" in moment:
        return texts.day(moment["date"], user.language)
    wall = moments.wall_time({"at": moment["at"], "time_zone": user.time_zone}, default_zone=user.time_zone)
    return texts.time_of(wall, user.language)
