"""The service with settings that a system check refuses."""

from __future__ import annotations

from typing import Any

from django.core.checks import Error, Tags, register

from todo_project.wsgi import application

__all__ = ["application"]


@register(Tags.security)
def contradict(app_configs: Any, **options: Any) -> list[Error]:
    return [Error("Two values cannot both be meant.", hint="Leave one out.", id="tests.E001")]
