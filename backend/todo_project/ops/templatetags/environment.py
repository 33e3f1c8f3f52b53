"""Tells templates which environment they are in."""

from __future__ import annotations

from django import template
from django.conf import settings

from todo_project.config import ENVIRONMENTS

register = template.Library()


@register.simple_tag
def environment() -> dict[str, str]:
    """Return the environment's word, for CSS, and its title, for people."""
    return {
        "word": settings.ENVIRONMENT,
        "name": ENVIRONMENTS[settings.ENVIRONMENT].title,
        "release": settings.RELEASE,
    }
