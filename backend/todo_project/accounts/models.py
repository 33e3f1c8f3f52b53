"""Users, their API tokens, and the addresses that they log in from."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from todo_project.db import time_zones
from todo_project.db.rows import Versioned, is_after_change

LANGUAGES = [("en", "English"), ("zh", "中文")]
# The kinds of notifications that can be sent by e-mail, and those that are unless the user chooses others.
MAILABLE = ("reminder", "assignment", "mention", "comment")
MAILED = ("reminder", "assignment", "mention")


def default_kinds() -> list[str]:
    """Return the kinds of notifications that a new account gets by e-mail."""
    return [*MAILED]


def validate_time_zone(name: str) -> None:
    """Raise ValidationError unless the name is in the IANA time zone database."""
    if name not in time_zones.names():
        raise ValidationError("Use the name of an IANA time zone, such as Asia/Shanghai.", code="unknown_time_zone")


class UserManager(BaseUserManager["User"]):
    """Creates users for Django's own commands; everything else goes through accounts.services."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a user; the e-mail address is stored in lower case."""
        now = timezone.now()
        user = self.model(email=email.strip().lower(), created_at=now, updated_at=now, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create an operator with every permission in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the user with this e-mail address, ignoring case."""
        return self.get(email=(username or "").strip().lower())


class User(Versioned, AbstractBaseUser, PermissionsMixin):
    """A person's account, identified by the e-mail address."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    # when it was shown that mail to the address reaches the user
    email_proved_at = models.DateTimeField(null=True, editable=False)
    # whether the user has ever joined or shared a project; for all others, lists need not look for shared rows
    is_member = models.BooleanField(default=False, db_default=False, editable=False)
    # of mails
    language = models.CharField(
        max_length=2, choices=LANGUAGES, default=LANGUAGES[0][0], db_default=LANGUAGES[0][0]
    )
    # the kinds of notifications that are also sent by e-mail
    mailed_kinds = models.JSONField(
        default=default_kinds, db_default=models.Value([*MAILED], models.JSONField()), blank=True
    )
    # from when to when, in the user's time zone, mails wait; both are null, or neither
    quiet_start = models.TimeField(null=True, blank=True)
    quiet_end = models.TimeField(null=True, blank=True)
    # when to send the digest of the day, in the user's time zone
    digest_at = models.TimeField(null=True, blank=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        # together with unique=True, this makes the address unique ignoring case
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_is_lower_case")
        ]

    def __str__(self) -> str:
        return self.email

    def wants_mail(self, kind: str) -> bool:
        """Return whether notifications of this kind are also sent by e-mail."""
        return self.digest_at is not None if kind == "digest" else kind in self.mailed_kinds

    def get_full_name(self) -> str:
        """Return the name that the admin shows for the user."""
        return self.name or self.email


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """All reads of API tokens."""

    def visible_to(self, user_id: uuid.UUID) -> ApiTokenQuerySet:
        """Filter to the tokens of this user, including revoked ones."""
        return self.filter(user_id=user_id)

    def alive(self) -> ApiTokenQuerySet:
        """Exclude revoked tokens. Expired ones stay, so that their owner can see why they fail."""
        return self.filter(revoked_at=None)

    def after_id(self, last: uuid.UUID) -> ApiTokenQuerySet:
        """Filter to the tokens that follow this one in a list sorted by id."""
        return self.filter(id__gt=last)

    def changed_since(self, moment: dt.datetime) -> ApiTokenQuerySet:
        """Filter to the tokens changed at or after this time."""
        return self.filter(updated_at__gte=moment)

    def after_change(self, moment: dt.datetime, last: uuid.UUID) -> ApiTokenQuerySet:
        """Filter to the tokens that follow this one in a list sorted by (updated_at, id)."""
        return self.filter(is_after_change(moment, last))

    def ended_before(self, moment: dt.datetime) -> ApiTokenQuerySet:
        """Filter to the tokens that expired or were revoked before this time."""
        return self.filter(models.Q(expires_at__lt=moment) | models.Q(revoked_at__lt=moment))

    def usable_at(self, now: dt.datetime) -> ApiTokenQuerySet:
        """Filter to the tokens of active users that are neither revoked nor expired."""
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=now)
        return self.filter(unexpired, revoked_at=None, user__is_active=True)


class ApiToken(Versioned):
    """A token that authenticates requests. Only its digest is stored; the token is shown once, on creation."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=16)
    scopes = models.JSONField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    # created by a login; revoked by the logout
    is_login = models.BooleanField(default=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "API token"
        indexes = [models.Index(fields=["user", "id"], name="token_by_user")]

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"


class KnownAddress(models.Model):
    """An address from which a user has logged in, stored as a keyed digest."""

    # without a constraint, so that an earlier release, which does not know this table, can delete users
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    digest = models.CharField(max_length=64)
    last_login_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="known_address_once_per_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.digest[:8]}…"
