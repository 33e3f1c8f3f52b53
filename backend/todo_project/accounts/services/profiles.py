"""Changes to the account of a user, by the user or by an operator."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from todo_project.accounts.models import User
from todo_project.errors import STALE, InvalidInput, StaleVersion


def update_profile(
    *,
    user_id: uuid.UUID,
    changes: Mapping[str, Any],
    expected_versions: frozenset[int] | None,
    now: dt.datetime,
) -> User:
    """Change the given columns.

    Raises StaleVersion if the version is not an expected one, and InvalidInput for quiet hours without an end.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        if expected_versions is not None and user.version not in expected_versions:
            raise StaleVersion(STALE)
        new = {name: value for name, value in changes.items() if getattr(user, name) != value}
        if "email" in new:
            new["email_proved_at"] = None
        if new:
            for name, value in new.items():
                setattr(user, name, value)
            _check_quiet_hours(user)
            user.version += 1
            user.updated_at = now
            user.save(update_fields=[*new, "version", "updated_at"])
    return user


def _check_quiet_hours(user: User) -> None:
    """Raise InvalidInput if the quiet hours have only one end, or both are the same."""
    hours = {"start": user.quiet_start, "end": user.quiet_end}
    for name, value in hours.items():
        if value is None and any(hours.values()):
            raise InvalidInput(
                "Quiet hours need a start and an end.", pointer=f"/quiet_hours/{name}", code="required"
            )
    if user.quiet_start is not None and user.quiet_start == user.quiet_end:
        raise InvalidInput(
            "Quiet hours cannot end when they start. Use null for none.", pointer="/quiet_hours/end", code="empty"
        )


def prove_email(*, user: User, now: dt.datetime) -> None:
    """Note that mail to the user's address has reached the user, unless it is another address by now."""
    User.objects.filter(pk=user.pk, email=user.email, email_proved_at=None).update(email_proved_at=now)
