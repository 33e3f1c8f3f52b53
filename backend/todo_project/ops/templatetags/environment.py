"""Tells templates which environment they are in."""

from __future__ import annotations

from django import template
from django.conf import settings

register = template.Library()

NAMES = {"dev": "Development", "staging": "Staging", "prod": "Production", "test": "Test"}


@register.simple_tag
def environment() -> dict[str, str]:
    """Give the environment's word, for CSS, and its name, for people."""
    return {"word": settings.ENVIRONMENT, "name": NAMES[settings.ENVIRONMENT], "release": settings.RELEASE}
