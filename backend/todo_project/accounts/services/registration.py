"""Creates accounts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.conf import settings
from django.db import IntegrityError, transaction

from todo_project.accounts.models import User
from todo_project.accounts.services import limits, passwords
from todo_project.errors import Conflict, Forbidden, InvalidInput

# Of the accounts that test releases (release_accounts.py). No real host can have this name (RFC 2606).
RELEASE_DOMAIN = "release-test.invalid"

# Functions with which other apps add to every new account, in its transaction; called with user= and now=.
after_registration: list[Callable[..., object]] = []


class EmailTaken(Conflict):
    """An account with this e-mail address already exists."""


class EmailReserved(InvalidInput):
    """The e-mail address is in a domain that only the service itself uses."""


class RegistrationClosed(Forbidden):
    """Only operators can create accounts (REGISTRATION_OPEN is off)."""


def admit(*, network: str) -> None:
    """Raise RegistrationClosed or TooManyRegistrations if this network must not register an account."""
    if not settings.REGISTRATION_OPEN:
        raise RegistrationClosed("Registration is closed. Ask an operator for an account.")
    limits.count_registration(network=network)


def run_after_registration(*, user: User, now: dt.datetime) -> None:
    """Add to a new account what every account has, such as the Inbox."""
    for add in after_registration:
        add(user=user, now=now)


def register_user(*, email: str, password: str, name: str, time_zone: str = "UTC", now: dt.datetime) -> User:
    """Create an account with everything that accounts have, or nothing if a part fails.

    Raises EmailTaken (case is ignored), PasswordUnsuitable and EmailReserved.
    """
    if email.strip().lower().endswith(f"@{RELEASE_DOMAIN}"):
        raise EmailReserved(
            "This domain is reserved. Use an address at which you receive mail.", pointer="/email", code="reserved"
        )
    return _register(email=email, password=password, name=name, time_zone=time_zone, now=now)


def register_for_release(*, email: str, password: str, name: str, now: dt.datetime) -> User:
    """Create an account in RELEASE_DOMAIN; release_accounts.py removes it."""
    return _register(email=email, password=password, name=name, time_zone="UTC", now=now)


def _register(*, email: str, password: str, name: str, time_zone: str, now: dt.datetime) -> User:
    user = User(email=email.strip().lower(), name=name, time_zone=time_zone, created_at=now, updated_at=now)
    passwords.check_new(password=password, user=user)
    user.set_password(password)  # before the transaction, because hashing is slow
    with transaction.atomic():
        try:
            with transaction.atomic():
                user.save(force_insert=True)
        except IntegrityError as error:
            raise EmailTaken(
                "An account with this e-mail address already exists. Log in, or use another address."
            ) from error
        run_after_registration(user=user, now=now)
    return user


def register_operator(*, email: str, password: str, name: str, now: dt.datetime) -> User:
    """Create an account with every permission in the admin; raises what register_user raises."""
    with transaction.atomic():
        user = register_user(email=email, password=password, name=name, now=now)
        user.is_staff = user.is_superuser = True
        user.save(update_fields=["is_staff", "is_superuser"])
    return user
