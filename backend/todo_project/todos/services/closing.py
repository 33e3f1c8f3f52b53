"""Ends what an account has in projects, its own and those of others, before the account is deleted.

Its own projects are deleted for their members too (docs/sharing.md).
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction
from django.db.models import Exists, OuterRef

from todo_project.todos.models import Invitation, Label, Membership, TaskLabel
from todo_project.todos.services import members, purge, trash, trees


def close(*, user_id: uuid.UUID, now: dt.datetime) -> None:
    """Delete what the account owns, and take it out of the projects of others."""
    _remove_members(user_id=user_id)
    _leave_all(user_id=user_id, now=now)
    purge.delete_owned(user_id=user_id, now=now)


@transaction.atomic
def _remove_members(*, user_id: uuid.UUID) -> None:
    """Remove all members from the account's own projects at once, so that no one sees them half deleted."""
    trees.locked_tree(owner_id=user_id)
    Invitation.objects.filter(project__owner_id=user_id).delete()
    Membership.objects.filter(project__owner_id=user_id).delete()


def _leave_all(*, user_id: uuid.UUID, now: dt.datetime) -> None:
    """Leave the projects of others, and take the account's labels off their tasks."""
    joined = Membership.objects.of_user(user_id)
    # roles in a sub-project go with the one above
    tops = joined.exclude(project__parent_id__in=joined.values("project_id")).order_by("project_id")
    for project_id in list(tops.values_list("project_id", flat=True)):
        members.remove_member(user_id=user_id, project_id=project_id, member_id=user_id, now=now)
    on_others = Exists(TaskLabel.objects.filter(label_id=OuterRef("id")).exclude(task__owner_id=user_id))
    labels = Label.objects.filter(on_others, owner_id=user_id, deleted_at=None).order_by("id")
    for label_id in list(labels.values_list("id", flat=True)):
        trash.trash_label(user_id=user_id, label_id=label_id, now=now)
