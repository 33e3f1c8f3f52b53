"""Who was invited to a project. Invitations are not in the log of changes; there are few of them."""

from __future__ import annotations

import datetime as dt
from typing import Final

from todo_project.accounts.models import User
from todo_project.notifications.models import NotificationKind
from todo_project.notifications.services import creating
from todo_project.todos.models import Invitation
from todo_project.todos.services import invitations

RECENT: Final = dt.timedelta(days=1)


def note(*, now: dt.datetime) -> None:
    """Notify the people who were invited within a day and may see it. Their mail is that of the invitation."""
    pending = list(Invitation.objects.alive().made_since(now - RECENT))
    users = {user.email: user for user in User.objects.filter(email__in={each.email for each in pending})}
    rows = []
    for invitation in pending:
        user = users.get(invitation.email)
        if user is not None and user.is_active and invitations.received_by(user):
            row = creating.new(
                user, NotificationKind.INVITATION, str(invitation.id), at=invitation.created_at, now=now
            )
            row.invitation, row.actor_id = invitation, invitation.inviter_id
            rows.append(row)
    creating.add(rows)
