"""System checks of the settings for tasks."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 - Django's name

_BYTES_PER_CHARACTER = 4  # the most that UTF-8 takes


@register(Tags.security)
def check_limits(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Warn if the longest allowed task does not fit into a request body."""
    characters = settings.TASK_TITLE_MAX_LENGTH + settings.TASK_DESCRIPTION_MAX_LENGTH
    if characters * _BYTES_PER_CHARACTER < settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return []
    return [
        Warning(
            "TASK_TITLE_MAX_LENGTH and TASK_DESCRIPTION_MAX_LENGTH allow tasks longer than a request body.",
            hint=f"Set REQUEST_BODY_MAX_BYTES above {characters * _BYTES_PER_CHARACTER}, "
            "or lower TASK_DESCRIPTION_MAX_LENGTH.",
            id="todos.W001",
        )
    ]
