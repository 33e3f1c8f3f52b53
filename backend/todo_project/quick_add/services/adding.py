"""Adds the task that a text describes, or tries it."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from todo_project.accounts.models import User
from todo_project.db import time_zones
from todo_project.errors import InvalidInput
from todo_project.quick_add.services.names import NamesOf
from todo_project.quick_add.services.reading import Reading, read
from todo_project.quick_add.services.text import fold, is_blank
from todo_project.todos.models import Label, Task
from todo_project.todos.services import labels, tasks
from todo_project.todos.services.fields import TaskFields

_POINTER = "/text"
# how much a text may have besides a title of the greatest length
MORE_THAN_TITLE = 500


@dataclass(frozen=True)
class Added:
    """The task, and what the text says."""

    task: Task
    reading: Reading


@transaction.atomic
def add_task(*, user: User, text: str, time_zone: str | None, now: dt.datetime, dry_run: bool = False) -> Added:
    """Create the task that the text describes, and the labels that do not exist yet.

    A dry run does the same and rolls it back. The time zone is by default that of the account. Raises
    InvalidInput for /text, and what tasks.create_task raises.
    """
    zone = time_zone or time_zones.zone(user.time_zone).key
    reading = read(text, names=NamesOf(user), now=now, zone=zone)
    _check_title(reading)
    try:
        task = tasks.create_task(user=user, fields=_fields(user, reading, now), now=now)
    except InvalidInput as error:
        raise InvalidInput(error.detail, pointer=_POINTER, code=error.input_code) from error
    if dry_run:
        transaction.set_rollback(True)
    return Added(task, reading)


def _check_title(reading: Reading) -> None:
    title = reading.title
    if not title or (reading.spans and is_blank(title)):
        raise InvalidInput(
            "Everything in this text was understood, so no title is left. Add words, or put those that belong "
            'to the title in quotes: "Tomorrow at 9".',
            pointer=_POINTER,
            code="no_title",
        )
    if len(title) > settings.TASK_TITLE_MAX_LENGTH:
        raise InvalidInput(
            f"The title in this text has {len(title)} characters. Use at most {settings.TASK_TITLE_MAX_LENGTH}, or "
            "move some to the description, after ` // `.",
            pointer=_POINTER,
            code="max_length",
        )


def _fields(user: User, reading: Reading, now: dt.datetime) -> TaskFields:
    marks = reading.marks
    # in one order, so that two requests do not wait for each other's names
    new = [_new_label(user, name, now) for name in sorted(marks.new_labels, key=fold)]
    return {
        "title": reading.title,
        "description": marks.description,
        "priority": marks.priority or 0,
        "project_id": marks.project_id,
        "section_id": marks.section_id,
        "labels": [*marks.label_ids, *new],
        "assignees": marks.assignee_ids,
        "due": reading.due,
        "recurrence": reading.recurrence,
    }


def _new_label(user: User, name: str, now: dt.datetime) -> uuid.UUID:
    try:
        return labels.create_label(user_id=user.pk, values={"name": name}, now=now).id
    except labels.LabelNameTaken:
        # another request has just created it
        label = Label.objects.owned_by(user.pk).alive().filter(name__iexact=name).first()
        if label is None:
            raise
        return label.id
