"""How an account comes to be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from todo_project.accounts.models import User

# What apps above add to every new account, in the registration's own transaction: called with user= and now=.
after_registration: list[Callable[..., object]] = []


def run_after_registration(*, user: User, now: dt.datetime) -> None:
    """Give a new account what every account has."""
    for add in after_registration:
        add(user=user, now=now)
