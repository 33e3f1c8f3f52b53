"""Rate limits for password attempts and registrations.

An attempt is counted before the password is checked and uncounted if it was right, so that concurrent attempts
cannot get around the limit. The counters are in the database, outside the request's transaction, so they hold
across all processes and remain if the request fails.

Three counters apply to every attempt, each with a window of FAILURE_SECONDS:

- per address and account: LOGIN_FAILURES_PER_ACCOUNT attempts, then this address is blocked for this account;
- per address: LOGIN_FAILURES_PER_ADDRESS attempts, then this address is blocked;
- per account, from all addresses: after SLOW_FACTOR * LOGIN_FAILURES_PER_ACCOUNT attempts, all addresses from which
  nobody has logged in to the account before share one attempt every SLOW_SECONDS. This slows down a stranger who
  guesses from many addresses, without locking out the owner, whose address is known.
"""

from __future__ import annotations

import datetime as dt
import hashlib

from django.conf import settings
from django.utils.crypto import salted_hmac

from todo_project.accounts.models import KnownAddress, User
from todo_project.api import ratelimit
from todo_project.api.models import RateCounter
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
    """Count a password attempt; raise TooManyFailures, before any hashing, if a limit is reached.

    `network` is what `api.clients.client_network` returns. Attempts at unknown accounts are counted too, so
    the response does not reveal which accounts exist.
    """
    per_account = settings.LOGIN_FAILURES_PER_ACCOUNT
    _count(_address(network), limit=settings.LOGIN_FAILURES_PER_ADDRESS, seconds=FAILURE_SECONDS)
    _count(_pair(email, network), limit=per_account, seconds=FAILURE_SECONDS)
    failures = ratelimit.spend(bucket=_account(email), amount=1, seconds=FAILURE_SECONDS)
    if failures > SLOW_FACTOR * per_account and not _is_known(email, network):
        try:
            _count(f"login:slow:{_digest(email)}", limit=1, seconds=SLOW_SECONDS)
        except TooManyFailures:  # the password is not checked, so this was not an attempt
            ratelimit.give_back(bucket=_address(network), seconds=FAILURE_SECONDS)
            ratelimit.give_back(bucket=_pair(email, network), seconds=FAILURE_SECONDS)
            raise


def end_attempt(*, user: User, network: str, now: dt.datetime) -> None:
    """Uncount a successful attempt, and remember that the user has logged in from this address."""
    ratelimit.reset(bucket=_pair(user.email, network))
    ratelimit.give_back(bucket=_address(network), seconds=FAILURE_SECONDS)
    ratelimit.give_back(bucket=_account(user.email), seconds=FAILURE_SECONDS)
    KnownAddress.objects.update_or_create(
        user=user, digest=_address_digest(user.email, network), defaults={"last_login_at": now}
    )


def forget(*, email: str, network: str) -> None:
    """Delete the counters of an account, and of the one network from which it was used."""
    buckets = (_account(email), _pair(email, network), _address(network))
    RateCounter.objects.filter(bucket__in=buckets).delete()


def forget_addresses(*, before: dt.datetime) -> int:
    """Delete the addresses without a login since `before`; return how many."""
    return KnownAddress.objects.filter(last_login_at__lt=before).delete()[0]


def count_registration(*, network: str) -> None:
    """Count a registration; raise TooManyRegistrations if the address has reached its limit."""
    seconds = REGISTRATION_SECONDS
    total = ratelimit.spend(bucket=f"register:{network}", amount=1, seconds=seconds)
    if total > settings.REGISTRATIONS_PER_ADDRESS:
        raise TooManyRegistrations(
            "Too many registrations from your address. Wait for the number of seconds in `Retry-After`, then try "
            "again.",
            retry_after=ratelimit.seconds_left(seconds),
        )


def _count(bucket: str, *, limit: int, seconds: int) -> None:
    if ratelimit.spend(bucket=bucket, amount=1, seconds=seconds) > limit:
        raise TooManyFailures(
            "Too many wrong passwords. Wait for the number of seconds in `Retry-After`, then try again.",
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
    # e-mail addresses can be longer than the name of a bucket, and this table should not reveal them
    return hashlib.sha256(text.encode()).hexdigest()


def _address_digest(email: str, network: str) -> str:
    # keyed, because a plain digest of an IPv4 address could be found by trying all addresses
    return salted_hmac("accounts.known_address", f"{email} {network}", algorithm="sha256").hexdigest()
