"""Whose token came with a request: looked up every time, so that a revoked one stops at once."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from typing import Any

import msgspec
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.functions import Cast, JSONObject
from django.utils import timezone

from todo_project.accounts.models import ApiToken, ApiTokenQuerySet, User
from todo_project.accounts.services.tokens import LENGTH, PREFIX, TokenCredentials, digest_of
from todo_project.db.compiled import CompiledQuery, Values
from todo_project.db.proof import Read

_USE_NOTED_EVERY = dt.timedelta(hours=1)

# What a request may need of its user, in the order of the table, as Model.from_db wants it; the rest is deferred.
_USER_FIELDS = ("id", "version", "created_at", "updated_at", "email", "name", "time_zone", "is_active")
_PARAMETERS: dict[str, models.Field[Any, Any]] = {"digest": models.CharField(), "now": models.DateTimeField()}


class _Caller(msgspec.Struct, frozen=True):
    """What a statement tells of a token that opens something."""

    user_id: uuid.UUID
    token_id: uuid.UUID
    scopes: frozenset[str]
    last_used_at: dt.datetime | None


_CALLER = msgspec.json.Decoder(_Caller)


def verify(token: str, read: Read | None = None) -> tuple[User, TokenCredentials] | None:
    """Give the user of a token and what it may do, or None when it opens nothing; one statement.

    When that statement also makes the `read` that the request is for, of the user only the id comes along; the
    rest is fetched by whoever looks at it.
    """
    if len(token) != LENGTH or not token.startswith(PREFIX):
        return None
    now = timezone.now()
    values = {"digest": digest_of(token), "now": now}
    can_prove = read is not None and _has_typed_json() and read.can_prove
    found = _proven_by(read, values) if read and can_prove else _looked_up(values)
    if found is None:
        return None
    user, caller = found
    if caller.last_used_at is None or caller.last_used_at <= now - _USE_NOTED_EVERY:
        _note_use(caller.token_id, now)
    return user, TokenCredentials(id=caller.token_id, scopes=caller.scopes)


@functools.cache
def _has_typed_json() -> bool:
    return bool(connection.vendor == "postgresql")  # the JSON of SQLite has no types


def _proven_by(read: Read, values: Values) -> tuple[User, _Caller] | None:
    told = read.prove(_PROOF, values)
    if told is None:
        return None
    caller = _CALLER.decode(told)
    return User.from_db(DEFAULT_DB_ALIAS, ("id",), (caller.user_id,)), caller


def _looked_up(values: Values) -> tuple[User, _Caller] | None:
    rows = _BY_DIGEST.rows(values)
    if not rows:
        return None
    token_id, scopes, last_used_at, *user = rows[0]
    return User.from_db(DEFAULT_DB_ALIAS, _USER_FIELDS, user), _Caller(
        user[0], token_id, frozenset(scopes), last_used_at
    )


def _usable(digest: str, now: dt.datetime) -> ApiTokenQuerySet:
    return ApiToken.objects.usable_at(now).filter(digest=digest)


def _by_digest(*, digest: str, now: dt.datetime) -> Any:
    columns = ("id", "scopes", "last_used_at", *(f"user__{name}" for name in _USER_FIELDS))
    return _usable(digest, now).values_list(*columns)


_BY_DIGEST = CompiledQuery(_by_digest, _PARAMETERS)


class _Proof:
    """Makes other statements look the token up (db.proof.Proof)."""

    parameters = _PARAMETERS

    def caller(self, **given: Any) -> Any:
        """Give the query of the token's user and of a _Caller as JSON text."""
        columns = {"user_id": "user_id", "token_id": "id", "scopes": "scopes", "last_used_at": "last_used_at"}
        told = Cast(JSONObject(**columns), models.TextField())
        return _usable(**given).values_list("user_id").annotate(told=told)


_PROOF = _Proof()


def _note_use(token_id: uuid.UUID, now: dt.datetime) -> None:
    """Remember when a token was last used, to the hour: a write per request would cost more than the request."""
    not_lately = models.Q(last_used_at=None) | models.Q(last_used_at__lte=now - _USE_NOTED_EVERY)
    ApiToken.objects.filter(not_lately, pk=token_id).update(
        last_used_at=now, updated_at=now, version=models.F("version") + 1
    )
