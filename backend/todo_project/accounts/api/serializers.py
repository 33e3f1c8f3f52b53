"""What accounts and their tokens look like, coming in and going out."""

from __future__ import annotations

from typing import Any

import msgspec
from django.core.validators import EmailValidator
from rest_framework import serializers

from todo_project.accounts.models import ApiToken, User, validate_time_zone
from todo_project.accounts.services import passwords
from todo_project.api import etag
from todo_project.api.auth import SCOPES
from todo_project.api.listing import Reading, answers_of
from todo_project.api.serializers import (
    StrictBooleanField,
    StrictCharField,
    StrictSerializer,
    UtcDateTimeField,
)


class TimeZoneField(StrictCharField):
    """A name of the IANA time zone database, such as Asia/Shanghai."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, **options)
        self.validators.append(validate_time_zone)


class EmailField(StrictCharField):
    """An e-mail address; its case does not matter."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)
        self.validators.append(EmailValidator())

    def to_internal_value(self, data: Any) -> str:
        """Give it in lower case, as it is kept: some letters are longer then, and the length is that one."""
        return super().to_internal_value(data).lower()


class PasswordField(StrictCharField):
    """A password, taken as it is, spaces included."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=passwords.MAX_LENGTH,
            trim_whitespace=False,
            write_only=True,
            style={"input_type": "password"},
            **options,
        )


class NewPasswordField(PasswordField):
    """A password that is good enough for anybody; the service compares it with the account too."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse it beside the other faults of the same input."""
        password = super().to_internal_value(data)
        try:
            passwords.check_new(password=password, user=User())
        except passwords.PasswordUnsuitable as error:
            raise serializers.ValidationError(str(error), code=error.input_code) from error
        return password


class ScopesField(serializers.ListField):
    """What a token may do; at least one scope, each counted once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            child=serializers.ChoiceField(choices=SCOPES), min_length=1, max_length=len(SCOPES), **options
        )


class RegisterIn(StrictSerializer):
    """A new account."""

    email = EmailField()
    password = NewPasswordField()
    name = StrictCharField(max_length=200, allow_blank=True, default="")
    time_zone = TimeZoneField(default="UTC")


class LoginIn(StrictSerializer):
    """Who wants in, and whether as a browser with a session cookie."""

    email = StrictCharField(max_length=254)
    password = PasswordField()
    session = StrictBooleanField(default=False, help_text="Set the session cookie instead of giving a token.")


class PasswordIn(StrictSerializer):
    """The old password and the new."""

    current_password = PasswordField()
    new_password = NewPasswordField()


class ProfileIn(StrictSerializer):
    """What people change of themselves."""

    name = StrictCharField(max_length=200, allow_blank=True)
    time_zone = TimeZoneField()


class TokenIn(StrictSerializer):
    """A new token."""

    name = StrictCharField(max_length=200)
    scopes = ScopesField()
    expires_at = UtcDateTimeField(allow_null=True, default=None, help_text="In the future; null is never.")


class TokenChangeIn(StrictSerializer):
    """What can be changed of a token."""

    name = StrictCharField(max_length=200)


class UserOut(serializers.Serializer[Any]):
    """An account, as its owner sees it."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField(allow_blank=True)
    time_zone = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class LoginOut(serializers.Serializer[Any]):
    """A login: its token, or the session that the cookie names."""

    token = serializers.CharField(allow_null=True, help_text="For `Authorization: Bearer`; null for a session.")
    expires_at = serializers.DateTimeField()
    user = UserOut()
    csrf_token = serializers.CharField(required=False, help_text="For X-CSRFToken; of sessions only.")


class CsrfOut(serializers.Serializer[Any]):
    """What a browser sends in X-CSRFToken with every write."""

    csrf_token = serializers.CharField()


class TokenOut(serializers.Serializer[Any]):
    """A token without its secret."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="How the token begins.")
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the hour.")
    revoked_at = serializers.DateTimeField(allow_null=True)
    is_login = serializers.BooleanField(help_text="Made by a login.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class NewTokenOut(TokenOut):
    """A token that was just made."""

    token = serializers.CharField(
        allow_null=True, help_text="Shown this once; null when an Idempotency-Key repeats the answer."
    )


_USER_FIELDS = ("id", "email", "name", "time_zone", "created_at", "updated_at")
_TokenAnswer = answers_of(TokenOut)


def user_shape(user: User) -> dict[str, Any]:
    """Make the answer of a user."""
    return {name: getattr(user, name) for name in _USER_FIELDS}


def user_tag(user: User) -> str:
    """Give the entity tag of /me; the id is in it because everybody has the same address for themselves."""
    return etag.make(user.version, etag.shape_of((*_USER_FIELDS, str(user.pk))))


def token_shape(row: tuple[Any, ...]) -> msgspec.Struct:
    """Make the answer of one row of TOKENS' columns."""
    return _TokenAnswer(*row[:-1])  # the version is for the tag alone


TOKENS = Reading(rows=ApiToken.objects.all, columns=(*_TokenAnswer.__struct_fields__, "version"), shape=token_shape)
