"""Unsubscribing from mails with one click and without logging in (RFC 8058).

The token in the link names the account and the kind of mail, and is signed. Whoever has the mail can stop mails of
that kind, and nothing else.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing

from todo_project.accounts.models import User
from todo_project.accounts.services import profiles
from todo_project.notifications.models import NotificationKind

_SALT = "notifications.unsubscribe"


class Subscription(NamedTuple):
    """What a token stops."""

    user: User
    kind: str


def link(*, user: User, kind: str) -> str:
    """Return the address that stops mails of a kind."""
    token = signing.Signer(salt=_SALT).sign(f"{user.pk.hex}.{kind}")
    return f"{settings.SITE_URL}/unsubscribe?{urlencode({'token': token})}"


def subscription(token: str) -> Subscription | None:
    """Return what the token stops, or None if it is not one of ours or the account is gone."""
    try:
        user_id, _, kind = signing.Signer(salt=_SALT).unsign(token).partition(".")
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=uuid.UUID(user_id)).first()
    return None if user is None else Subscription(user, kind)


def unsubscribe(*, user: User, kind: str, now: dt.datetime) -> None:
    """Send no more mails of this kind."""
    kept = [each for each in user.mailed_kinds if each != kind]
    changes = {"digest_at": None} if kind == NotificationKind.DIGEST else {"mailed_kinds": kept}
    profiles.update_profile(user_id=user.pk, changes=changes, expected_versions=None, now=now)
