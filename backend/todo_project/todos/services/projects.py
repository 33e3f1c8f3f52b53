"""Writes of projects."""

from __future__ import annotations

import datetime as dt

from todo_project.accounts.models import User
from todo_project.todos.models import Project
from todo_project.todos.services import positions


def create_inbox(*, user: User, now: dt.datetime) -> Project:
    """Give the account its Inbox; an account that has one keeps it."""
    inbox, _ = Project.objects.get_or_create(
        owner=user,
        is_inbox=True,
        defaults={"name": "Inbox", "position": positions.FIRST, "created_at": now, "updated_at": now},
    )
    return inbox
