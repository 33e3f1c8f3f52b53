"""Verifies the tokens of requests. Each request looks its token up, so that a revoked one stops working at once."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import msgspec
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.functions import Cast
from django.utils import timezone

from todo_project.accounts.models import ApiToken, User
from todo_project.accounts.services.tokens import LENGTH, PREFIX, TokenCredentials, digest_of
from todo_project.db.compiled import CompiledQuery
from todo_project.db.owned import Read, TokenQuery

_USE_RECORDED_EVERY = dt.timedelta(hours=1)
_PARAMETERS: dict[str, models.Field[Any, Any]] = {"digest": models.CharField(), "now": models.DateTimeField()}
_COLUMNS = ("user_id", "user__is_member", "id", "scopes_text", "last_used_at")
# The fields that services need, in the order of the table, as Model.from_db requires; the others are deferred.
_USER_FIELDS = ("id", "version", "created_at", "updated_at", "email", "name", "time_zone", "is_active", "is_member")


def _usable_token(*, digest: str, now: dt.datetime) -> Any:
    # as text, so that it is not decoded for every row of a page that repeats it
    scopes = Cast("scopes", models.TextField())
    tokens = ApiToken.objects.usable_at(now).filter(digest=digest).annotate(scopes_text=scopes)
    return tokens.values_list(*_COLUMNS)


def _usable_token_and_user(*, digest: str, now: dt.datetime) -> Any:
    return _usable_token(digest=digest, now=now).values_list(*_COLUMNS, *(f"user__{name}" for name in _USER_FIELDS))


TOKEN = TokenQuery(_usable_token, ("user_id", "is_member", "token_id", "scopes", "last_used_at"), _PARAMETERS)
_TOKEN_AND_USER = CompiledQuery(_usable_token_and_user, _PARAMETERS)


def verify(token: str, read: Read | None = None) -> tuple[User, TokenCredentials] | None:
    """Return the user and the credentials of a token, or None if it is invalid, with one statement.

    With `read`, the same statement also runs the read. The user then has only `id` and `is_member`; other fields
    load on access.
    """
    if len(token) != LENGTH or not token.startswith(PREFIX):
        return None
    now = timezone.now()
    values = {"digest": digest_of(token), "now": now}
    row = read.look_up(TOKEN, values) if read is not None else next(iter(_TOKEN_AND_USER.rows(values)), None)
    if row is None:
        return None
    user_id, is_member, token_id, scopes, last_used_at, *user = row
    if last_used_at is None or last_used_at <= now - _USE_RECORDED_EVERY:
        _record_use(token_id, now)
    names, fields = (_USER_FIELDS, user) if user else (("id", "is_member"), (user_id, is_member))
    credentials = TokenCredentials(id=token_id, scopes=frozenset(msgspec.json.decode(scopes)))
    return User.from_db(DEFAULT_DB_ALIAS, names, fields), credentials


def _record_use(token_id: uuid.UUID, now: dt.datetime) -> None:
    """Store when a token was last used, at most once an hour, because a write per request would be expensive."""
    is_due = models.Q(last_used_at=None) | models.Q(last_used_at__lte=now - _USE_RECORDED_EVERY)
    ApiToken.objects.filter(is_due, pk=token_id).update(
        last_used_at=now, updated_at=now, version=models.F("version") + 1
    )
