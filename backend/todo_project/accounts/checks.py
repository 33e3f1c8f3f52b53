"""System checks of what the settings say about accounts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name

_HASHER = "todo_project.accounts.services.passwords.Argon2Hasher"


@register(Tags.security)
def check_limits(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Tell when one person's typing errors would lock a whole office out."""
    if settings.LOGIN_FAILURES_PER_ADDRESS >= settings.LOGIN_FAILURES_PER_ACCOUNT:
        return []
    return [
        Warning(
            "LOGIN_FAILURES_PER_ADDRESS is below LOGIN_FAILURES_PER_ACCOUNT, which is then never reached.",
            hint="Set it to a multiple: many people share an address.",
            id="accounts.W001",
        )
    ]


@register(Tags.security, deploy=True)
def check_hasher(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Tell when new passwords would be kept with anything but Argon2 at our cost."""
    if settings.PASSWORD_HASHERS[0] == _HASHER:
        return []
    return [Error("The first of PASSWORD_HASHERS is not ours.", hint=f"Put {_HASHER} first.", id="accounts.E001")]
