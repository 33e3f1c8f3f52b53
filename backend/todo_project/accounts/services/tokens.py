"""Creates, changes and revokes API tokens; verification.py looks them up.

Only the SHA-256 digest of a token is stored. A fast hash is enough, because 256 random bits cannot be guessed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import models, transaction

from todo_project.accounts.models import ApiToken, ApiTokenQuerySet, User
from todo_project.errors import STALE, Conflict, Forbidden, InvalidInput, NotFound, StaleVersion, Unauthenticated

PREFIX = "todo_"
_SHOWN = len(PREFIX) + 6  # by which its owner recognises a token: 36 of its 256 bits
LENGTH = len(PREFIX) + 43
_ENDED = "This session or token has just ended. Log in again."


@dataclass(frozen=True, slots=True)
class TokenCredentials:
    """The id and the scopes of a verified token."""

    id: uuid.UUID
    scopes: frozenset[str]


class ScopeNotHeld(Forbidden):
    """The new token would have a scope that the token of the request lacks."""


class TooManyTokens(Conflict):
    """The account has reached TOKENS_PER_ACCOUNT."""


class CredentialsEnded(Unauthenticated):
    """The token was revoked, or the password changed, during the request."""


class ExpiryInThePast(InvalidInput):
    """The expiry of the new token is not in the future."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A new token, which cannot be read again later, and its row."""

    token: str
    row: ApiToken


@transaction.atomic
def create_token(
    *,
    user: User,
    name: str,
    scopes: Collection[str],
    expires_at: dt.datetime | None,
    now: dt.datetime,
    held: TokenCredentials | None = None,
    is_login: bool = False,
) -> NewToken:
    """Create a token for the user; `expires_at` None means never.

    `held` is the token that authenticates the request, or None for a session or a login. An account has at most
    TOKENS_PER_ACCOUNT tokens and as many logins; one more login ends the oldest. Raises ScopeNotHeld,
    ExpiryInThePast, TooManyTokens, and CredentialsEnded if the request's own credentials have ended meanwhile.
    """
    missing = set() if held is None else set(scopes) - held.scopes
    if missing:
        raise ScopeNotHeld(
            f"Your token lacks these scopes: {', '.join(sorted(missing))}. A new token cannot have more than yours."
        )
    if expires_at is not None and expires_at <= now:
        raise ExpiryInThePast("Use a time in the future.", pointer="/expires_at", code="in_the_past")
    token = PREFIX + secrets.token_urlsafe(32)
    _lock_account(user, held, now)
    _enforce_limit(user, now, is_login=is_login)
    row = ApiToken.objects.create(
        user=user,
        name=name,
        digest=digest_of(token),
        prefix=token[:_SHOWN],
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        is_login=is_login,
        created_at=now,
        updated_at=now,
    )
    return NewToken(token=token, row=row)


def _lock_account(user: User, held: TokenCredentials | None, now: dt.datetime) -> None:
    """Lock the account, as a change of its password does, and check that the credentials are still valid."""
    known = models.Q(pk=user.pk) if held is not None else models.Q(pk=user.pk, password=user.password)
    if not User.objects.filter(known).select_for_update(no_key=True).exists():
        raise CredentialsEnded(_ENDED)
    if held is not None and not ApiToken.objects.usable_at(now).filter(pk=held.id).exists():
        raise CredentialsEnded(_ENDED)


def _enforce_limit(user: User, now: dt.datetime, *, is_login: bool) -> None:
    """Raise TooManyTokens if the account has TOKENS_PER_ACCOUNT tokens; of logins, revoke the oldest instead."""
    usable = ApiToken.objects.visible_to(user.pk).usable_at(now).filter(is_login=is_login)
    surplus = usable.count() + 1 - settings.TOKENS_PER_ACCOUNT
    if surplus <= 0:
        return
    if not is_login:
        raise TooManyTokens(
            f"Your account has reached the limit of {settings.TOKENS_PER_ACCOUNT} tokens. "
            "Revoke one that you no longer need (DELETE /api/v1/tokens/{id}), then try again."
        )
    ApiToken.objects.filter(id__in=usable.order_by("id").values("id")[:surplus]).update(
        revoked_at=now, updated_at=now, version=models.F("version") + 1
    )


def update_token(
    *,
    user_id: uuid.UUID,
    token_id: uuid.UUID,
    changes: Mapping[str, str],
    expected_versions: frozenset[int] | None,
    now: dt.datetime,
) -> ApiToken:
    """Rename a token; raises NotFound and StaleVersion."""
    with transaction.atomic():
        row = _locked(ApiToken.objects.alive(), user_id, token_id, expected_versions)
        new = {name: value for name, value in changes.items() if getattr(row, name) != value}
        if new:
            for name, value in new.items():
                setattr(row, name, value)
            _save(row, [*new], now)
    return row


def revoke_token(
    *,
    user_id: uuid.UUID,
    token_id: uuid.UUID,
    expected_versions: frozenset[int] | None = None,
    now: dt.datetime,
) -> None:
    """Revoke a token, unless it is revoked already; raises NotFound and StaleVersion."""
    with transaction.atomic():
        row = _locked(ApiToken.objects.all(), user_id, token_id, expected_versions)
        if row.revoked_at is None:
            row.revoked_at = now
            _save(row, ["revoked_at"], now)


def revoke_all(*, user_id: uuid.UUID, but: uuid.UUID | None = None, now: dt.datetime) -> None:
    """Revoke every token of the account except `but`."""
    rows = ApiToken.objects.visible_to(user_id).alive()
    if but is not None:
        rows = rows.exclude(pk=but)
    rows.update(revoked_at=now, updated_at=now, version=models.F("version") + 1)


def purge_tokens(*, before: dt.datetime) -> int:
    """Delete the tokens that expired or were revoked before this time; return how many."""
    return ApiToken.objects.ended_before(before).delete()[0]


def _locked(
    rows: ApiTokenQuerySet, user_id: uuid.UUID, token_id: uuid.UUID, expected: frozenset[int] | None
) -> ApiToken:
    row = rows.visible_to(user_id).select_for_update().filter(id=token_id).first()
    if row is None:
        raise NotFound("You have no token with this id. Check the id.")
    if expected is not None and row.version not in expected:
        raise StaleVersion(STALE)
    return row


def _save(row: ApiToken, fields: list[str], now: dt.datetime) -> None:
    row.version += 1
    row.updated_at = now
    row.save(update_fields=[*fields, "version", "updated_at"])


def digest_of(token: str) -> str:
    """Return the digest under which a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()
