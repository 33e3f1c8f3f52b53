"""How often somebody may guess: passwords per account and per address, registrations per address.

An attempt is counted before the password is looked at and taken back when it was right, so that attempts at the
same instant cannot all slip through. The counters live in the database, in statements of their own: they hold
over workers and replicas, and stay when the request fails.
"""

from __future__ import annotations

import hashlib

from django.conf import settings

from todo_project.api import ratelimit
from todo_project.errors import LimitReached

FAILURE_SECONDS = 15 * 60
REGISTRATION_SECONDS = 60 * 60


class TooManyFailures(LimitReached):
    """Too many wrong passwords for this account, or from this address."""


class TooManyRegistrations(LimitReached):
    """Too many accounts from this address."""


def begin_attempt(*, email: str, network: str) -> None:
    """Count an attempt at an account's password, before anything is hashed; raises TooManyFailures.

    `network` is api.clients.network_of the caller's address. An account that does not exist is counted too, so
    that the limit tells nothing.
    """
    _count(_address(network), settings.LOGIN_FAILURES_PER_ADDRESS)
    _count(_account(email), settings.LOGIN_FAILURES_PER_ACCOUNT)


def end_attempt(*, email: str, network: str) -> None:
    """Take the attempt back: the password was right. The account's failures are forgotten."""
    ratelimit.forget(bucket=_account(email))
    ratelimit.give_back(bucket=_address(network), seconds=FAILURE_SECONDS)


def count_registration(*, network: str) -> None:
    """Count one account more from the address; raises TooManyRegistrations."""
    seconds = REGISTRATION_SECONDS
    total = ratelimit.spend(bucket=f"register:{network}", amount=1, seconds=seconds)
    if total > settings.REGISTRATIONS_PER_ADDRESS:
        raise TooManyRegistrations(
            "Too many accounts were made from your address. Try again later.",
            retry_after=ratelimit.seconds_left(seconds),
        )


def _count(bucket: str, limit: int) -> None:
    if ratelimit.spend(bucket=bucket, amount=1, seconds=FAILURE_SECONDS) > limit:
        raise TooManyFailures(
            "Too many wrong passwords. Wait as long as Retry-After says, then try again.",
            retry_after=ratelimit.seconds_left(FAILURE_SECONDS),
        )


def _address(network: str) -> str:
    return f"login:address:{network}"


def _account(email: str) -> str:
    # a digest, because an address may be longer than a bucket's name and says more than this table needs
    return f"login:account:{hashlib.sha256(email.encode()).hexdigest()}"
