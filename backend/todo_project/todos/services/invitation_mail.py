"""The mail of an invitation, with a secret that proves that its reader has the invited address.

The mail names neither the project nor who invites: both are texts of a stranger, and anybody may receive it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import logging
import secrets
import uuid
from typing import Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction

from todo_project.accounts.models import User
from todo_project.accounts.services import mailing
from todo_project.api import ratelimit
from todo_project.todos.models import Invitation

PER_ADDRESS: Final = 20
DAY: Final = 24 * 3600
TEXTS: Final = {
    "en": {
        "subject": "An invitation to a project",
        "about": "Somebody has invited you to work together on a project.",
        "ask": "To see the invitation, and to accept or decline it, open this link:",
        "open": "See the invitation",
        "stranger": "You need an account with this e-mail address. "
        "If you do not know what this is about, ignore this e-mail.",
    },
    "zh": {
        "subject": "项目邀请",
        "about": "有人邀请你加入一个项目。",
        "ask": "请打开以下链接查看邀请，并选择接受或拒绝：",
        "open": "查看邀请",
        "stranger": "你需要有一个使用此邮箱地址的账户。如果你不清楚这是怎么回事，请忽略此邮件。",
    },
}
_logger = logging.getLogger(__name__)


def send_invitation(*, invitation_id: uuid.UUID, now: dt.datetime) -> None:
    """Send the mail of a pending invitation, unless it has been sent.

    That it was sent is stored before, so a job that dies here does not send it twice. If the server refuses the
    mail, the job fails and is tried again.
    """
    secret = secrets.token_urlsafe(32)
    invitation = _claim(invitation_id, secret, now)
    if invitation is None:
        return
    if not _may_receive(invitation.email):
        _note_unsent(invitation)
        _logger.warning("todos.invitation_not_sent", extra={"invitation_id": str(invitation_id)})
        return
    try:
        message(invitation, secret=secret).send()
    except Exception:
        _note_unsent(invitation)
        raise


def message(invitation: Invitation, *, secret: str) -> EmailMultiAlternatives:
    """Return the mail, in the language of the address's account, or of the inviter if it has none."""
    languages = User.objects.values_list("language", flat=True)
    language = languages.filter(email=invitation.email).first() or languages.get(pk=invitation.inviter_id)
    link = f"{settings.APP_URL}/invitations/{invitation.id}#{secret}"
    content = {**TEXTS[language], "language": language, "link": link}
    subject = content["subject"]
    return mailing.automatic(
        "todos/invitation", content, subject=subject, to=invitation.email, mail_id=uuid.uuid4()
    )


def is_secret_of(invitation: Invitation, secret: str | None) -> bool:
    """Return whether this is the secret that the mail of the invitation has."""
    return bool(secret and invitation.digest) and hmac.compare_digest(_digest(secret or ""), invitation.digest)


@transaction.atomic
def _claim(invitation_id: uuid.UUID, secret: str, now: dt.datetime) -> Invitation | None:
    """Note that the mail is sent, and its secret; return None if it has been sent or is no longer needed."""
    unsent = Invitation.objects.alive().filter(id=invitation_id, sent_at=None)
    invitation = unsent.select_for_update(of=("self",), no_key=True).first()
    if invitation is not None:
        invitation.sent_at, invitation.digest = now, _digest(secret)
        invitation.save(update_fields=["sent_at", "digest"])
    return invitation


def _note_unsent(invitation: Invitation) -> None:
    Invitation.objects.filter(id=invitation.id).update(sent_at=None)


def _may_receive(email: str) -> bool:
    """Count a mail, and return whether the address has not received too many within a day."""
    bucket = f"invitation-mail:{hashlib.sha256(email.encode()).hexdigest()}"
    return ratelimit.spend(bucket=bucket, amount=1, seconds=DAY) <= PER_ADDRESS


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
