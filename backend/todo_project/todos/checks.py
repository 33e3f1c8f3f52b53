"""Checks of the domain's settings against each other."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 - Django's name

_BYTES_PER_CHARACTER = 4  # the most that UTF-8 takes


@register(Tags.security)
def check_limits(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Tell when a task that the limits allow would not fit into a request."""
    characters = settings.TASK_TITLE_MAX_LENGTH + settings.TASK_DESCRIPTION_MAX_LENGTH
    if characters * _BYTES_PER_CHARACTER < settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return []
    return [
        Warning(
            "A task may be longer than a request body.",
            hint=f"Set REQUEST_BODY_MAX_BYTES above {characters * _BYTES_PER_CHARACTER}, "
            "or lower TASK_DESCRIPTION_MAX_LENGTH.",
            id="todos.W001",
        )
    ]
