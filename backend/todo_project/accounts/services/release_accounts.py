"""The account with which deploy/release tests a release: it lives for seconds, and nobody else can use it.

Its e-mail address is random, in a domain that registration refuses. Its password is returned once and written
nowhere. `remove` deletes it with everything that it has made. Only the log of changes keeps its ids for a while.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import NamedTuple

from todo_project.accounts.models import User
from todo_project.accounts.services import deletion, limits, registration
from todo_project.api.clients import network_of

# The address that the test logs in from. It is reserved for documentation, so no real client shares its limits.
ADDRESS = "2001:db8::1"


class Credentials(NamedTuple):
    """What the account logs in with."""

    email: str
    password: str


def create(*, now: dt.datetime) -> Credentials:
    """Create the account, after removing those that a killed test has left."""
    remove(now=now)
    given = Credentials(f"{secrets.token_hex(12)}@{registration.RELEASE_DOMAIN}", secrets.token_urlsafe(32))
    registration.register_for_release(email=given.email, password=given.password, name="Release test", now=now)
    return given


def remove(*, now: dt.datetime, before: dt.datetime | None = None) -> int:
    """Delete these accounts with everything that belongs to them; return how many there were.

    `before` keeps accounts that were created later.
    """
    accounts = User.objects.filter(email__endswith=f"@{registration.RELEASE_DOMAIN}")
    if before is not None:
        accounts = accounts.filter(created_at__lt=before)
    found = list(accounts)
    for user in found:
        limits.forget(email=user.email, network=network_of(ADDRESS))
        deletion.delete_account(user_id=user.pk, now=now)
    return len(found)
