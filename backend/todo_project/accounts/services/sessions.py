"""Logging in, logging out, and changing the password, which ends every other login."""

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
_REFUSED = "The e-mail address or the password is wrong, or the account is not active."


class CredentialsRefused(Unauthenticated):
    """The e-mail address, the password or the account is not right; which of them is nobody's business."""


class PasswordWrong(InvalidInput):
    """The password that should be changed was not given."""


def authenticate(*, email: str, password: str, network: str, now: dt.datetime) -> User:
    """Give the user with this e-mail address and password.

    Raises CredentialsRefused after the same work whether or not there is such an account, and TooManyFailures
    before any.
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
        user_login_failed.send(sender=User, credentials={}, request=None)  # counted by whoever listens
        raise CredentialsRefused(_REFUSED)
    limits.end_attempt(user=user, network=network, now=now)
    return user


@transaction.atomic
def log_in(*, user: User, now: dt.datetime) -> tokens.NewToken:
    """Make the token of one login; it may everything and lasts LOGIN_TOKEN_DAYS.

    Raises CredentialsRefused when the password was changed since it was found right. The row stays locked, so a
    change that comes later ends this token.
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
    """Set another password and end every token but the present one.

    Sessions end by themselves: they carry a hash of the password's. Raises PasswordWrong, PasswordUnsuitable and
    TooManyFailures.
    """
    limits.begin_attempt(email=user.email, network=network)
    if not user.check_password(current_password):
        raise PasswordWrong("This is not your password.", pointer="/current_password", code="wrong_password")
    limits.end_attempt(user=user, network=network, now=now)
    passwords.check_new(password=new_password, user=user, pointer="/new_password")
    user.set_password(new_password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        tokens.revoke_all(user_id=user.pk, but=present_token, now=now)
    return user
