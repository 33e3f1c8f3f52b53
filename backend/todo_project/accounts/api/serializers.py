"""The serializers of accounts and API tokens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
from django.core.validators import EmailValidator, RegexValidator
from rest_framework import serializers

from todo_project.accounts.models import LANGUAGES, MAILABLE, ApiToken, User, validate_time_zone
from todo_project.accounts.services import passwords
from todo_project.api import etag
from todo_project.api.auth import SCOPES
from todo_project.api.endpoint import Current
from todo_project.api.listing import Resource, struct_for
from todo_project.api.serializers import (
    RowIdField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictSerializer,
    TimestampField,
    UtcDateTimeField,
)


class TimeZoneField(StrictCharField):
    """The name of an IANA time zone, such as Asia/Shanghai."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, **options)

    def to_internal_value(self, data: Any) -> str:
        """Refuse unknown names before zoneinfo looks them up as files."""
        name = super().to_internal_value(data)
        validate_time_zone(name)
        return name


class EmailField(StrictCharField):
    """An e-mail address; case is ignored."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)
        self.validators.append(EmailValidator())

    def to_internal_value(self, data: Any) -> str:
        """Return the address in lower case, as it is stored."""
        return super().to_internal_value(data).lower()


class PasswordField(StrictCharField):
    """A password, with its leading and trailing spaces."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=passwords.MAX_LENGTH,
            trim_whitespace=False,
            write_only=True,
            style={"input_type": "password"},
            **options,
        )


class NewPasswordField(PasswordField):
    """A new password. The service also compares it with the e-mail address and the name."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse a weak password, so that it is reported together with the other errors."""
        password = super().to_internal_value(data)
        try:
            passwords.check_new(password=password, user=User())
        except passwords.PasswordUnsuitable as error:
            raise serializers.ValidationError(str(error), code=error.input_code) from error
        return password


class ScopesField(serializers.ListField):
    """The scopes of a token, at least one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=StrictChoiceField(choices=SCOPES), min_length=1, max_length=len(SCOPES), **options)


class RegisterIn(StrictSerializer):
    """A new account."""

    request_example = {"email": "ada@example.org", "password": "correct horse battery staple", "name": "Ada"}

    email = EmailField()
    password = NewPasswordField()
    name = StrictCharField(max_length=200, allow_blank=True, default="")
    time_zone = TimeZoneField(default="UTC")


class LoginIn(StrictSerializer):
    """Credentials."""

    request_example = {"email": "ada@example.org", "password": "correct horse battery staple"}

    email = StrictCharField(max_length=254)
    password = PasswordField()
    session = StrictBooleanField(default=False, help_text="Set the session cookie instead of returning a token.")


class PasswordIn(StrictSerializer):
    """The current password and a new one."""

    request_example = {
        "current_password": "correct horse battery staple",
        "new_password": "a fresh pair of boots",
    }

    current_password = PasswordField()
    new_password = NewPasswordField()


class TokenIn(StrictSerializer):
    """A new API token."""

    request_example = {"name": "Calendar sync", "scopes": ["read", "write"], "expires_at": None}

    name = StrictCharField(max_length=200)
    scopes = ScopesField()
    expires_at = UtcDateTimeField(
        allow_null=True, default=None, help_text="A time in the future. Null means never."
    )


class KindsField(serializers.ListField):
    """Kinds of notifications, in their own order and without duplicates."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=StrictChoiceField(choices=MAILABLE), max_length=2 * len(MAILABLE), **options)

    def to_internal_value(self, data: Any) -> list[str]:
        """Return the kinds as they are stored."""
        given = {*super().to_internal_value(data)}
        return [kind for kind in MAILABLE if kind in given]


class ClockField(StrictCharField):
    """A time of day in hours and minutes, such as 08:00."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=5, **options)
        message = "Use hours and minutes from 00:00 to 23:59, such as 08:00."
        self.validators.append(RegexValidator(r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z", message))


class QuietHoursIn(StrictSerializer):
    """From when to when mails wait, in your time zone; the end may be on the next day."""

    start = ClockField()
    end = ClockField()


class UserSerializer(StrictSerializer):
    """Your account."""

    id = RowIdField()
    email = serializers.EmailField(read_only=True)
    name = StrictCharField(max_length=200, allow_blank=True)
    time_zone = TimeZoneField()
    language = StrictChoiceField(LANGUAGES, help_text="Of mails: `en` or `zh`.")
    mailed_kinds = KindsField(help_text="The kinds of notifications that are also sent by e-mail.")
    quiet_hours = QuietHoursIn(allow_null=True)
    digest_at = ClockField(
        allow_null=True, help_text="When to mail you the tasks of the day, in your time zone. Null means never."
    )
    created_at = TimestampField()
    updated_at = TimestampField()

    request_example = {"time_zone": "Europe/Berlin"}
    example = {
        "id": "019aaf3e-7d10-7a00-8000-0000000000e1",
        "email": "ada@example.org",
        "name": "Ada",
        "time_zone": "Europe/Berlin",
        "language": "en",
        "mailed_kinds": ["reminder", "assignment", "mention"],
        "quiet_hours": {"start": "22:00", "end": "07:00"},
        "digest_at": None,
        "created_at": "2026-11-29T08:00:00Z",
        "updated_at": "2026-11-29T08:00:00Z",
    }


class LoginOut(serializers.Serializer[Any]):
    """The result of a login: a token, or a session."""

    token = serializers.CharField(allow_null=True, help_text="For `Authorization: Bearer`. Null for a session.")
    expires_at = serializers.DateTimeField()
    user = UserSerializer()
    csrf_token = serializers.CharField(required=False, help_text="For `X-CSRFToken`. Only for a session.")

    example = {
        "token": "todo_8Jm2…",
        "expires_at": "2027-02-27T08:00:00Z",
        "user": UserSerializer.example,
    }


class CsrfOut(serializers.Serializer[Any]):
    """The CSRF token."""

    csrf_token = serializers.CharField(help_text="Send it as `X-CSRFToken` with every write.")

    example = {"csrf_token": "Vb3k…"}


class TokenSerializer(StrictSerializer):
    """An API token, without its secret."""

    id = RowIdField()
    name = StrictCharField(max_length=200)
    prefix = serializers.CharField(read_only=True, help_text="The first characters of the token.")
    scopes = ScopesField(read_only=True)
    expires_at = TimestampField(allow_null=True)
    last_used_at = TimestampField(allow_null=True, help_text="Updated at most once an hour.")
    revoked_at = TimestampField(allow_null=True)
    is_login = StrictBooleanField(read_only=True, help_text="Created by a login.")
    created_at = TimestampField()
    updated_at = TimestampField()

    request_example = {"name": "Calendar sync"}
    example = {
        "id": "019aaf3e-7d10-7a00-8000-0000000000d1",
        "name": "Calendar sync",
        "prefix": "todo_8Jm2",
        "scopes": ["read", "write"],
        "expires_at": None,
        "last_used_at": None,
        "revoked_at": None,
        "is_login": False,
        "created_at": "2026-11-29T08:00:00Z",
        "updated_at": "2026-11-29T08:00:00Z",
    }


class NewTokenOut(TokenSerializer):
    """An API token that was just created, with its secret."""

    token = serializers.CharField(
        read_only=True, allow_null=True, help_text="Shown only once. Null in a replay (Idempotency-Key)."
    )

    example = {**TokenSerializer.example, "token": "todo_8Jm2…"}


_USER_FIELDS = tuple(UserSerializer().fields)
_USER_COLUMNS = (*(name for name in _USER_FIELDS if name != "quiet_hours"), "quiet_start", "quiet_end")
_TokenAnswer = struct_for(TokenSerializer)


def user_shape(user: User) -> dict[str, Any]:
    """Return the response for a user."""
    if deferred := user.get_deferred_fields() & {*_USER_COLUMNS}:
        user.refresh_from_db(fields=[*deferred])  # at once
    values = {name: getattr(user, name) for name in _USER_COLUMNS}
    start, end, digest = (_clock(values.pop(name)) for name in ("quiet_start", "quiet_end", "digest_at"))
    values |= {"quiet_hours": {"start": start, "end": end} if start and end else None, "digest_at": digest}
    return {name: values[name] for name in _USER_FIELDS}


def user_changes(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changed columns of a merge patch."""
    changes = {name: value for name, value in given.items() if name != "quiet_hours"}
    if "quiet_hours" in given:
        hours = {"start": None, "end": None} if given["quiet_hours"] is None else given["quiet_hours"]
        changes |= {f"quiet_{name}": value for name, value in hours.items()}
    clocks = {name: changes[name] for name in ("quiet_start", "quiet_end", "digest_at") if name in changes}
    return changes | {name: value and dt.time.fromisoformat(value) for name, value in clocks.items()}


def _clock(value: dt.time | None) -> str | None:
    return None if value is None else f"{value:%H:%M}"


def user_now(user: User) -> Current:
    """Return the stored values of the account and its version."""
    return user_shape(user), user.version


def user_tag(user: User) -> str:
    """Return the entity tag of /me, which includes the id because all accounts share the path."""
    return etag.make(user.version, etag.digest_of_fields((*_USER_FIELDS, str(user.pk))))


def token_shape(row: tuple[Any, ...]) -> msgspec.Struct:
    """Return the response for one tuple of columns."""
    return _TokenAnswer(*row[:-1])  # the version is only used for the tag


TOKENS = Resource(
    rows=ApiToken.objects.all,
    columns=(*_TokenAnswer.__struct_fields__, "version"),
    struct=_TokenAnswer,
    shape=token_shape,
)
