"""API tokens: made, checked on every request, revoked.

Only the SHA-256 digest is kept. A token has 256 random bits, so a fast hash is enough: there is nothing to guess.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS, models
from django.utils import timezone

from todo_project.accounts.models import ApiToken, User
from todo_project.common.compiled import CompiledQuery

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
    is_login: bool = False,
) -> NewToken:
    """Make a token for the user; `expires_at` None means never."""
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
    ApiToken.objects.filter(not_lately, pk=token_id).update(last_used_at=now)
