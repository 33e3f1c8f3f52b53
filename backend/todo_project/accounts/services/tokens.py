"""API tokens: made, checked on every request, revoked.

Only the SHA-256 digest is kept. A token has 256 random bits, so a fast hash is enough: there is nothing to guess.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.utils import timezone

from todo_project.accounts.models import ApiToken, ApiTokenQuerySet, User
from todo_project.common.compiled import CompiledQuery
from todo_project.common.errors import Forbidden, InvalidInput, NotFound, StaleVersion

PREFIX = "todo_"
_SHOWN = len(PREFIX) + 6  # what a person recognises a token by: 36 of its 256 bits
_LENGTH = len(PREFIX) + 43
_USE_NOTED_EVERY = dt.timedelta(hours=1)

# What a request may need of its user, in the order of the table, as Model.from_db wants it; the rest is deferred.
_USER_FIELDS = ("id", "version", "created_at", "updated_at", "email", "name", "time_zone", "is_active")


@dataclass(frozen=True, slots=True)
class TokenCredentials:
    """What a verified token tells of itself."""

    id: uuid.UUID
    scopes: frozenset[str]


class ScopeNotHeld(Forbidden):
    """A token would make one that may do more than it does itself."""


class ExpiryInThePast(InvalidInput):
    """The token would never work."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token, seen this once, and its row."""

    token: str
    row: ApiToken


def create_token(
    *,
    user: User,
    name: str,
    scopes: Collection[str],
    expires_at: dt.datetime | None,
    now: dt.datetime,
    held: Set[str] | None = None,
    is_login: bool = False,
) -> NewToken:
    """Make a token for the user; `expires_at` None means never.

    `held` are the scopes of the token that asks for it, None when the user asks in person. Raises ScopeNotHeld
    and ExpiryInThePast.
    """
    missing = set() if held is None else set(scopes) - held
    if missing:
        raise ScopeNotHeld(f"Your token lacks what the new one should have: {', '.join(sorted(missing))}.")
    if expires_at is not None and expires_at <= now:
        raise ExpiryInThePast("A token must expire in the future.", pointer="/expires_at", code="in_the_past")
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        user=user,
        name=name,
        digest=_digest(token),
        prefix=token[:_SHOWN],
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        is_login=is_login,
        created_at=now,
        updated_at=now,
    )
    return NewToken(token=token, row=row)


def verify(token: str) -> tuple[User, TokenCredentials] | None:
    """Give the user of a token and what it may do, or None when it opens nothing; one query."""
    if len(token) != _LENGTH or not token.startswith(PREFIX):
        return None
    now = timezone.now()
    rows = _BY_DIGEST.rows({"digest": _digest(token), "now": now})
    if not rows:
        return None
    token_id, scopes, last_used_at, *values = rows[0]
    if last_used_at is None or last_used_at <= now - _USE_NOTED_EVERY:
        _note_use(token_id, now)
    user = User.from_db(DEFAULT_DB_ALIAS, _USER_FIELDS, values)
    return user, TokenCredentials(id=token_id, scopes=frozenset(scopes))


def update_token(
    *,
    user_id: uuid.UUID,
    token_id: uuid.UUID,
    changes: Mapping[str, str],
    expected_versions: frozenset[int] | None,
    now: dt.datetime,
) -> ApiToken:
    """Change the name of a token; raises NotFound and StaleVersion."""
    with transaction.atomic():
        row = _locked(ApiToken.objects.alive(), user_id, token_id, expected_versions)
        for name, value in changes.items():
            setattr(row, name, value)
        _save(row, [*changes], now)
    return row


def revoke_token(
    *,
    user_id: uuid.UUID,
    token_id: uuid.UUID,
    expected_versions: frozenset[int] | None = None,
    now: dt.datetime,
) -> None:
    """End a token at once. Of one that is revoked nothing changes; raises NotFound and StaleVersion."""
    with transaction.atomic():
        row = _locked(ApiToken.objects.all(), user_id, token_id, expected_versions)
        if row.revoked_at is None:
            row.revoked_at = now
            _save(row, ["revoked_at"], now)


def revoke_all(*, user_id: uuid.UUID, but: uuid.UUID | None = None, now: dt.datetime) -> None:
    """End every token of the account, but one if it is named."""
    rows = ApiToken.objects.visible_to(user_id).alive()
    if but is not None:
        rows = rows.exclude(pk=but)
    rows.update(revoked_at=now, updated_at=now, version=models.F("version") + 1)


def purge_tokens(*, before: dt.datetime) -> int:
    """Delete what expired or was revoked before then; gives how many."""
    return ApiToken.objects.over_before(before).delete()[0]


def _locked(
    rows: ApiTokenQuerySet, user_id: uuid.UUID, token_id: uuid.UUID, expected: frozenset[int] | None
) -> ApiToken:
    row = rows.visible_to(user_id).select_for_update().filter(id=token_id).first()
    if row is None:
        raise NotFound("There is no token with this id.")
    if expected is not None and row.version not in expected:
        raise StaleVersion("This has changed since you read it. Read it again and repeat your change.")
    return row


def _save(row: ApiToken, fields: list[str], now: dt.datetime) -> None:
    row.version += 1
    row.updated_at = now
    row.save(update_fields=[*fields, "version", "updated_at"])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _by_digest(*, digest: str, now: dt.datetime) -> models.QuerySet[ApiToken, tuple[object, ...]]:
    return (
        ApiToken.objects.usable_at(now)
        .filter(digest=digest)
        .values_list("id", "scopes", "last_used_at", *(f"user__{name}" for name in _USER_FIELDS))
    )


_BY_DIGEST = CompiledQuery(_by_digest, {"digest": models.CharField(), "now": models.DateTimeField()})


def _note_use(token_id: uuid.UUID, now: dt.datetime) -> None:
    """Remember when a token was last used, to the hour: a write per request would cost more than the request."""
    not_lately = models.Q(last_used_at=None) | models.Q(last_used_at__lte=now - _USE_NOTED_EVERY)
    ApiToken.objects.filter(not_lately, pk=token_id).update(
        last_used_at=now, updated_at=now, version=models.F("version") + 1
    )
