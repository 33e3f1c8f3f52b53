"""Login, and changes of the password."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.signals import user_login_failed
from django.db import transaction

from todo_project.accounts.models import User
from todo_project.accounts.services import limits, passwords, tokens
from todo_project.errors import InvalidInput, Unauthenticated

_EVERY_SCOPE = ("read", "write", "admin")
_REFUSED = "The e-mail address or the password is wrong, or the account is not active. Check both."


class CredentialsRefused(Unauthenticated):
    """The e-mail address or the password is wrong, or the account is inactive; which one is not revealed."""


class PasswordWrong(InvalidInput):
    """The current password is wrong."""


def authenticate(*, email: str, password: str, network: str, now: dt.datetime) -> User:
    """Return the user with this e-mail address and password.

    Raises TooManyFailures before any hashing, and CredentialsRefused, which takes the same time whether or not the
    account exists.
    """
    email = email.strip().lower()
    limits.begin_attempt(email=email, network=network)
    user = User.objects.filter(email=email).first()
    if user is None:
        make_password(password)
        is_right = False
    else:
        is_right = user.check_password(password) and user.is_active
    if user is None or not is_right:
        user_login_failed.send(sender=User, credentials={}, request=None)  # for the metrics
        raise CredentialsRefused(_REFUSED)
    limits.end_attempt(user=user, network=network, now=now)
    return user


@transaction.atomic
def log_in(*, user: User, now: dt.datetime) -> tokens.NewToken:
    """Create the token of a login, which has every scope and expires after LOGIN_TOKEN_DAYS.

    Raises CredentialsRefused if the password has changed since it was checked. The row stays locked, so a later
    change of the password ends this token too.
    """
    same = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
    if not same.update(last_login=now):
        raise CredentialsRefused(_REFUSED)
    return tokens.create_token(
        user=user,
        name="Login",
        scopes=_EVERY_SCOPE,
        expires_at=now + dt.timedelta(days=settings.LOGIN_TOKEN_DAYS),
        now=now,
        is_login=True,
    )


def change_password(
    *,
    user: User,
    current_password: str,
    new_password: str,
    network: str,
    present_token: uuid.UUID | None,
    now: dt.datetime,
) -> User:
    """Set a new password and revoke every token except `present_token`.

    Sessions contain a hash of the password hash, so Django ends them. Raises PasswordWrong, PasswordUnsuitable and
    TooManyFailures.
    """
    limits.begin_attempt(email=user.email, network=network)
    if not user.check_password(current_password):
        raise PasswordWrong(
            "The current password is wrong. Enter it again.", pointer="/current_password", code="wrong_password"
        )
    limits.end_attempt(user=user, network=network, now=now)
    passwords.check_new(password=new_password, user=user, pointer="/new_password")
    user.set_password(new_password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        tokens.revoke_all(user_id=user.pk, but=present_token, now=now)
    return user
