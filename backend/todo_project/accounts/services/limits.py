"""Limits on guessing passwords and on registering.

An attempt is counted before the password is checked and taken back when the password was right, so attempts made
at the same instant cannot all slip through. Counters live in the database, outside the request's transaction: they
hold across workers and replicas, and stay when the request fails.

Three counters apply to every attempt, each within FAILURE_SECONDS:

- one address and one account: LOGIN_FAILURES_PER_ACCOUNT, then that address waits for that account;
- one address, whatever the account: LOGIN_FAILURES_PER_ADDRESS, then that address waits;
- one account, from all addresses together: after SLOW_FACTOR times LOGIN_FAILURES_PER_ACCOUNT, addresses from which
  nobody has logged in to it before share one attempt every SLOW_SECONDS. A stranger who guesses from many addresses
  is slowed, and the owner, whose address is known, is not locked out.
"""

from __future__ import annotations

import datetime as dt
import hashlib

from django.conf import settings
from django.utils.crypto import salted_hmac

from todo_project.accounts.models import KnownAddress, User
from todo_project.api import ratelimit
from todo_project.errors import LimitReached

FAILURE_SECONDS = 15 * 60
REGISTRATION_SECONDS = 60 * 60
SLOW_FACTOR = 10
SLOW_SECONDS = 10


class TooManyFailures(LimitReached):
    """Too many wrong passwords for this account or from this address."""


class TooManyRegistrations(LimitReached):
    """Too many registrations from this address."""


def begin_attempt(*, email: str, network: str) -> None:
    """Count an attempt at an account's password; raise TooManyFailures before anything is hashed.

    `network` is `api.clients.network_of` of the client's address. An account that does not exist is counted like
    any other, so the answer does not reveal which accounts exist.
    """
    per_account = settings.LOGIN_FAILURES_PER_ACCOUNT
    _count(_address(network), limit=settings.LOGIN_FAILURES_PER_ADDRESS, seconds=FAILURE_SECONDS)
    _count(_pair(email, network), limit=per_account, seconds=FAILURE_SECONDS)
    failures = ratelimit.spend(bucket=_account(email), amount=1, seconds=FAILURE_SECONDS)
    if failures > SLOW_FACTOR * per_account and not _is_known(email, network):
        try:
            _count(f"login:slow:{_digest(email)}", limit=1, seconds=SLOW_SECONDS)
        except TooManyFailures:  # no password was tried
            ratelimit.give_back(bucket=_address(network), seconds=FAILURE_SECONDS)
            ratelimit.give_back(bucket=_pair(email, network), seconds=FAILURE_SECONDS)
            raise


def end_attempt(*, user: User, network: str, now: dt.datetime) -> None:
    """Take a successful attempt back, and remember the address as one that the account logs in from."""
    ratelimit.forget(bucket=_pair(user.email, network))
    ratelimit.give_back(bucket=_address(network), seconds=FAILURE_SECONDS)
    ratelimit.give_back(bucket=_account(user.email), seconds=FAILURE_SECONDS)
    KnownAddress.objects.update_or_create(
        user=user, digest=_address_digest(user.email, network), defaults={"last_login_at": now}
    )


def forget_addresses(*, before: dt.datetime) -> int:
    """Delete addresses that nobody has logged in from since the moment; return how many."""
    return KnownAddress.objects.filter(last_login_at__lt=before).delete()[0]


def count_registration(*, network: str) -> None:
    """Count a registration; raise TooManyRegistrations when the address has made too many."""
    seconds = REGISTRATION_SECONDS
    total = ratelimit.spend(bucket=f"register:{network}", amount=1, seconds=seconds)
    if total > settings.REGISTRATIONS_PER_ADDRESS:
        raise TooManyRegistrations(
            "Too many registrations came from your address. Try again after the seconds in Retry-After.",
            retry_after=ratelimit.seconds_left(seconds),
        )


def _count(bucket: str, *, limit: int, seconds: int) -> None:
    if ratelimit.spend(bucket=bucket, amount=1, seconds=seconds) > limit:
        raise TooManyFailures(
            "Too many wrong passwords. Try again after the seconds in Retry-After.",
            retry_after=ratelimit.seconds_left(seconds),
        )


def _is_known(email: str, network: str) -> bool:
    return KnownAddress.objects.filter(user__email=email, digest=_address_digest(email, network)).exists()


def _address(network: str) -> str:
    return f"login:address:{network}"


def _pair(email: str, network: str) -> str:
    return f"login:pair:{_digest(f'{email} {network}')}"


def _account(email: str) -> str:
    return f"login:account:{_digest(email)}"


def _digest(text: str) -> str:
    # e-mail addresses may be longer than a bucket's name, and are nobody's business in this table
    return hashlib.sha256(text.encode()).hexdigest()


def _address_digest(email: str, network: str) -> str:
    # keyed: there are few enough IPv4 addresses to try them all against a plain digest
    return salted_hmac("accounts.known_address", f"{email} {network}", algorithm="sha256").hexdigest()
