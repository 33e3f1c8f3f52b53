"""System checks of the settings for accounts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name

_HASHER = "todo_project.accounts.services.passwords.Argon2Hasher"


@register(Tags.security)
def check_login_limits(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Warn if the mistakes of one person would block everybody at the same address."""
    if settings.LOGIN_FAILURES_PER_ADDRESS >= settings.LOGIN_FAILURES_PER_ACCOUNT:
        return []
    return [
        Warning(
            "LOGIN_FAILURES_PER_ADDRESS is lower than LOGIN_FAILURES_PER_ACCOUNT, so the latter is never reached.",
            hint="Set LOGIN_FAILURES_PER_ADDRESS to a multiple of it, because many people may share an address.",
            id="accounts.W001",
        )
    ]


@register(Tags.security, deploy=True)
def check_hasher(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Report an error if new passwords would not be hashed with our Argon2 parameters."""
    if settings.PASSWORD_HASHERS[0] == _HASHER:
        return []
    return [
        Error(
            f"The first of PASSWORD_HASHERS is {settings.PASSWORD_HASHERS[0]}.",
            hint=f"Put {_HASHER} first.",
            id="accounts.E001",
        )
    ]
