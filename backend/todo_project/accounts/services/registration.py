"""How an account comes to be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.conf import settings
from django.db import IntegrityError, transaction

from todo_project.accounts.models import User
from todo_project.accounts.services import limits, passwords
from todo_project.errors import Conflict, Forbidden

# What apps above add to every new account, in the registration's own transaction: called with user= and now=.
after_registration: list[Callable[..., object]] = []


class EmailTaken(Conflict):
    """There is an account with this e-mail address."""


class RegistrationClosed(Forbidden):
    """Accounts are made by operators here."""


def admit(*, network: str) -> None:
    """Let somebody who is not known yet register; raises RegistrationClosed and TooManyRegistrations."""
    if not settings.REGISTRATION_OPEN:
        raise RegistrationClosed("Registration is closed here. Ask an operator for an account.")
    limits.count_registration(network=network)


def run_after_registration(*, user: User, now: dt.datetime) -> None:
    """Give a new account what every account has."""
    for add in after_registration:
        add(user=user, now=now)


def register_user(*, email: str, password: str, name: str, time_zone: str = "UTC", now: dt.datetime) -> User:
    """Make an account with all that every account has; nothing of it stays when a part fails.

    Raises EmailTaken, whatever the case of the address, and PasswordUnsuitable.
    """
    user = User(email=email.strip().lower(), name=name, time_zone=time_zone, created_at=now, updated_at=now)
    passwords.check_new(password=password, user=user)
    user.set_password(password)  # before the transaction: hashing is slow by intent
    with transaction.atomic():
        try:
            with transaction.atomic():
                user.save(force_insert=True)
        except IntegrityError as error:
            raise EmailTaken("There is an account with this e-mail address. Log in, or use another.") from error
        run_after_registration(user=user, now=now)
    return user


def register_operator(*, email: str, password: str, name: str, now: dt.datetime) -> User:
    """Make an account that may do everything in the admin; raises what register_user raises."""
    with transaction.atomic():
        user = register_user(email=email, password=password, name=name, now=now)
        user.is_staff = user.is_superuser = True
        user.save(update_fields=["is_staff", "is_superuser"])
    return user
