"""Ends assignments and invitations when somebody leaves projects, or when projects move to the trash."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from django.db.models import F

from todo_project.todos.models import Invitation
from todo_project.todos.services import assignees


def leave(*, user_id: uuid.UUID, project_ids: Collection[uuid.UUID], now: dt.datetime) -> None:
    """Take a former member off the tasks of these projects, and revoke the invitations that the member made.

    The caller has locked the projects.
    """
    assignees.take_off(user_id=user_id, project_ids=project_ids, now=now)
    revoke_invitations(project_ids=project_ids, inviter_id=user_id, now=now)


def revoke_invitations(
    *, project_ids: Collection[uuid.UUID], now: dt.datetime, inviter_id: uuid.UUID | None = None
) -> None:
    """Revoke the pending invitations to these projects, or only those that one person made."""
    pending = Invitation.objects.pending().in_projects(project_ids)
    if inviter_id is not None:
        pending = pending.filter(inviter_id=inviter_id)
    pending.update(status=Invitation.Status.REVOKED, updated_at=now, version=F("version") + 1)
